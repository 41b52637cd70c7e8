"""Alarm states, one character a minute.

Readings of an underpass: ``R`` 30 cm, ``^`` 16 cm, ``Y`` 11 cm, ``_`` 0 cm, ``?`` a suspect 0 cm, ``!`` a suspect
30 cm, ``x`` a failed reading, a space for silence. Alarms: ``.`` none, ``y`` yellow, ``o`` orange, ``r`` red.
"""

from __future__ import annotations

import pytest

from tests.unit.risk.builders import Crank, Reading, gauge, site, underpass

READING = {
    "R": (0.30, 1), "^": (0.16, 1), "Y": (0.11, 1), "_": (0.0, 1), "?": (0.0, 3), "!": (0.30, 3), "x": (0.0, 4),
}  # fmt: skip
SHOWN = ".?yor"

QUIET = [
    {"rule": rule, "severity": severity, "value": 9999.0, "unit": unit, "source": "test"}
    for rule, severity, unit in (
        ("rise-rate", "yellow", "m/min"), ("rise-rate", "orange", "m/min"), ("blind", "yellow", "intervals"),
    )
] + [
    {"rule": rule, "severity": severity, "value": -1.0, "unit": "min", "source": "test"}
    for rule, severity in (("time-to-orange", "yellow"), ("time-to-red", "orange"))
]  # fmt: skip
ONLY_DEPTH = [{"id": "quiet", "author": "t", "source": "t", "valid_from": "2020-01-01T00:00:00Z", "rows": QUIET}]


def play(marks: str) -> tuple[str, Crank]:
    """Return the alarm's severity after each minute, with only the depth rules in force."""
    crank = Crank(site(underpass(), gauges=[gauge()], threshold_set=ONLY_DEPTH))
    shown = []
    for minute, mark in enumerate(marks):
        readings: list[Reading] = [("rain-1:rain_total_mm", minute, 0.0)]
        if mark != " ":
            readings.append(("up-lvl:water_depth_m", minute, *READING[mark]))
        crank.tick(minute, *readings)
        shown.append(SHOWN[int(crank.engine.state.alarm_severity[0])])
    return "".join(shown), crank


@pytest.mark.parametrize(
    ("marks", "alarms"),
    [
        # On-delay: two of three samples for yellow and orange, one for red.
        ("__^_____", "........"),
        ("__^^____", "...ooooo"),
        ("__^_^___", "....oooo"),
        ("__^__^__", "........"),
        ("YY______", ".yyyyyyy"),
        # 0 to 11 cm within a minute would cross orange before the next sample: one is enough.
        ("__Y_____", "..yyyyyy"),
        ("__R_____", "..rrrrrr"),
        ("R", "r"),
        # A suspect reading may raise.
        ("__!_____", "..rrrrrr"),
        ("__xxxx__", "........"),
        # Off-delay: ten minutes below, and three good samples.
        ("^^___________", "." + "o" * 11 + "."),
        ("R__________ ", "rrrrrrrrrrrr"),
        ("R__________ _", "rrrrrrrrrrrr."),
        ("R___________", "rrrrrrrrrrr."),
        # Silence longer than stale, suspect and failed readings never clear; the ten minutes start again.
        ("R" + " " * 60, "r" * 61),
        ("R" + "?" * 60, "r" * 61),
        ("R" + "x" * 60, "r" * 61),
        ("R_____?___________", "r" * 17 + "."),
        ("R_____x___________", "r" * 17 + "."),
        ("R_________?__", "r" * 13),
        # Stepping down, one level at a time, ten minutes each.
        ("R" + "^" * 11 + "_" * 12, "r" * 11 + "o" * 11 + ".."),
        # Falling back up restarts the off-delay.
        ("R_____R__________", "r" * 17),
    ],
)
def test_marks(marks: str, alarms: str) -> None:
    assert play(marks)[0] == alarms


def test_deadband_holds_within_three_centimetres() -> None:
    crank = Crank(site(underpass(), gauges=[gauge()], threshold_set=ONLY_DEPTH))
    for minute, depth in enumerate([0.16, 0.16] + [0.121] * 30 + [0.119] * 12):
        crank.tick(minute, ("up-lvl:water_depth_m", minute, depth))
        if minute == 31:
            assert crank.engine.state.alarm_severity[0] == 3
    assert crank.engine.state.alarm_severity[0] == 2


def test_one_sample_is_enough_when_the_next_would_cross_the_next_level() -> None:
    # Orange at 26 cm, rising 4 cm/min: red (27 cm) before the second sample.
    crank = Crank(site(underpass(), gauges=[gauge()], threshold_set=ONLY_DEPTH))
    crank.tick(0, ("up-lvl:water_depth_m", 0, 0.0))
    crank.tick(1, ("up-lvl:water_depth_m", 1, 0.04))
    crank.tick(2, ("up-lvl:water_depth_m", 2, 0.16))
    assert crank.engine.state.alarm_severity[0] in (0, 2)
    crank.tick(3, ("up-lvl:water_depth_m", 3, 0.26))
    assert crank.engine.state.alarm_severity[0] == 3


def test_two_samples_in_one_tick_count_as_two() -> None:
    crank = Crank(site(underpass(), threshold_set=ONLY_DEPTH))
    crank.tick(0, ("up-lvl:water_depth_m", 0, 0.0))
    crank.tick(
        1, ("up-lvl:water_depth_m", 0.1, 0.16), ("up-lvl:water_depth_m", 0.6, 0.15), ("up-lvl:water_depth_m", 0.9, 0.0)
    )
    assert crank.events("space/up") == [("raised", 3)]
    reason = crank.outputs[-1].events[0].reasons[0]
    assert (reason["value"], reason["observed_at"]) == (0.15, "2026-07-01T08:00:36Z")


def test_a_red_sample_followed_by_a_low_one_in_the_same_tick_is_red() -> None:
    crank = Crank(site(underpass()))
    crank.tick(1, ("up-lvl:water_depth_m", 0.2, 0.30), ("up-lvl:water_depth_m", 0.9, 0.0))
    assert crank.events("space/up") == [("raised", 4)]
    assert crank.outputs[-1].events[0].reasons[0]["value"] == 0.3


def test_events_and_occurrences() -> None:
    marks = "^^R" + "_" * 12 + "^^"
    shown, crank = play(marks)
    assert shown[-1] == "o"
    assert crank.events() == [("raised", 3), ("severity_up", 4), ("cleared", 0), ("raised", 3)]
    events = [event for output in crank.outputs for event in output.events]
    assert [event.event_no for event in events] == [1, 2, 3, 4]
    assert [event.occurrence for event in events] == [1, 1, 1, 2]
    assert events[2].detail == {"peak_severity": 4, "lasted_s": 12 * 60}


def test_new_family_is_told_again() -> None:
    """2.5 mm a minute: 12.5 mm in 5 min, yellow, before it is 19 mm in 10."""
    crank = Crank(site(underpass()))
    for minute in range(12):
        depth = 0.16 if minute else 0.0
        crank.tick(minute, ("up-lvl:water_depth_m", minute, depth), ("rain-1:rain_total_mm", minute, 2.5 * minute))
    added = [e for o in crank.outputs for e in o.events if e.kind == "reason_added"]
    assert "rain-5min" in {reason["rule"] for event in added for reason in event.reasons}


def test_blue_is_a_notice_not_an_alarm() -> None:
    crank = Crank(site(underpass(), threshold_set=ONLY_DEPTH))
    for minute in range(5):
        crank.tick(minute, ("up-lvl:water_depth_m", minute, 0.06))
    assert crank.levels["up"] == 1
    assert crank.events() == []
