"""Where nothing measures outside, the rise inside has in it what pumps lift already: it is not taken off once more."""

from __future__ import annotations

from typing import Any

import pytest

from risk.engine import question
from tests.unit.risk.builders import Crank, device, site, underpass

PUMP = {"id": "p1", "capacity_m3_s": 0.3, "on_depth_m": 0.08, "off_depth_m": 0.04}
"""18 m³ a minute: 9 mm on 2000 m²."""


def road(first_m: float, *, pump: bool, says: float | None = None, rise_m: float = 0.004) -> Any:
    """Return what is asked of a road that rises steadily for five minutes, told by its own water alone."""
    extra: dict[str, Any] = {"pumps": [PUMP]} if pump else {}
    place = underpass(**extra)
    if says is not None:
        place["devices"].append(device("pump", {"quantity": "pump_running"}))
    crank = Crank(site(place))
    for minute in range(6):
        words = [("pump:pump_running", minute, says)] if says is not None else []
        crank.tick(minute, ("up-lvl:water_depth_m", minute, first_m + rise_m * minute), *words)
    crank.tick(6)
    return crank, crank.outputs[-1], crank.engine.state.ahead_min[0].tolist()


@pytest.mark.parametrize("first_m", [0.05, 0.09])
def test_a_pump_of_which_nobody_speaks_lifts_no_more_than_the_rise_has_in_it(first_m: float) -> None:
    """From 11 cm at 4 mm/min, 15 cm is 10 min away, with a pump as without one; taken off again, never reached.

    By hand: 4 mm/min on 2000 m² is 8 m³ a minute, whatever runs: 80 m³ are missing to 15 cm.
    """
    with_it, without = road(first_m, pump=True)[2], road(first_m, pump=False)[2]
    assert with_it == without
    crank = road(0.09, pump=True)[0]
    assert question(crank.engine).now.unseen_m3_min.tolist() == pytest.approx([8.0], abs=0.2)


def test_a_pump_that_is_said_to_run_is_added_to_what_comes_in_and_taken_out_again() -> None:
    """8 m³ of rise and 18 m³ lifted: 26 m³ a minute come in; where the pump fails the road fills sooner."""
    crank, _, times = road(0.09, pump=True, says=1.0)
    asked = question(crank.engine)
    assert asked.now.unseen_m3_min.tolist() == pytest.approx([26.0], abs=0.2)
    assert asked.layout.pump_m3_s.tolist() == [[0.3]]
    assert times[0][0] < road(0.09, pump=False)[2][0][0]


@pytest.mark.parametrize("first_m", [0.05, 0.09])
def test_a_pump_that_stands_lifts_nothing_from_where_it_may_have_stopped(first_m: float) -> None:
    assert road(first_m, pump=True, says=0.0)[2] == road(first_m, pump=False)[2]


def test_below_its_off_depth_a_pump_is_taken_to_start_when_the_water_is_there() -> None:
    crank = road(0.021, pump=True, rise_m=0.003)[0]
    assert question(crank.engine).layout.pump_m3_s.tolist() == [[0.3]]
