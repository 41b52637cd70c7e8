"""A barrier is needed where a person, or a float switch, tells of water at it, just as where a gauge measures it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.risk.builders import Crank, Reading, depth_sensor, device, entrance, site, space
from tests.unit.risk.test_reports import report

SWITCH = "s-out:barrier_state"
LIFTED = "s-out:float_lifted"


def cranked(depth_m: float, how: str, state: float = 0.0) -> Crank:
    """Turn five minutes with water at the north entrance (crest 30 cm, barrier 60 cm), told in one of three ways."""
    lifts = {"quantity": "float_lifted", "entrance": "north", "zero_level_m": depth_m}
    sensors: list[dict[str, Any]] = [{"quantity": "barrier_state", "entrance": "north"}]
    sensors += {"measured": [depth_sensor("north")], "float": [lifts]}.get(how, [])
    door = entrance(barrier={"height_m": 0.6, "deploy_min": 10.0})
    crank = Crank(site(space("s", "car_park", entrances=[door], devices=[device("s-out", *sensors)])))
    for minute in range(5):
        said: list[Reading] = [(SWITCH, minute, state)]
        said += [("s-out:water_depth_m", minute, depth_m)] if how == "measured" else []
        said += [(LIFTED, minute, 1.0)] if how == "float" else []
        seen = (report(1, "s", 0, entrance="north", depth_m=depth_m),) if how == "report" and minute == 0 else ()
        crank.tick(minute, *said, acts=seen)
    return crank


@pytest.mark.parametrize("how", ["measured", "report", "float"])
@pytest.mark.parametrize(("depth_m", "level"), [(0.5, 4), (0.26, 3), (0.16, 2), (0.1, 0)])
def test_a_barrier_that_is_needed_and_open_is_one_up_however_the_water_is_known(
    how: str, depth_m: float, level: int
) -> None:
    """50 cm: over an open crest, orange, one up; 26 cm: 4 cm to it, yellow, one up; 16 cm: 14 cm, at least yellow."""
    crank = cranked(depth_m, how)
    assert crank.levels["s"] == level
    found = {r["rule"]: r for o in crank.outputs for a in o.assessments for r in a.reasons}
    assert ("barrier-not-deployed" in found) == (level > 0)
    if level:
        assert found["barrier-not-deployed"]["value"] == pytest.approx(0.3 - depth_m)
        source = {"measured": "s-out:water_depth_m", "report": "report:Li", "float": LIFTED}[how]
        assert found["barrier-not-deployed"]["sensor"] == source
        assert ("reported by Li" in found["barrier-not-deployed"]["text_en"]) == (how == "report")


@pytest.mark.parametrize("how", ["report", "float"])
def test_a_barrier_that_is_deployed_is_not_needed(how: str) -> None:
    crank = cranked(0.5, how, state=3.0)
    assert not any(r["rule"] == "barrier-not-deployed" for o in crank.outputs for a in o.assessments for r in a.reasons)
