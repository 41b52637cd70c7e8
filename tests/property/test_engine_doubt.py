"""What is doubtful, failed or not heard never says that all is well: for every kind of sensor, and all of them at once.

Two feeds are compared minute by minute. Their ensembles are left out: a nowcast only ever adds to a level
(`test_engine_nowcast.py`), and by how much is a matter of calibration.
"""

from __future__ import annotations

from datetime import timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from risk.arrays import to_us
from risk.warnings import Act
from tests.unit.risk.builders import START, Crank, Reading, gauge, guarded, site, underpass
from undercroft.site.model import Site

UP, OUT, IN, GATE = "up-lvl:water_depth_m", "s-out:water_depth_m", "s-in:water_depth_m", "s-out:barrier_state"
PUMP, POWER, BEACON = "s-in:pump_running", "s-in:mains_power", "s-out:online"
FLOAT = "s-in:float_lifted"
RAIN, DEPTH, INTENSITY = "rain-1:rain_total_mm", "rain-2:rain_depth_mm", "rain-3:rain_intensity_mm_h"

VALUES: dict[str, list[float]] = {
    UP: [0.0, 0.04, 0.12, 0.16, 0.3],
    OUT: [0.0, 0.04, 0.2, 0.27, 0.35],
    IN: [0.0, 0.03, 0.06, 0.16],
    GATE: [0.0, 3.0, 3.0, 6.0],
    PUMP: [0.0, 1.0],
    POWER: [0.0, 1.0],
    BEACON: [1.0, 0.0],
    RAIN: [0.0, 1.0, 4.0, 12.0],
    DEPTH: [0.0, 1.0, 12.0],
    INTENSITY: [0.0, 30.0, 200.0],
    FLOAT: [0.0, 1.0],
}
"""What each sensor may say; of a counter, by how much it rose."""

REPORT = {"entrance": "north", "barrier": "deployed", "by": "wang"}


def a_site() -> Site:
    place = guarded("s", "car_park", pump=True)
    place["devices"][1]["sensors"] += [{"quantity": "mains_power"}, {"quantity": "float_lifted", "zero_level_m": -3.95}]
    rains = [gauge(), gauge("rain-2"), gauge("rain-3")]
    for one, quantity in zip(rains[1:], ("rain_depth_mm", "rain_intensity_mm_h"), strict=True):
        one["devices"][0]["sensors"] = [{"quantity": quantity}]
    return site(underpass(), place, gauges=rains)


SITE = a_site()

Minute = dict[str, float]
picks = st.tuples(*[st.integers(0, len(values)) for values in VALUES.values()])
"""Which of its values each sensor says; none for the last."""
feeds = st.lists(st.tuples(picks, st.integers(1, 6), st.sampled_from([0.0, 0.012, 0.035])), min_size=1, max_size=4)
"""Runs: what is said, for how many minutes, and by how much the water rises each minute."""
doubts = st.lists(
    st.tuples(
        st.integers(0, 20),
        st.sampled_from(sorted(VALUES)),
        st.integers(0, 11),
        st.sampled_from([2, 3, 4, 9]),
        st.sampled_from([0.0, -0.5, 60.0]),
    ),
    min_size=1,
    max_size=3,
)
"""Minute, sensor, value, quality, and by how many minutes its clock is off."""
reports = st.sampled_from([None, 0])
"""The minute at which a person says that the barrier is deployed."""
Run = tuple[tuple[int, ...], int, float]


def minutes_of(runs: list[Run], without: str = "") -> list[Minute]:
    minutes: list[Minute] = []
    counter = 0.0
    for chosen, length, rise in runs:
        for number in range(length):
            minute = {
                key: values[pick] + (number * rise if key in {UP, OUT, IN} else 0.0)
                for (key, values), pick in zip(VALUES.items(), chosen, strict=True)
                if pick < len(values) and key != without
            }
            if RAIN in minute:
                counter += minute[RAIN]
                minute[RAIN] = counter
            minutes.append(minute)
    return minutes


def played(feed: list[list[Reading]], report: int | None, start: int = 99) -> list[tuple[int, ...]]:
    """Return levels and alarm severities after each minute; from ``start`` on, after each five minutes."""
    crank = Crank(SITE, nowcast=False)
    shown = []
    for number, readings in enumerate(feed):
        minute = number + 4 * max(0, number - start)
        acts: tuple[Act, ...] = ()
        if minute == report:
            acts = (Act(1, "field_report", "space/s", "desk", to_us(START + timedelta(minutes=minute)), REPORT),)
        crank.tick(minute, *readings, acts=acts)
        levels = crank.levels
        shown.append((levels["s"], levels["up"], *crank.engine.state.alarm_severity.tolist()))
    return shown


def good(minutes: list[Minute], start: int = 99) -> list[list[Reading]]:
    return [
        [(key, at + 4 * max(0, at - start), value) for key, value in minute.items()]
        for at, minute in enumerate(minutes)
    ]


