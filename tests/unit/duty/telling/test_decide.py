"""When who is told, and why: worked out by hand from the intervals red 3, orange 10, yellow 30 minutes."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import orjson
import pytest

from duty.incidents.codec import from_json, to_json
from duty.incidents.incidents import fold, opened
from duty.model import AlarmEventIn, Policy, Reason
from duty.telling.decide import due, is_over
from duty.telling.ended import write_end
from duty.telling.texts import Named, Style, write
from tests.unit.duty.kit import at, event, play, told

RED, ORANGE, YELLOW = 4, 3, 2


@pytest.mark.parametrize(
    ("events", "until", "expected"),
    [
        # Nobody acknowledges a red alarm: one step further every three minutes, then the whole chain again.
        (
            [event(0, "raised", RED)],
            12,
            [
                (0, "first"),
                (3, "repeat/escalated"),
                (6, "repeat/repeat/escalated"),
                (9, "repeat/repeat/repeat"),
                (12, "repeat/repeat/repeat"),
            ],
        ),
        ([event(0, "raised", ORANGE)], 20, [(0, "first"), (10, "repeat/escalated"), (20, "repeat/repeat/escalated")]),
        ([event(0, "raised", YELLOW)], 60, [(0, "first"), (30, "repeat"), (60, "repeat")]),
        # Acknowledged: silence, until it gets worse.
        (
            [event(0, "raised", ORANGE), event(2, "acknowledged", ORANGE), event(30, "severity_up", RED)],
            33,
            [(0, "first"), (30, "worse"), (33, "repeat/escalated")],
        ),
        ([event(0, "raised", RED), event(2, "acknowledged", RED)], 60, [(0, "first")]),
        # A new family of reasons opens an acknowledged alarm again.
        (
            [event(0, "raised", RED), event(1, "acknowledged", RED), event(5, "reason_added", RED)],
            8,
            [(0, "first"), (5, "worse"), (8, "repeat/escalated")],
        ),
        # News below red waits a minute after the message before; red does not wait.
        (
            [event(0, "raised", YELLOW), event(0.5, "raised", ORANGE, "space/met")],
            2,
            [(0, "first"), (1, "worse")],
        ),
        ([event(0, "raised", YELLOW), event(0.5, "raised", RED, "space/met")], 2, [(0, "first"), (0.5, "worse")]),
        # Shelved below red: silence until unshelved; the time waited does not count.
        (
            [event(0, "raised", ORANGE), event(1, "shelved", ORANGE), event(25, "unshelved", ORANGE)],
            35,
            [(0, "first"), (35, "repeat/escalated")],
        ),
        # Red is told whatever was shelved or suppressed.
        (
            [event(0, "raised", RED), event(1, "shelved", RED), event(1, "suppressed", RED)],
            3,
            [(0, "first"), (3, "repeat/escalated")],
        ),
        # The end goes to everybody who was told.
        (
            [event(0, "raised", RED), event(4, "acknowledged", RED), event(20, "cleared", 0)],
            60,
            [(0, "first"), (3, "repeat/escalated"), (20, "all_clear/all_clear")],
        ),
        # An alarm that ended untold is not told.
        ([event(0, "suppressed", YELLOW), event(1, "cleared", 0)], 5, []),
    ],
)
def test_who_is_told_when(events: list[AlarmEventIn], until: float, expected: list[tuple[float, str]]) -> None:
    assert told(play(events, until)[1]) == expected


def test_new_reasons_do_not_put_off_the_escalation() -> None:
    events = [event(0, "raised", RED), *(event(minute, "reason_added", RED) for minute in (1, 2, 4, 5))]
    escalations = [minute for minute, reasons in told(play(events, 6)[1]) if "escalated" in reasons]
    assert escalations == [3, 6]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        # Yellow's repeat at 30 does not move red, first to be looked at from 28: due at 31.
        (
            [event(0, "raised", YELLOW), event(28, "raised", RED, "space/r")],
            [(0, "first"), (28, "worse"), (30, "repeat"), (31, "repeat/escalated"), (34, "repeat/repeat/escalated")],
        ),
        # The same when the yellow alarm itself turns red: yellow's half hour is over at 30, red's three minutes at 31.
        (
            [event(0, "raised", YELLOW), event(28, "severity_up", RED)],
            [(0, "first"), (28, "worse"), (30, "repeat"), (31, "repeat/escalated"), (34, "repeat/repeat/escalated")],
        ),
        # Orange waits for 10 minutes whatever is red by then; red for 3 whatever was orange.
        (
            [event(0, "raised", ORANGE), event(9, "severity_up", RED)],
            [(0, "first"), (9, "worse"), (10, "repeat/escalated"), (12, "repeat/repeat/escalated")]
            + [(minute, "repeat/repeat/repeat") for minute in range(15, 35, 3)],
        ),
        # What was red for a minute is orange from its first minute on; red again, it is looked at anew.
        (
            [
                event(0, "raised", ORANGE), event(1, "severity_up", RED), event(2, "severity_down", ORANGE),
                event(8, "severity_up", RED), event(11.5, "acknowledged", RED),
            ],
            [(0, "first"), (1, "worse"), (8, "worse"), (10, "repeat/escalated"), (11, "repeat/repeat/escalated")],
        ),
    ],
)  # fmt: skip
def test_no_severity_puts_off_another(events: list[AlarmEventIn], expected: list[tuple[float, str]]) -> None:
    assert told(play(events, 34)[1]) == expected


def test_an_incident_that_was_kept_with_one_clock_goes_on() -> None:
    """Told at 0 and 3; who wrote it knew one clock only: the next repetition is at 6, not all at once."""
    incident, _ = play([event(0, "raised", RED)], 4)
    kept = {name: value for name, value in to_json(incident).items() if not name.startswith(("orange", "red"))}
    kept["alarms"] = [{k: v for k, v in note.items() if not k.startswith(("orange", "red"))} for note in kept["alarms"]]
    kept = orjson.loads(orjson.dumps(kept))
    assert from_json(orjson.loads(orjson.dumps(to_json(incident)))) == incident
    restored, early = due(from_json(kept), at(5.5), 3, Policy())
    assert early == []
    assert told(due(restored, at(6), 3, Policy())[1]) == [(6, "repeat/repeat/escalated")]


def test_a_late_call_reaches_every_step_that_was_missed() -> None:
    first = event(0, "raised", RED)
    incident, _ = due(fold(opened("north", first), first), at(0), 3, Policy())
    _, causes = due(incident, at(7), 3, Policy())
    assert told(causes) == [(7, "repeat/escalated/escalated")]


def test_an_empty_roster_still_tells_step_0() -> None:
    assert told(play([event(0, "raised", RED)], 3, steps=0)[1]) == [(0, "first"), (3, "repeat")]


def test_water_that_comes_back_within_the_half_hour_is_the_same_incident() -> None:
    events = [
        event(0, "raised", RED), event(1, "acknowledged", RED), event(10, "cleared", 0),
        event(20, "raised", YELLOW, occurrence=2),
    ]  # fmt: skip
    incident, causes = play(events, 21)
    assert told(causes) == [(0, "first"), (10, "all_clear"), (20, "worse")]
    assert not is_over(incident, at(21), Policy())


def test_it_is_over_half_an_hour_after_the_end() -> None:
    incident, _ = play([event(0, "raised", YELLOW), event(5, "cleared", 0)], 34)
    assert not is_over(incident, at(34), Policy())
    assert is_over(incident, at(35), Policy())


def test_every_cause_has_its_own_key() -> None:
    causes = play([event(0, "raised", RED), event(5, "severity_down", ORANGE), event(9, "severity_up", RED)], 60)[1]
    assert len({cause.key for cause in causes}) == len(causes)
    assert [cause.number for cause in causes] == list(range(1, len(causes) + 1))


def test_grouping_names_all_alarms_of_the_basin_worst_first() -> None:
    events = [event(0, "raised", YELLOW, "space/a"), event(0, "raised", RED, "space/b")]
    (cause,) = play(events, 0)[1]
    assert [note.subject for note in cause.alarms] == ["space/b", "space/a"]
    assert play(events, 0)[0].first_subject == "space/a"
    assert timedelta(0) == cause.at - at(0)


def test_a_child_is_told_when_it_stands_for_itself() -> None:
    child = "device/d1"
    events = [
        event(0, "raised", ORANGE), event(1, "acknowledged", ORANGE),
        event(2, "raised", YELLOW, child), event(2, "suppressed", YELLOW, child),
        event(20, "unsuppressed", YELLOW, child),
    ]  # fmt: skip
    assert told(play(events, 40)[1]) == [(0, "first"), (20, "worse")]


def test_an_alarm_is_told_in_the_words_of_its_worst_reason() -> None:
    def said(kind: str, severity: int, of: int, words: str) -> AlarmEventIn:
        return AlarmEventIn("space/gar", 1, 1, kind, severity, at(0), words, words, of)

    incident, told = opened("north", event(0, "raised", RED)), list[tuple[str, str]]()
    for one in (
        said("raised", ORANGE, ORANGE, "30 cm"), said("reason_added", ORANGE, YELLOW, "rain"),
        said("severity_up", RED, RED, "60 cm"), said("reason_added", RED, ORANGE, "warning"),
        said("reason_added", RED, RED, "pump"), said("severity_down", ORANGE, ORANGE, "40 cm"),
    ):  # fmt: skip
        incident = from_json(orjson.loads(orjson.dumps(to_json(fold(incident, one)))))
        (note,) = incident.alarms
        told.append((note.text_en, note.also_en))
    assert told == [
        ("30 cm", ""), ("30 cm", "rain"), ("60 cm", ""), ("60 cm", "warning"), ("pump", "warning"), ("40 cm", ""),
    ]  # fmt: skip
    acknowledged = fold(incident, event(1, "acknowledged", ORANGE))
    assert acknowledged.alarms[0].text_en == "40 cm"


def test_a_flood_ends_with_the_alarm_of_its_last_space_whatever_ails_a_device() -> None:
    incident, causes = play(
        [event(0, "raised", RED), event(1, "acknowledged", RED), event(20, "raised", YELLOW, "device/d"),
         event(25, "acknowledged", YELLOW, "device/d"), event(60, "cleared", 0)], 61
    )  # fmt: skip
    assert told(causes) == [(0, "first"), (20, "worse"), (60, "all_clear")]
    assert incident.clear_since == at(60)
    assert causes[-1].severity == RED
    said = write_end(causes[-1], Reason.ALL_CLEAR, Named("北", "North"), Style({}, ZoneInfo("UTC"), exercise=False))
    assert said.title.startswith("【解除】北（")
    assert "The alarms of spaces of this incident in North have all ended" in said.body
    assert "The devices above still fail" in said.body
    assert is_over(incident, at(90), Policy())


def test_what_ails_a_device_or_the_system_ends_without_an_all_clear() -> None:
    """`d` ends and is told; `e` ends while `d` is open once more, and is told with it, the worse one first."""
    d, e = "device/d", "system/e"
    events = [
        event(0, "raised", YELLOW, d), event(5, "cleared", 0, d), event(10, "raised", ORANGE, e),
        event(15, "raised", YELLOW, d, occurrence=2), event(16, "cleared", 0, e), event(17, "cleared", 0, d, 2),
    ]  # fmt: skip
    causes = play(events, 20)[1]
    assert told(causes) == [(0, "first"), (5, "ended"), (10, "worse"), (15, "worse"), (17, "ended")]
    assert [[note.subject for note in cause.ended] for cause in causes if cause.ended] == [[d], [e, d]]
    assert causes[-1].alarms == ()


def test_what_was_acknowledged_makes_no_message_graver() -> None:
    """Red taken at 8; a mall goes yellow at 20: told as yellow to those told before, again 30 minutes later."""
    events = [
        event(0, "raised", RED), event(8, "acknowledged", RED), event(20, "raised", YELLOW, "space/mall"),
    ]  # fmt: skip
    later = play(events, 50)[1][-2:]
    assert told(later) == [(20, "worse/worse/worse"), (50, "repeat/repeat/repeat")]
    assert [cause.severity for cause in later] == [YELLOW, YELLOW]
    assert [note.subject for note in later[0].alarms] == ["space/mall", "space/gar"]
    style = Style({}, ZoneInfo("Asia/Shanghai"), exercise=False)
    for cause in later:
        said = write(cause, cause.reasons[0], Named("北片", "North"), style)
        assert said.title.startswith("【黄色】")
        assert "· 黄色 space/mall / YELLOW space/mall\n" in said.body
        assert "· 红色 space/gar / RED space/gar（已接警 taken）\n" in said.body
