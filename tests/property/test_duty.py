"""Whatever happens in a storm, nobody who has to know is left out. Each property is shown to catch a planted bug."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

import duty.incidents.incidents
from duty.channels.merging import next_of
from duty.channels.retrying import backoff_s, due_of
from duty.channels.worker import Limiter
from duty.incidents.incidents import AlarmNote, Incident, fold, opened
from duty.log.dutylog import FIRST_LINK, Chained, Entry, TrustedKey, link, sign_head, verify
from duty.model import AGAIN, AlarmEventIn, Person, Policy, Reach, Reason
from duty.roster.roster import Roster, Shift
from duty.telling import decide
from duty.telling.decide import Cause, due
from undercroft.model import Severity

START = datetime(2026, 7, 1, 15, 50, tzinfo=UTC)
TICK = timedelta(seconds=30)
KINDS = (
    "raised", "severity_up", "severity_down", "reason_added", "acknowledged", "shelved", "unshelved", "suppressed",
    "unsuppressed", "cleared",
)  # fmt: skip
STEP = st.tuples(st.sampled_from(KINDS), st.integers(2, 4), st.integers(0, 2), st.integers(1, 8))
STORM = st.lists(STEP, min_size=1, max_size=25)
Script = list[tuple[str, int, int, int]]


def play(script: Script, steps: int = 3) -> list[tuple[datetime, Incident, list[Cause]]]:
    """Every 30 seconds: the incident and what was told then."""
    events, at = [AlarmEventIn("space/0", 1, 0, "raised", 4, START)], START
    for number, (kind, severity, subject, ticks) in enumerate(script, 1):
        at += ticks * TICK
        events.append(AlarmEventIn(f"space/{subject}", 1, number, kind, severity, at))
    incident, history, now = opened("north", events[0]), [], START
    while now <= at + timedelta(minutes=40):
        while events and events[0].at <= now:
            incident = fold(incident, events.pop(0))
        incident, causes = due(incident, now, steps, Policy())
        history.append((now, incident, causes))
        now += TICK
    return history


def check_red_is_told_at_once(script: Script) -> None:
    for _, incident, _ in play(script):
        untold = [note for note in incident.alarms if note.subject in incident.news and note.waits]
        assert all(note.severity < Severity.RED for note in untold)


def check_nobody_sleeps_through_red(script: Script) -> None:
    """A red alarm that waits is told to one step more every 3 minutes, whatever else happens."""
    waited: dict[str, datetime] = {}
    heard = START
    for now, incident, causes in play(script):
        if any(Reason.REPEAT in cause.reasons for cause in causes):
            heard = now
        red = {note.subject for note in incident.alarms if note.active and not note.acknowledged and note.severity == 4}
        waited = {subject: waited.get(subject, now) for subject in red}
        for since in waited.values():
            assert now - max(since, heard) < timedelta(minutes=3, seconds=30)


def check_silence_after_acknowledgement(script: Script) -> None:
    for _, incident, causes in play(script):
        if not incident.waiting:
            assert all(set(cause.reasons) <= {Reason.ALL_CLEAR} for cause in causes)


def check_the_end_is_told_to_all(script: Script) -> None:
    heard = 0
    for _, incident, causes in play(script):
        for cause in causes:
            heard = max(heard, len(cause.reasons))
            if Reason.ALL_CLEAR in cause.reasons:
                assert len(cause.reasons) == heard
        if heard and not incident.open_alarms:
            assert incident.clear_told


CHECKS = [
    check_red_is_told_at_once,
    check_nobody_sleeps_through_red,
    check_silence_after_acknowledgement,
    check_the_end_is_told_to_all,
]


@pytest.mark.parametrize("check", CHECKS)
def test_it_holds(check: Callable[[Script], None]) -> None:
    given(STORM)(settings(max_examples=60, deadline=None)(check))()


def red_waits_a_minute(incident: Incident, now: datetime, policy: Policy, causes: list[Cause]) -> Incident:
    if incident.told_at is not None and now - incident.told_at < policy.spacing:
        return incident
    return TELL_NEWS(incident, now, policy, causes)


def reasons_start_again(known: AlarmNote | None, event: AlarmEventIn) -> AlarmNote:
    note = CHANGED(known, event)
    if event.kind != "reason_added" or known is None:
        return note
    return replace(note, since=event.at, orange_since=event.at, red_since=event.at)


def shelving_silences_red(note: AlarmNote) -> bool:
    return note.active and not note.acknowledged and not note.quiet_by


def acknowledged_still_waits(note: AlarmNote) -> bool:
    return note.active


def end_to_first_step_only(incident: Incident, now: datetime, causes: list[Cause]) -> Incident:
    after = TELL_CLEAR(incident, now, causes)
    causes[:] = [replace(c, reasons=c.reasons[:1]) if Reason.ALL_CLEAR in c.reasons else c for c in causes]
    return after


TELL_NEWS, TELL_CLEAR, CHANGED = decide._tell_news, decide._tell_clear, duty.incidents.incidents._changed


@pytest.mark.parametrize(
    ("check", "where", "name", "bug"),
    [
        (check_red_is_told_at_once, decide, "_tell_news", red_waits_a_minute),
        (check_nobody_sleeps_through_red, duty.incidents.incidents, "_changed", reasons_start_again),
        (check_nobody_sleeps_through_red, AlarmNote, "waits", property(shelving_silences_red)),
        (check_silence_after_acknowledgement, AlarmNote, "waits", property(acknowledged_still_waits)),
        (check_the_end_is_told_to_all, decide, "_tell_clear", end_to_first_step_only),
    ],
)
def test_a_planted_bug_is_caught(
    check: Callable[[Script], None], where: object, name: str, bug: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    script: Script = [
        ("reason_added", 4, 0, 2), ("reason_added", 4, 0, 3), ("reason_added", 4, 0, 3), ("raised", 4, 1, 1),
        ("shelved", 4, 0, 5), ("shelved", 4, 1, 1), ("acknowledged", 4, 0, 8), ("acknowledged", 4, 1, 1),
        ("cleared", 4, 0, 8), ("cleared", 4, 1, 8),
    ]  # fmt: skip
    check(script)
    if check is check_silence_after_acknowledgement:
        # What is silent must be told apart from what the bug calls waiting.
        expected = [len(causes) for _, _, causes in play(script)]
        monkeypatch.setattr(where, name, bug)
        assert [len(causes) for _, _, causes in play(script)] != expected
        return
    monkeypatch.setattr(where, name, bug)
    with pytest.raises(AssertionError):
        check(script)


HOURS = st.tuples(st.integers(0, 40), st.integers(1, 12), st.integers(0, 2), st.sampled_from("abcd"))


@given(st.lists(HOURS, max_size=10))
def test_gaps_are_exactly_the_hours_in_which_a_step_has_nobody_of_its_own(
    rows: list[tuple[int, int, int, str]],
) -> None:
    shifts = tuple(
        Shift(START + timedelta(hours=h), START + timedelta(hours=h + n), step, "holder", Person(p, p))
        for h, n, step, p in rows
    )
    roster = Roster(shifts)
    gaps = roster.gaps(START, START + timedelta(hours=48))
    for hour in range(48):
        at = START + timedelta(hours=hour, minutes=30)
        missing = {gap.step for gap in gaps if gap.starts_at <= at < gap.ends_at}
        held = {shift.step for shift in shifts if shift.covers(at)}
        assert ({0} <= held) != ({0} <= missing)
        assert missing >= {0, 1, *(step for _, _, step, _ in rows)} - held
        assert len(roster.chain(at)) == len({0, 1, *(step for _, _, step, _ in rows)} - missing)


ENTRIES = st.lists(st.tuples(st.sampled_from(["note", "phone", "order"]), st.text(max_size=8)), min_size=2, max_size=8)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def chain_of(rows: list[tuple[str, str]]) -> list[Chained]:
    chain, previous = [], FIRST_LINK
    for number, (kind, words) in enumerate(rows, 1):
        entry = Entry(number, START + number * TICK, kind, "li", "log", {"words": words})
        chain.append(Chained(entry, previous, link(previous, entry)))
        previous = chain[-1].sha256
    return chain


@given(ENTRIES, st.data())
def test_any_change_under_a_signed_head_is_found(rows: list[tuple[str, str]], data: st.DataObject) -> None:
    chain = chain_of(rows)
    head = sign_head(chain[-1], START, "hourly", KEY)
    assert verify(chain, [head], [TrustedKey(KEY.public_key())]).problems == ()
    victim = data.draw(st.integers(0, len(rows) - 1))
    way = data.draw(st.sampled_from(["change", "rewrite", "cut", "drop"]))
    forged = list(rows)
    if way in {"change", "rewrite"}:
        forged[victim] = (rows[victim][0], rows[victim][1] + "!")
    other = chain_of(forged) if way != "change" else list(chain)
    if way == "change":
        other[victim] = replace(chain[victim], entry=replace(chain[victim].entry, author="forger"))
    elif way == "cut":
        other = other[:-1]
    elif way == "drop":
        del other[victim]
    assert verify(other, [head], [TrustedKey(KEY.public_key())]).problems


def test_reach_is_kept_in_order() -> None:
    person = Person("li", "Li", "", (Reach("wecom", "a"), Reach("smtp", "b")))
    shift = Shift(START, START + timedelta(hours=8), 0, "holder", person)
    assert [reach.channel for reach in Roster((shift,)).chain(START)[0].reach] == ["wecom", "smtp"]


@given(
    st.integers(1, 20), st.lists(st.integers(0, 240), min_size=1, max_size=40),
    st.lists(st.tuples(st.integers(0, 240), st.integers(2, 3), st.sampled_from(["first", "repeat"])), max_size=60),
)  # fmt: skip
def test_every_first_red_is_sent_within_what_the_rate_allows(
    per_minute: int, reds: list[int], others: list[tuple[int, int, str]]
) -> None:
    """However much red is told again, each second: the k-th first red that waits is sent in ceil(k / rate) minutes."""
    limiter, waiting, until = Limiter(per_minute), list[dict[str, Any]](), dict[int, float]()
    arrivals = [(at, 4, "first") for at in reds] + others + [(at, 4, "repeat") for at in range(0, 240, 2)]
    plan = sorted(enumerate(arrivals), key=lambda entry: entry[1][0])
    for now_s in range(240 + 60 * 41):
        while plan and plan[0][1][0] <= now_s:
            number, (_, severity, reason) = plan.pop(0)
            waiting.append({"notification_id": number, "severity": severity, "reason": reason})
            ahead = sum(row["severity"] == 4 and row["reason"] == "first" for row in waiting)
            if severity == 4 and reason == "first":
                until[number] = now_s + 60.0 * -(-ahead // per_minute)
        waiting.sort(key=lambda row: (row["reason"] in AGAIN, -row["severity"]))  # as the statement does
        while (found := next_of(waiting, partial(limiter.free, float(now_s)))) is not None:
            limiter.take(float(now_s))
            waiting.remove(found[0])
            late = until.pop(found[0]["notification_id"], None)
            assert late is None or now_s <= late
        if not until and not plan:
            return
    raise AssertionError(f"never sent: {sorted(until)}")


@given(
    st.integers(1, 20), st.lists(st.tuples(st.integers(0, 600), st.sampled_from([0, 0, 0, 1])), max_size=60),
    st.integers(0, 900),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_a_fresh_red_finds_a_send_within_a_minute_whatever_a_dead_address_holds(
    per_minute: int, dead: list[tuple[int, int]], fresh_s: int
) -> None:
    """Reds that two addresses never take, tried again after 1, 2, 4 … 60 s; each had its first try when it comes."""
    limiter, rows, not_before = Limiter(per_minute), list[dict[str, Any]](), dict[int, float]()
    begun = max([at for at, _ in dead], default=0) + 60 * -(-len(dead) // per_minute)
    arrivals = sorted((at, number, str(where)) for number, (at, where) in enumerate(dead))
    arrivals = sorted([*arrivals, (begun + fresh_s, 1000, "healthy")])
    for now_s in range(begun + fresh_s + 61):
        while arrivals and arrivals[0][0] <= now_s:
            _, number, address = arrivals.pop(0)
            rows.append(
                {"notification_id": number, "severity": 4, "reason": "first", "address": address, "failures": 0}
            )
        rows.sort(
            key=lambda row: (row["failures"] > 0, not_before.get(row["notification_id"], 0.0))
        )  # as the statement
        while True:
            ready = due_of(rows, lambda row: not_before.get(row["notification_id"], 0.0), float(now_s))
            found = next_of(ready, partial(limiter.free, float(now_s)))
            if found is None:
                break
            if found[0]["address"] == "healthy":
                return
            limiter.take(float(now_s))
            longest = max(row["failures"] for row in rows if row["address"] == found[0]["address"])
            found[0]["failures"] += 1
            not_before[found[0]["notification_id"]] = now_s + backoff_s(max(longest, found[0]["failures"]))
    raise AssertionError("the fresh red was not sent")
