"""Two officers at one moment: who comes second is told by whom and when it was taken, or ordered; the log is true."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from duty.acts import acts
from duty.door import door
from duty.door.refusals import NotPossibleNow, TakenAlready
from duty.notify.notifier import Notifier
from duty.orders.acts import order, order_step
from duty.orders.orders import Proof
from duty.reports.log_table import line_of
from tests.integration.door_kit import SUBJECT, actor, alarm
from tests.integration.duty_kit import DEADLINE_S, now, opened, prepared, tick
from tests.integration.test_duty_moved import CHANNELS, STYLE
from undercroft.clock import SystemClock
from undercroft.store import duty_acts as store
from undercroft.store.connection import Connection

MINE = acts.Act("acknowledge", SUBJECT, {"comment": "mine"})
AT = datetime(2026, 7, 1, 19, 0, 5, tzinfo=UTC)
"""Five seconds past three in Shenzhen, where the site is."""


@pytest.fixture
def db(live_db: str) -> Iterator[Connection]:
    """A red garage and an orange underpass, told; the engine has read what there is so far."""
    with opened(live_db) as connection:
        prepared(connection)
        tick(connection, 1, now(), (SUBJECT, "raised", 4), ("space/up", "raised", 3))
        covered(connection, 1)
        for subject, severity in ((SUBJECT, 4), ("space/up", 3)):
            alarm(connection, subject, severity=severity)
        Notifier(connection, CHANNELS, STYLE).step_live(now(), now())
        yield connection


def covered(db: Connection, number: int) -> None:
    """Have a tick stand that has read everything so far."""
    db.execute(
        "update tick set up_to_commit_seq = (select commit_seq from commit_counter) where tick_seq = %s", (number,)
    )


def officer(db: Connection, name: str) -> door.Actor:
    token, hashed = door.new_token()
    store.add_operator(db, name, name, "officer", hashed, now())
    return door.authorise(db, token, "test", now())


def logged(db: Connection, kind: str) -> list[tuple[str, str, dict[str, Any]]]:
    return [(row["author"], row["subject"], row["body"]) for row in store.log_entries(db) if row["kind"] == kind]


def at_one_moment(db: Connection, url: str, lock: str, tokens: list[str], *words: str) -> list[tuple[int, str, str]]:
    """Run a command in a process for each token, held before a lock, then let go; exit code, errors and output."""
    began = [
        subprocess.Popen(
            [sys.executable, "-m", "undercroft", *words], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=os.environ | {"UNDERCROFT_DATABASE_URL": url, "UNDERCROFT_TOKEN": token},
        )
        for token in tokens
    ]  # fmt: skip
    try:
        with store.transaction(db):
            db.execute(lock.encode())
            clock, pause = SystemClock(), threading.Event()
            end_s = clock.monotonic_s() + DEADLINE_S
            waiting = "select from pg_locks where locktype = 'advisory' and not granted"
            while len(db.execute(waiting.encode()).fetchall()) < len(tokens):
                assert clock.monotonic_s() < end_s, [process.poll() for process in began]
                pause.wait(0.05)
        return [(*process.communicate(timeout=DEADLINE_S), process.returncode)[::-1] for process in began]
    finally:
        for process in began:
            process.kill()
            process.communicate()


def test_of_two_who_say_mine_within_one_tick_one_is_told_who_has_it(db: Connection, live_db: str) -> None:
    """Two processes; no tick comes between, so the engine has not yet answered either."""
    names = ["li", "wu"]
    tokens = [officer(db, name).token for name in names]
    lock = "select pg_advisory_xact_lock(hashtext('undercroft'), hashtext('alarm_acts'))"
    ends = at_one_moment(db, live_db, lock, tokens, "act", "acknowledge", SUBJECT)
    assert sorted(code for code, _, _ in ends) == [0, 2], ends
    first, second = sorted(range(2), key=lambda number: ends[number][0])
    words = f"acknowledge: {names[first]} 已于 "
    assert words in ends[second][1]
    assert f" 接警 taken by {names[first]} already, at " in ends[second][1]
    assert "+08:00" in ends[second][1]
    assert [(author, subject) for author, subject, _ in logged(db, "acknowledge")] == [(names[first], SUBJECT)]
    assert [row["author"] for row in db.execute("select author from act")] == [names[first]]
    audit = db.execute("select operator_id, outcome from audit where action = 'acknowledge' order by audit_id")
    assert [(row["operator_id"], row["outcome"]) for row in audit.fetchall()] == [
        (names[first], "done"), (names[second], "refused"),
    ]  # fmt: skip


def test_who_was_faster_is_named_after_the_tick_too_and_news_opens_it_again(db: Connection) -> None:
    li, wu = officer(db, "li"), officer(db, "wu")
    acts.perform(db, li, MINE, AT)
    with pytest.raises(TakenAlready, match=r"^acknowledge: li 已于 2026-07-02 03:00:05[+]08:00 接警 taken by li"):
        acts.perform(db, wu, MINE, AT)
    tick(db, 2, AT + timedelta(seconds=1), (SUBJECT, "acknowledged", 4))
    covered(db, 2)
    db.execute("update alarm set acknowledged = true where subject = %s", (SUBJECT,))
    db.execute("update alarm_event set detail = '{\"author\": \"li\"}' where kind = 'acknowledged'")
    with pytest.raises(TakenAlready, match=r"taken by li already, at 2026-07-02 03:00:06[+]08:00$"):
        acts.perform(db, wu, MINE, AT)
    db.execute("update alarm set acknowledged = false where subject = %s", (SUBJECT,))  # worse since
    acts.perform(db, wu, MINE, AT)
    assert [author for author, _, _ in logged(db, "acknowledge")] == ["li", "wu"]


def test_mine_for_an_incident_leaves_to_a_colleague_what_the_colleague_took_and_says_so(db: Connection) -> None:
    li, wu = officer(db, "li"), officer(db, "wu")
    (row,) = db.execute("select incident_id from incident").fetchall()
    whole = acts.Act("acknowledge", f"incident/{row['incident_id']}", {})
    acts.perform(db, li, MINE, AT)
    done = acts.perform(db, wu, whole, AT, "k1")
    assert done.taken == "space/gar (li)"
    assert acts.perform(db, wu, whole, AT, "k1").taken == done.taken
    said = logged(db, "acknowledge")[-1]
    assert (said[0], said[2]) == ("wu", {"alarms": ["space/up"], "taken": ["space/gar (li)"]})
    line = line_of(store.log_entries(db)[-1], {}, STYLE.zone)
    assert line.endswith("(alarms space/up, taken space/gar (li))")
    with pytest.raises(TakenAlready, match="taken by"):
        acts.perform(db, li, whole, AT)


def test_what_a_leader_stood_down_in_this_tick_is_nobody_s_to_take(db: Connection) -> None:
    leader = actor(db, "leader")
    acts.perform(db, leader, acts.Act("stand_down", SUBJECT, {"evidence": "seen dry"}), AT)
    for act in (MINE, acts.Act("stand_down", SUBJECT, {"evidence": "seen dry too"})):
        with pytest.raises(NotPossibleNow, match=r"已于 .* 人工解除 li-leader stood it down at 2026-07-02 03:00"):
            acts.perform(db, leader, act, AT)


def test_the_same_order_is_given_once_by_two_at_one_moment(db: Connection, live_db: str) -> None:
    tokens = [officer(db, name).token for name in ("li", "wu")]
    lock = f"select pg_advisory_xact_lock(hashtext('undercroft-orders'), hashtext('{SUBJECT}'))"
    ends = at_one_moment(db, live_db, lock, tokens, "order", "issue", SUBJECT, "evacuated", "Lianhua")
    assert sorted(code for code, _, _ in ends) == [0, 2], ends
    (row,) = db.execute("select order_id from duty_order").fetchall()
    (said,) = [error for code, error, _ in ends if code == 2]
    assert f"已有此指令 evacuated is open already: {row['order_id']}, 交 with Lianhua, issued, 期限 due " in said
    assert len([line for line in said.splitlines() if line.strip()]) == 1


def test_the_same_order_for_the_same_place_is_refused_while_one_is_open(db: Connection) -> None:
    li, barrier = officer(db, "li"), Proof.BARRIER_DEPLOYED

    def give(proof: Proof, owner: str, entrance: str = "", *, second: bool = False) -> str:
        return order(db, li, SUBJECT, proof, owner, now(), entrance, second=second).order_id or ""

    first = give(Proof.EVACUATED, "A")
    with pytest.raises(NotPossibleNow, match=rf"evacuated is open already: {first}, 交 with A, issued, .*--second"):
        give(Proof.EVACUATED, "B")
    order_step(db, li, first, "refuse", now(), "no people")
    with pytest.raises(NotPossibleNow, match=rf"{first}, 交 with A, refused"):
        give(Proof.EVACUATED, "B")
    beside = give(Proof.EVACUATED, "B", second=True)
    assert logged(db, "order")[-1][2]["beside"] == [first]
    for order_id in (first, beside):
        order_step(db, li, order_id, "cancel", now(), "all out")
    assert "beside" not in (give(Proof.EVACUATED, "C"), logged(db, "order")[-1][2])[1]
    # One of an entrance is part of one of the space, in either order; another kind or space is not.
    north = give(barrier, "A", "north")
    for entrance in ("north", ""):
        with pytest.raises(NotPossibleNow, match=rf"^order: {SUBJECT}/north 已有此指令 .*{north}"):
            give(barrier, "B", entrance)
    give(Proof.CHECKED, "A", "north")
    order(db, li, "space/up", Proof.EVACUATED, "A", now())
    order_step(db, li, north, "confirm", now())
    give(barrier, "B", "north")


def test_an_order_that_is_open_from_an_earlier_storm_holds_up_none_of_this_one(db: Connection) -> None:
    li = officer(db, "li")
    old = order(db, li, SUBJECT, Proof.EVACUATED, "A", now()).order_id
    db.execute("update incident set closed_at = now()")
    db.execute(
        "insert into incident (incident_id, basin_id, opened_at, worst, state) values ('next', 'b1', now(), 4, '{}')"
    )
    assert order(db, li, SUBJECT, Proof.EVACUATED, "A", now()).order_id != old
