"""Only who came in the place of a sensor that an import took out may lay its word down: never one beside it."""

from __future__ import annotations

from typing import Any

import pytest

from risk.sensors import sensors_of
from risk.spots import same_spot
from tests.unit.risk.builders import depth_sensor, device, site, space
from tests.unit.risk.test_left import Place, at
from undercroft.quantities import BarrierState
from undercroft.site.model import Site


def of(kind: str, *devices: dict[str, Any]) -> Site:
    return site(space("gar", kind, devices=list(devices)))


def inside(*names: str, kind: str = "underpass") -> Site:
    return of(kind, *(device(name, depth_sensor()) for name in names))


@pytest.mark.parametrize("kind", ["underpass", "car_park"])
def test_a_dry_spot_of_the_same_space_lays_nothing_down(kind: str) -> None:
    """0.6 m at the low point, the portal dry all along; the low point's device gets another name and is not heard."""
    place = Place(inside("low", "portal", kind=kind))
    assert place.go(8, low=0.6, portal=0.0) == (4, 4)
    place.take(inside("low2", "portal", kind=kind))
    assert place.go(40, portal=0.0) == (4, 4)
    assert place.go(20, portal=0.0, low2=0.0) == (0, 0), "who came in its place"
    assert not place.engine.plant.arrays.left


def test_what_comes_back_speaks_for_itself() -> None:
    place = Place(inside("low", "portal"))
    place.go(8, low=0.6, portal=0.0)
    place.take(inside("portal"))
    assert place.go(30, portal=0.0) == (4, 4)
    place.take(inside("low", "portal"))
    assert place.go(5, portal=0.0) == (4, 4)
    assert place.go(20, low=0.0, portal=0.0) == (0, 0)


def test_an_officer_ends_what_nobody_came_for() -> None:
    place = Place(inside("low", "portal"))
    place.go(8, low=0.6, portal=0.0)
    place.take(inside("portal"))
    assert place.go(30, portal=0.0) == (4, 4)
    place.go(1, (at(38, "stand_down", 1, evidence="pumped out, photo 3"),), portal=0.0)
    assert place.go(20, portal=0.0) == (0, 0)


def test_who_comes_may_have_come_for_a_dry_neighbour_that_was_taken_out_before() -> None:
    """The portal goes in one import, the low point in the next, in which another comes: for whom, nobody can tell."""
    place = Place(inside("low", "portal"))
    assert place.go(8, low=0.6, portal=0.0) == (4, 4)
    place.take(inside("low"))
    assert place.go(3, low=0.6) == (4, 4)
    place.take(inside("portal2"))
    assert place.go(30, portal2=0.0) == (4, 4)
    place.take(inside("portal2", "low2"))
    assert place.go(30, portal2=0.0, low2=0.0) == (0, 0)


def test_a_neighbour_in_whose_place_one_came_in_the_calm_is_missed_no_more() -> None:
    place = Place(inside("low", "portal"))
    place.go(3, low=0.0, portal=0.0)
    place.take(inside("low"))
    place.go(3, low=0.0)
    assert [spec.device for spec in place.engine.plant.arrays.left.missed] == ["portal"]
    place.take(inside("low", "portal2"))
    assert place.engine.plant.arrays.left.missed == ()
    assert place.go(8, low=0.6, portal2=0.0) == (4, 4)
    place.take(inside("low2", "portal2"))
    assert place.go(30, portal2=0.0, low2=0.0) == (0, 0)


def test_a_neighbour_that_comes_back_is_missed_no_more() -> None:
    place = Place(inside("low", "portal"))
    place.go(3, low=0.0, portal=0.0)
    place.take(inside("low"))
    place.take(inside("low", "portal"))
    assert place.engine.plant.arrays.left.missed == ()


def test_where_two_are_gone_both_who_came_have_to_speak() -> None:
    place = Place(inside("low", "portal"))
    place.go(8, low=0.6, portal=0.0)
    place.take(inside("low2", "portal2"))
    assert place.go(30, portal2=0.0) == (4, 4)
    assert place.go(30, portal2=0.0, low2=0.0) == (0, 0)


def test_one_who_came_cannot_speak_for_two_who_are_gone() -> None:
    place = Place(inside("low", "portal"))
    place.go(8, low=0.6, portal=0.0)
    place.take(inside("portal2"))
    assert place.go(40, portal2=0.0) == (4, 4)
    place.take(inside("portal2", "low2"))
    assert place.go(40, portal2=0.0) == (4, 4), "not heard yet"
    assert place.go(20, portal2=0.0, low2=0.0) == (0, 0)


def test_a_sensor_beside_it_at_the_entrance_lays_nothing_down() -> None:
    """Two at one entrance, half a metre apart: one of them is wrong, and the import takes out the one that is wet."""
    both = [device(name, depth_sensor("north")) for name in ("out", "beside")]
    place = Place(of("car_park", *both))
    assert place.go(8, out=0.65, beside=0.0) == (4, 4)
    place.take(of("car_park", both[1]))
    assert place.go(40, beside=0.0) == (4, 4)


def two_switches(*names: str) -> Site:
    door = {"id": "north", "name_zh": "北", "name_en": "North", "width_m": 4.0, "crest_level_m": 0.3}
    door |= {"roadway_level_m": 0.0, "barrier": {"height_m": 0.6, "deploy_min": 10.0}}
    switches = [device(name, {"quantity": "barrier_state", "entrance": "north"}) for name in names]
    devices = [device("out", depth_sensor("north")), *switches]
    return site(space("gar", "car_park", entrances=[door], devices=devices))


@pytest.mark.parametrize("after", [("two",), ("other",)], ids=["the other stays", "the other is renamed"])
def test_a_closed_switch_beside_an_open_one_closes_nothing(after: tuple[str, ...]) -> None:
    """Two switches on one barrier, water 28 cm deep before a crest of 30 cm: the one that says open is taken out."""
    shut = float(BarrierState.DEPLOYED)
    place = Place(two_switches("one", "two"))
    for minute in range(8):
        said = [("one:barrier_state", minute, 0.0), ("two:barrier_state", minute, shut)]
        place.tick(minute, ("out:water_depth_m", minute, 0.28), *said)
    before = place.shown
    assert before[0] >= 3
    place.take(two_switches(*after))
    for minute in range(8, 40):
        place.tick(minute, ("out:water_depth_m", minute, 0.28), (f"{after[0]}:barrier_state", minute, shut))
        assert place.shown >= before, minute


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (depth_sensor(), depth_sensor(), True),
        (depth_sensor(at="low"), depth_sensor(at="portal"), False),
        (depth_sensor(zero_level_m=-4.0), depth_sensor(), True),
        (depth_sensor(zero_level_m=-3.2), depth_sensor(), False),
        (depth_sensor("north"), depth_sensor(), False),
        (depth_sensor("north"), {"quantity": "water_level_m", "entrance": "north"}, True),
        (depth_sensor(), {"quantity": "float_lifted", "zero_level_m": -3.9}, False),
        ({"quantity": "float_lifted", "zero_level_m": -3.9}, depth_sensor(), True),
    ],
)
def test_what_a_site_file_says_of_a_spot(one: dict[str, Any], other: dict[str, Any], same: bool) -> None:
    found = {spec.device: spec for spec in sensors_of(of("car_park", device("one", one), device("other", other)))
             if spec.quantity != "online"}  # fmt: skip
    assert same_spot(found["one"], found["other"]) is same
