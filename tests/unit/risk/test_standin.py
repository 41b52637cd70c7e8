"""Stand-ins for blind spaces raise and never clear; what was never heard is not called normal."""

from __future__ import annotations

from typing import Any

import pytest

from risk.engine import with_site
from risk.snapshot import dump_state, load_state
from tests.unit.risk.builders import (
    START,
    Crank,
    depth_sensor,
    device,
    gauge,
    guarded,
    site,
    space,
    underpass,
)
from undercroft.site.model import Site


def newest(crank: Crank, name: str) -> Any:
    return next(e for output in reversed(crank.outputs) for e in output.assessments if e.space_id == name)


def stood_in(crank: Crank, name: str) -> dict[str, Any] | None:
    return next((reason for reason in newest(crank, name).reasons if "stands_in" in reason), None)


def a_pair() -> Crank:
    """Two garages in one basin, 111 m apart, with crests at 30 cm; ``gar`` falls silent in rain at minute 10."""
    near = guarded("met", "car_park") | {"lat": 22.501}
    crank = Crank(site(guarded("gar", "car_park"), near, underpass()))
    for minute in range(10):
        crank.tick(minute, *spoken(minute, 0.0), ("gar-out:water_depth_m", minute, 0.0))
    crank.tick(10, *spoken(10, 0.0), ("gar-out:online", 10, 0.0))
    return crank


def spoken(minute: float, met_m: float) -> list[Any]:
    rain = ("rain-1:rain_total_mm", minute, 0.5 * minute)
    return [rain, ("met-out:water_depth_m", minute, met_m), ("up-lvl:water_depth_m", minute, 0.9)]


def test_a_blind_space_names_who_stands_in_and_takes_its_water() -> None:
    crank = a_pair()
    entry = newest(crank, "gar")
    assert (entry.level, entry.blind) == (2, True)
    water, rain = entry.evidence["stand_ins"]
    assert (water["sensor"], water["depth_m"], water["distance_m"]) == ("met-out:water_depth_m", 0.0, 111)
    assert (rain["sensor"], rain["rain_10min_mm"]) == ("rain-1:rain_total_mm", 5.0)
    (blind,) = entry.reasons
    assert "stand-in Test, 111 m away: water 0 cm; rain at Test" in blind["text_en"]
    # 35 cm over the road there: 5 cm over the open crest here, orange; not the road of the underpass, 90 cm deep.
    crank.tick(11, *spoken(11, 0.35))
    assert crank.levels["gar"] == 3
    told = stood_in(crank, "gar")
    assert told is not None
    assert (told["rule"], told["severity"], told["value"], told["threshold"]) == ("outside-head", 3, 0.05, 0.0)
    assert (told["sensor"], told["stands_in"]["place"]) == ("met-out:water_depth_m", "met")
    assert "stand-in, measured at Test, 111 m away: nothing is heard here" in told["text_en"]
    assert "替代值" in told["text_zh"]


def test_an_alarm_wants_two_readings_and_a_flood_elsewhere_is_never_red_here() -> None:
    crank = a_pair()
    crank.tick(11, *spoken(11, 0.35))
    assert ("severity_up", 3) not in crank.events("space/gar")
    crank.tick(12, *spoken(12, 0.95))
    assert ("severity_up", 3) in crank.events("space/gar")
    crank.tick(13, *spoken(13, 0.95))
    assert (crank.levels["gar"], crank.levels["met"]) == (3, 4)
    assert max(severity for _, severity in crank.events("space/gar")) == 3


def test_a_stand_in_that_falls_dies_or_dries_lowers_nothing_until_the_space_speaks() -> None:
    crank = a_pair()
    crank.tick(11, *spoken(11, 0.35))
    crank.tick(12, *spoken(12, 0.35))
    for minute in range(13, 30):
        crank.tick(minute, *spoken(minute, 0.0))
    crank.tick(30, ("met-out:online", 30, 0.0))
    crank.tick(200)  # no rain in the last hour, nobody speaks
    assert crank.levels["gar"] == 3
    assert ("cleared", 0) not in crank.events("space/gar")
    state = crank.engine.state
    assert load_state(dump_state(state, crank.engine.plant.arrays), crank.engine.plant.arrays).stand_ins == (
        state.stand_ins
    )
    assert set(state.stand_ins) == {"gar"}
    for minute in range(201, 215):
        crank.tick(minute, ("rain-1:rain_total_mm", minute, 15.0), ("gar-out:water_depth_m", minute, 0.0))
    assert crank.levels["gar"] == 0
    assert crank.events("space/gar")[-1] == ("cleared", 0)


