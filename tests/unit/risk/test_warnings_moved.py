"""A site import takes no rain warning back, whatever becomes of the basin or the street that it names."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from risk.arrays import to_us
from risk.engine import Engine, plant_of, with_site
from risk.snapshot import dump_state, load_state
from risk.warnings import Act
from tests.unit.risk.builders import NAMES, START, Crank, gauge, site, underpass
from undercroft.site.model import Site

BASINS = [{"id": name, **NAMES} for name in ("b1", "b2", "b9")]


def warned(of: Site, **area: Any) -> Crank:
    crank = Crank(of, nowcast=False)
    body = {"colour": "red", "state": "in_force", **area}
    crank.tick(0, acts=(Act(1, "rain_warning", "warning/1", "Sun", to_us(START), body),))
    return crank


def imported(crank: Crank, of: Site, number: int = 2) -> dict[str, int]:
    """Take another version of the site, and a restart after it; then half an hour in which the road is heard dry."""
    crank.engine = with_site(crank.engine, of, number, START + timedelta(minutes=len(crank.outputs)))
    data, plant = dump_state(crank.engine.state, crank.engine.plant.arrays), plant_of(of, START)
    crank.engine = Engine(load_state(data, plant.arrays), plant)
    for minute in range(len(crank.outputs), len(crank.outputs) + 30):
        crank.tick(minute, ("up-lvl:water_depth_m", minute, 0.0))
    return crank.levels


@pytest.mark.parametrize(
    ("area", "moved"),
    [
        ({"basins": ["b1"]}, {"basin": "b9"}),
        ({"streets": ["Futian"]}, {"street": "Xiangmihu"}),
        ({"basins": ["b2"], "streets": ["Futian"]}, {"street": "Xiangmihu"}),
    ],
)
def test_a_warning_of_what_is_gone_covers_the_district(area: dict[str, Any], moved: dict[str, str]) -> None:
    elsewhere = {**gauge(), **moved}
    crank = warned(site(underpass(), gauges=[gauge()]), **area)
    assert crank.levels["up"] == 3
    basins = [entry for entry in BASINS if entry["id"] != "b1"]
    places = [underpass(**moved), underpass("other", **{"basin": "b2", "street": "Meilin"} | moved)]
    levels = imported(crank, site(*places, gauges=[elsewhere], basin=basins))
    assert levels == {"up": 3, "other": 3}
    assert int(crank.engine.state.alarm_severity[crank.engine.plant.arrays.space_index["up"]]) == 3
    ended = Act(9, "rain_warning", "warning/1", "Sun", to_us(START + timedelta(hours=1)), {"state": "ended"})
    crank.tick(60, ("up-lvl:water_depth_m", 60, 0.0), acts=(ended,))
    assert crank.levels["up"] == 0


def test_a_space_that_moves_out_of_a_warned_basin_stays_warned_and_others_there_do_not_begin_to_be() -> None:
    """The area is there still: what is covered is what was covered, and what the warning names."""
    crank = warned(site(underpass(), underpass("near", basin="b2"), basin=BASINS), basins=["b1"])
    assert crank.levels == {"up": 3, "near": 0}
    moved = site(underpass(basin="b2"), underpass("near", basin="b2"), gauges=[gauge()], basin=BASINS)
    assert imported(crank, moved) == {"up": 3, "near": 0}
    assert imported(crank, site(underpass(basin="b9"), underpass("near", basin="b1"), basin=BASINS), 3) == {
        "up": 3, "near": 3,
    }  # fmt: skip