def picked(**said: float) -> tuple[int, ...]:
    """Return the picks of a run in which some sensors say what is named, and the others nothing."""
    names = {"up": UP, "out": OUT, "inside": IN, "gate": GATE, "online": BEACON, "rain": RAIN}
    names["float"] = FLOAT
    named = {names[name]: value for name, value in said.items()}
    return tuple(len(values) if named.get(key) is None else values.index(named[key]) for key, values in VALUES.items())


@settings(max_examples=30, deadline=None)
@given(runs=feeds, added=doubts, report=reports, alone=st.booleans())
@example(runs=[(picked(out=0.35), 5, 0.0)], added=[(2, GATE, 1, 3, 0.0)], report=None, alone=False)
@example(runs=[(picked(out=0.04), 6, 0.035)], added=[(0, OUT, 4, 3, -0.5)], report=None, alone=False)
@example(  # two of three samples at orange, and a doubtful one among them: it takes no place
    runs=[(picked(up=0.16), 1, 0.0), (picked(up=0.12), 1, 0.0), (picked(up=0.16), 1, 0.0)],
    added=[(2, UP, 0, 3, -0.5)],
    report=None,
    alone=False,
)
@example(
    runs=[(picked(float=1.0), 2, 0.0), (picked(up=0.0), 2, 0.0)],
    added=[(2, FLOAT, 0, 3, 0.0)],
    report=None,
    alone=False,
)
@example(
    runs=[(picked(out=0.35, gate=3.0), 3, 0.0), (picked(out=0.35, online=0.0), 3, 0.0)],
    added=[(5, BEACON, 0, 3, 0.0)],
    report=None,
    alone=False,
)
def test_readings_that_are_not_good_never_lower_a_level_nor_an_alarm(
    runs: list[Run], added: list[tuple[int, str, int, int, float]], report: int | None, alone: bool
) -> None:
    """A feed of good readings, and the same with others among them: before, beside, after, at one instant.

    ``alone``: the first of these is all that is heard of its sensor.
    """
    minutes = minutes_of(runs, added[0][1] if alone else "")
    without, among = good(minutes), good(minutes)
    for minute, key, pick, quality, off in added:
        at = minute % len(minutes)
        value = VALUES[key][pick % len(VALUES[key])] + (minutes[at].get(RAIN, 0.0) if key == RAIN else 0.0)
        among[at].append((key, at + off, value, quality))
    for at, (plain, doubted) in enumerate(zip(played(without, report), played(among, report), strict=True)):
        assert all(b >= a for a, b in zip(plain, doubted, strict=True)), f"minute {at}: {plain} to {doubted}"


_NEIGHBOUR_FALLS_SILENT: list[Run] = [
    ((5, 0, 0, 0, 0, 0, 0, rain, 0, 0, 2), length, 0.0) if dry else ((5, 2, 0, 0, 0, 0, 0, rain, 0, 0, 2), length, 0.0)
    for dry, rain, length in ((True, 0, 1), (True, 3, 3), (False, 0, 3))
]
"""The road is blind and the street next to it wet: what stands in says no second word."""


@settings(max_examples=20, deadline=None)
@given(runs=feeds, silent=st.sets(st.sampled_from(sorted(set(VALUES) - {BEACON})), min_size=1), report=reports)
@example(runs=[(picked(out=0.35, gate=0.0), 6, 0.0)], silent={GATE}, report=3)
@example(runs=[(picked(up=0.0, rain=4.0), 5, 0.0)], silent={UP}, report=None)
@example(runs=[(picked(float=1.0, rain=4.0), 5, 0.0)], silent={FLOAT}, report=None)
@example(runs=_NEIGHBOUR_FALLS_SILENT, silent={OUT, RAIN}, report=None)
def test_silence_is_never_better_than_no_news(runs: list[Run], silent: set[str], report: int | None) -> None:
    """From a minute on all sensors say what they said last; some of them, or all, say nothing instead."""
    minutes = minutes_of(runs)
    last: Minute = {}
    for minute in minutes:
        last |= minute
    last |= {key: 0.0 for key in (INTENSITY, DEPTH) if key in last}
    last.pop(BEACON, None)  # the broker does not say again that a device is offline
    minutes += [last] * 7  # a rate is settled: one more equal sample may make a line steeper
    start = len(minutes)
    after = [last] * 15
    kept = [{key: value for key, value in last.items() if key not in silent}] * 15
    plain, quiet = (played(good(minutes + more, start), report, start) for more in (after, kept))
    stood = quiet[start - 1]
    for at in range(start, len(plain)):
        assert all(b >= a for a, b in zip(plain[at][:2], quiet[at][:2], strict=True)), f"level at {at}"
        for before, spoke, fell in zip(stood[2:], plain[at][2:], quiet[at][2:], strict=True):
            assert fell >= min(before, spoke), f"alarm at {at}"
        if silent >= set(last):
            assert all(b >= a for a, b in zip(quiet[at - 1], quiet[at], strict=True)), f"all silent, at {at}"