def test_a_gauge_site_stands_in_by_level_and_a_gauge_next_door_by_rain() -> None:
    street = gauge("street", "b1") | {"lat": 22.51}
    street["devices"] = [device("street", depth_sensor(zero_level_m=-1.0))]
    crank = Crank(site(guarded("gar", "car_park"), gauges=[street, gauge("rain-2", "b2")]))
    crank.tick(0, ("gar-out:water_depth_m", 0, 0.0), ("street:water_depth_m", 0, 1.2), ("rain-2:rain_total_mm", 0, 0.0))
    # No gauge of the basin was ever heard: that counts as rain. Level -1.0 + 1.2: 20 cm on the road, 10 cm freeboard.
    crank.tick(1, ("gar-out:online", 1, 0.0), ("street:water_depth_m", 1, 1.2))
    told = stood_in(crank, "gar")
    assert told is not None
    assert (told["rule"], told["severity"], told["value"]) == ("freeboard", 1, 0.1)
    for minute in range(2, 12):
        crank.tick(minute, ("rain-2:rain_total_mm", minute, 3.0 * (minute - 1)))
    told = stood_in(crank, "gar")
    assert told is not None
    assert (told["rule"], told["severity"], told["sensor"]) == ("rain-10min", 3, "rain-2:rain_total_mm")
    assert newest(crank, "gar").evidence["rain_mm"]["10"] is None


def test_what_was_never_heard_is_blind_and_its_rain_unknown() -> None:
    crank = Crank(site(underpass(), guarded("gar", "car_park"), {**underpass("bare"), "devices": []}))
    crank.tick(0, ("up-lvl:water_depth_m", 0, 0.0))
    first = {name: newest(crank, name) for name in ("up", "gar", "bare")}
    assert {name: (e.level, e.blind, e.evidence["heard"]) for name, e in first.items()} == {
        "up": (0, False, True), "gar": (0, True, False), "bare": (0, True, False),
    }  # fmt: skip
    assert first["up"].evidence["rain_mm"] == {"5": None, "10": None, "60": None}
    crank.tick(1, ("gar-out:water_depth_m", 1, 0.0), ("rain-1:rain_total_mm", 1, 0.0))
    assert (newest(crank, "gar").blind, newest(crank, "gar").evidence["rain_mm"]["60"]) == (False, 0.0)
    assert crank.events() == []


@pytest.mark.parametrize(("near_m", "expected"), [(0.0, 2), (0.35, 3)])
@pytest.mark.parametrize("imported", [False, True])
def test_a_nearer_neighbour_that_is_taken_out_counts_as_one_that_fell_silent(
    near_m: float, expected: int, imported: bool
) -> None:
    """35 cm next door, a crest of 30 cm here: orange; a dry one says nothing, gone or silent. The far one is heard."""

    def of(*, near: bool) -> Site:
        devices = [device("near-out", depth_sensor("north"))] if near else []
        far = guarded("far", "car_park") | {"lat": 22.51}
        return site(guarded("gar", "car_park"), space("near", "car_park", lat=22.501, devices=devices), far)

    crank = Crank(of(near=True), nowcast=False)
    for minute in range(60):
        if minute == 12 and imported:
            crank.engine = with_site(crank.engine, of(near=False), 2, START)
        said: list[Any] = [("rain-1:rain_total_mm", minute, 0.5 * minute), ("far-out:water_depth_m", minute, 0.0)]
        said += [("near-out:water_depth_m", minute, near_m)] if minute < 12 else []
        said += [("gar-out:water_depth_m", minute, 0.0)] if minute < 20 else []
        crank.tick(minute, *said)
    assert crank.levels["gar"] == expected
    told = stood_in(crank, "gar")
    assert (None if told is None else told["stands_in"]["place"]) == (None if expected == 2 else "near")
