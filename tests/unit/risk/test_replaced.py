"""A site import that takes out sensors takes no danger with them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from risk.engine import with_site
from tests.unit.risk.builders import START, Crank, Reading, depth_sensor, device, entrance, gauge, guarded, site, space
from undercroft.quantities import BarrierState

RAIN = "rain-1:rain_total_mm"
DEPLOYED = float(BarrierState.DEPLOYED)


def up(*devices: dict[str, Any]) -> dict[str, Any]:
    return space("up", "underpass", devices=list(devices))


def severity(crank: Crank) -> int:
    return int(crank.engine.state.alarm_severity[crank.engine.plant.arrays.space_index["up"]])


def reimported(*devices: dict[str, Any]) -> Crank:
    """Half a metre on the road, red; then a site version with other devices."""
    crank = Crank(site(up(device("old", depth_sensor()), device("beside", depth_sensor("north")))), nowcast=False)
    for minute in range(4):
        crank.tick(minute, ("old:water_depth_m", minute, 0.5), (RAIN, minute, 0.0))
    assert (crank.levels["up"], severity(crank)) == (4, 4)
    after = START + timedelta(minutes=4)
    crank.engine = with_site(crank.engine, site(up(*devices)), 2, after)
    return crank


def run(crank: Crank, minutes: range, *keys: str) -> None:
    for minute in minutes:
        readings: list[Reading] = [(key, minute, 0.0) for key in keys]
        crank.tick(minute, *readings, (RAIN, minute, 0.0))


def test_red_stands_until_a_sensor_in_its_place_says_otherwise() -> None:
    crank = reimported(device("new", depth_sensor()))
    run(crank, range(4, 40))
    assert (crank.levels["up"], severity(crank)) == (4, 4), "not one reading"
    reason = next(entry for entry in reversed(crank.outputs) if entry.assessments).assessments[0].reasons[0]
    assert (reason["rule"], reason["value"], reason["sensor"]) == ("inside-depth", 0.5, "old:water_depth_m")
    assert "no longer has" in reason["text_en"]
    run(crank, range(40, 60), "new:water_depth_m")
    assert (crank.levels["up"], severity(crank)) == (0, 0)


def test_a_gauge_that_is_replaced_keeps_its_rain() -> None:
    """30 mm in 10 minutes: orange. The new counter begins at 0, which is no reset of the old one."""
    places = [guarded("up", "car_park")]
    crank = Crank(site(*places), nowcast=False)
    for minute in range(12):
        crank.tick(minute, (RAIN, minute, 100.0 + 3.0 * minute), ("up-out:water_depth_m", minute, 0.0))
    assert crank.levels["up"] == 3
    new = gauge("rain-1")
    new["devices"] = [device("tipper", {"quantity": "rain_total_mm"})]
    crank.engine = with_site(crank.engine, site(*places, gauges=[new]), 2, START + timedelta(minutes=12))
    crank.tick(12, ("up-out:water_depth_m", 12, 0.0))
    assert crank.levels["up"] == 3
    assert crank.engine.state.acc_mm[0, 1] == pytest.approx(30.0)
    crank.tick(17, ("tipper:rain_total_mm", 17, 7000.0))
    assert crank.engine.state.acc_mm[0, 1] == pytest.approx(12.0), "of the ten minutes, four saw 3 mm each"


def test_blindness_does_not_end_with_the_rain() -> None:
    """The road's sensor dies in rain, and the rain ends: nobody knows what it left, until the sensor speaks."""
    crank = Crank(site(up(device("old", depth_sensor()))), nowcast=False)
    for minute in range(0, 150, 5):
        readings: list[Reading] = [("old:water_depth_m", minute, 0.0)] if minute < 15 else []
        crank.tick(minute, *readings, (RAIN, minute, 1.0 * min(minute, 40)))
    assert (crank.levels["up"], severity(crank)) == (2, 2)
    run(crank, range(150, 165), "old:water_depth_m")
    assert (crank.levels["up"], severity(crank)) == (0, 0)


def test_a_device_that_moves_to_another_space_leaves_its_word_where_it_was_said() -> None:
    level = device("level", depth_sensor())
    crank = Crank(site(up(level), space("next", "underpass")), nowcast=False)
    run(crank, range(1))
    for minute in range(1, 5):
        crank.tick(minute, ("level:water_depth_m", minute, 0.5), (RAIN, minute, 0.0))
    crank.engine = with_site(crank.engine, site(up(), space("next", "underpass", devices=[level])), 2, START)
    run(crank, range(5, 25))
    assert (crank.levels["up"], severity(crank)) == (4, 4), "nobody said that the road is dry"
    assert crank.events("space/next") == []
    assert crank.levels["next"] == 0, "what it said was not said of this road"
    run(crank, range(25, 27), "level:water_depth_m")
    assert (crank.levels["up"], severity(crank)) == (4, 4), "it speaks of the other road now"


def test_a_switch_that_moves_closes_no_barrier_before_it_speaks_there() -> None:
    """35 cm at a crest of 30 cm behind a barrier that nobody hears of: red, whatever the switch said of the other."""
    north, south = ({**entrance(name), "barrier": {"height_m": 0.6, "deploy_min": 10.0}} for name in ("north", "south"))

    def of(watched: str) -> dict[str, Any]:
        switch = device("switch", {"quantity": "barrier_state", "entrance": watched})
        return space("up", "car_park", entrances=[north, south], devices=[device("out", depth_sensor("south")), switch])

    crank = Crank(site(of("north")), nowcast=False)
    for minute in range(3):
        crank.tick(minute, ("out:water_depth_m", minute, 0.35), ("switch:barrier_state", minute, DEPLOYED))
    assert crank.levels["up"] == 4
    crank.engine = with_site(crank.engine, site(of("south")), 2, START)
    for minute in range(3, 6):
        crank.tick(minute, ("out:water_depth_m", minute, 0.35))
    assert crank.levels["up"] == 4
    for minute in range(6, 12):
        crank.tick(minute, ("out:water_depth_m", minute, 0.35), ("switch:barrier_state", minute, DEPLOYED))
    assert crank.levels["up"] < 4, "now it is heard there"
