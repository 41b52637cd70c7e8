"""A clock that was ahead and is set right: the engine goes on as if it had never been."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.risk.builders import Crank, Reading, guarded, site, underpass
from undercroft.site.model import Site

UP, OUT, IN, GATE, RAIN = (
    "up-lvl:water_depth_m", "s-out:water_depth_m", "s-in:water_depth_m", "s-out:barrier_state", "rain-1:rain_total_mm",
)  # fmt: skip
LONGEST_FRESH_MIN = 30
"""After three dry intervals without a word no sensor of the site is fresh, and nothing clears. [min]"""
depths = st.sampled_from([0.0, 0.03, 0.08, 0.12, 0.16, 0.22, 0.28, 0.35, 0.5])
minutes_of_feed = st.lists(
    st.tuples(depths, depths, st.sampled_from([0.0, 3.0]), st.sampled_from([0.0, 0.3, 2.0]), st.booleans()),
    min_size=4,
    max_size=30,
)
"""Per run of three minutes: depth of the underpass, before the car park, its barrier, rain a minute, heard or not."""


def a_site() -> Site:
    return site(underpass(), guarded("s", "car_park"))


def feed(runs: list[tuple[float, float, float, float, bool]]) -> list[list[Reading]]:
    """Readings by minute, each at half a minute before its tick."""
    found: list[list[Reading]] = []
    total_mm = 0.0
    for up, out, gate, rain, heard in runs:
        for _ in range(3):
            at = len(found) + 0.5
            total_mm += rain
            spoken: list[Reading] = [(UP, at, up), (OUT, at, out), (IN, at, 0.0), (GATE, at, gate)]
            found.append([*(spoken if heard else []), (RAIN, at, total_mm)])
    return found


def view(crank: Crank) -> tuple[object, ...]:
    """What the engine answers at the newest tick, whether it is written or not."""
    state = crank.engine.state
    return (
        *(np.nan_to_num(values, nan=-9.0).round(9).tolist() for values in (state.held, state.rate, state.acc_mm)),
        *(values.tolist() for values in (state.good_us, state.order_us, state.spacing_us)),
    )  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(runs=minutes_of_feed, at=st.integers(1, 60), ahead_min=st.sampled_from([2, 7, 35, 480, 1440, 525_600]))
def test_a_tick_while_the_clock_was_ahead_changes_no_answer_but_alarms_that_it_raised(
    runs: list[tuple[float, float, float, float, bool]], at: int, ahead_min: int
) -> None:
    readings = feed(runs)
    at = min(at, len(readings) - 1)
    never, was = Crank(a_site(), nowcast=False), Crank(a_site(), nowcast=False)
    for minute, spoken in enumerate(readings):
        if minute == at:
            was.tick(minute + ahead_min)
        never.tick(minute + 1, *spoken)
        was.tick(minute + 1, *spoken)
        assert view(was) == view(never), f"minute {minute}"
        blind = was.engine.state.blind, never.engine.state.blind
        assert (blind[0] >= blind[1]).all()  # a space that is silent stays blind until it is heard
        for row, space in enumerate(never.engine.plant.arrays.spaces):
            levels = was.levels.get(space.id, 0), never.levels.get(space.id, 0)
            assert levels[0] == levels[1] or (levels[0] > levels[1] and blind[0][row] > blind[1][row]), (
                f"minute {minute}"
            )
        if ahead_min > LONGEST_FRESH_MIN:  # by less, sensors count as fresh at the wrong tick, and an off-delay may end
            assert (was.engine.state.alarm_severity >= never.engine.state.alarm_severity).all()
    for minute in range(len(readings), len(readings) + 25):  # dry again, and the off-delay over
        dry: list[Reading] = [(key, minute + 0.5, 0.0) for key in (UP, OUT, IN)]
        spoken = [*dry, (GATE, minute + 0.5, 3.0), (RAIN, minute + 0.5, readings[-1][-1][2])]
        never.tick(minute + 1, *spoken)
        was.tick(minute + 1, *spoken)
    assert was.levels == never.levels
    assert (was.engine.state.blind == never.engine.state.blind).all()
    assert (was.engine.state.alarm_severity == never.engine.state.alarm_severity).all()
