"""A street that is wet does not bring back what was stood down inside, and raises by its own rules all the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.arrays import NEVER_US, to_us
from risk.engine import with_site
from risk.takeover import LoggedAlarm, take_over
from risk.warnings import Act
from tests.unit.risk.builders import START, Crank, Reading, depth_sensor, device, entrance, site, space
from undercroft.site.model import Site

DOWN_AT = 20
REACHED = {0.0: 0, 0.1: 0, 0.2: 0, 0.26: 2, 0.31: 3, 0.5: 3}
"""What a depth on the street is by docs/risk.md: a car park, crest 30 cm; yellow from 25 cm, orange over the crest."""


def garage(*, street: bool = True, doors: tuple[str, ...] = ("north", "south")) -> Site:
    out = [device(f"out-{door}", depth_sensor(door)) for door in doors] if street else []
    body = {"entrances": [entrance(door, barrier_needed=False) for door in doors]}
    return site(space("gar", "car_park", devices=[device("in", depth_sensor()), *out], **body), gauges=[])


class Garage:
    """40 cm inside by a sensor that died at minute 8, a street that is heard each minute; stood down at minute 20."""

    def __init__(self, depth_m: float) -> None:
        self.crank, self.minute, self.depth_m = Crank(garage(), nowcast=False), 0, depth_m
        for minute in range(DOWN_AT):
            self.go(depth_m, inside_m=0.4 if minute < 8 else None)
        assert self.severity == 4
        self.stand_down()

    @property
    def severity(self) -> int:
        return int(self.crank.engine.state.alarm_severity[0])

    @property
    def is_down(self) -> bool:
        return bool(self.crank.engine.state.stood_down_us[0] != NEVER_US)

    def stand_down(self) -> None:
        at_us = to_us(START) + self.minute * 60_000_000
        down = Act(self.minute, "stand_down", "space/gar", "li", at_us, {"evidence": "looked, photo 1"})
        self.crank.tick(self.minute, acts=(down,))
        self.minute += 1
        assert (self.severity, self.is_down) == (0, True)

    def go(self, north_m: float | None, *, south_m: float = 0.0, inside_m: float | None = None, how: int = 1) -> int:
        said: list[Reading] = [("out-south:water_depth_m", self.minute, south_m)]
        said += [] if north_m is None else [("out-north:water_depth_m", self.minute, north_m, how)]
        said += [] if inside_m is None else [("in:water_depth_m", self.minute, inside_m)]
        self.crank.tick(self.minute, *said)
        self.minute += 1
        return self.severity


@pytest.mark.parametrize("how", [1, 2])
@pytest.mark.parametrize(("depth_m", "reached"), REACHED.items())
def test_a_street_that_is_wet_as_it_was_brings_nothing_back(depth_m: float, reached: int, how: int) -> None:
    place = Garage(depth_m)
    assert [place.go(depth_m, how=how) for _ in range(30)][2:] == [reached] * 28
    assert place.is_down
    assert place.crank.levels["gar"] == 4, "the page shows the last word inside as before"


@settings(max_examples=20, deadline=None)
@given(depths=st.lists(st.sampled_from(sorted(REACHED)), min_size=2, max_size=25))
def test_a_street_raises_by_its_own_rules(depths: list[float]) -> None:
    place = Garage(depths[0])
    before = None
    for depth_m in depths:
        shown = place.go(depth_m)
        if depth_m == before:
            assert shown >= REACHED[depth_m]
        before = depth_m


@settings(max_examples=20, deadline=None)
@given(depths=st.lists(st.sampled_from(sorted(REACHED)), min_size=2, max_size=25).map(lambda all_: sorted(all_)[::-1]))
def test_a_street_that_falls_never_brings_the_red_inside_back(depths: list[float]) -> None:
    place = Garage(depths[0])
    for depth_m in depths:
        assert place.go(depth_m) <= REACHED[depths[0]]
    assert all(place.go(0.0) <= REACHED[depths[0]] for _ in range(8))
    assert [place.go(0.0) for _ in range(12)][-1] == 0, "dry for ten minutes"
    assert place.is_down


def test_a_street_that_gets_worse_than_it_was_undoes_the_stand_down() -> None:
    place = Garage(0.1)
    assert [place.go(depth_m) for depth_m in (0.1, 0.26, 0.26)][-1] == 4
    assert not place.is_down


def test_another_entrance_as_bad_as_the_first_raises_by_itself() -> None:
    """The north stood in 31 cm and its sensor died as well; then the south does."""
    place = Garage(0.31)
    assert place.go(None) == 0
    assert [place.go(None, south_m=0.31) for _ in range(2)][-1] >= 3


def test_water_inside_brings_all_back() -> None:
    place = Garage(0.1)
    place.go(0.1, inside_m=0.02)
    assert not place.is_down


def test_what_was_stood_down_stays_so_where_the_alarm_of_the_street_is_stood_down_too() -> None:
    place = Garage(0.31)
    assert [place.go(0.31) for _ in range(3)][-1] == 3
    place.stand_down()
    assert [place.go(0.31) for _ in range(5)][-1] == 3


def test_a_street_whose_sensor_is_taken_out_after_a_stand_down_keeps_its_own_alarm() -> None:
    place = Garage(0.31)
    assert [place.go(0.31) for _ in range(3)][-1] == 3
    place.crank.engine = with_site(place.crank.engine, garage(street=False), 2, START)
    for minute in range(place.minute, place.minute + 30):
        place.crank.tick(minute)
    assert place.severity == 3
    assert {one.spec.key for one in place.crank.engine.plant.arrays.left.sensors} == {"out-north:water_depth_m"}


def test_a_float_switch_on_the_street_raises_by_itself_alone() -> None:
    """It trips 1 cm over the crest, so orange; it hangs lifted all along and says so again after the stand-down."""
    post = device("post", {"quantity": "float_lifted", "entrance": "north", "zero_level_m": 0.31})
    doors = {"entrances": [entrance("north", barrier_needed=False)]}
    place = space("gar", "car_park", devices=[device("in", depth_sensor()), post], **doors)
    crank = Crank(site(place, gauges=[]), nowcast=False)
    for minute in range(DOWN_AT):
        said: list[Reading] = [("in:water_depth_m", minute, 0.4)] if minute < 8 else []
        crank.tick(minute, ("post:float_lifted", minute, 1.0), *said)
    at_us = to_us(START) + DOWN_AT * 60_000_000
    crank.tick(DOWN_AT, acts=(Act(1, "stand_down", "space/gar", "li", at_us, {"evidence": "photo 1"}),))
    assert crank.engine.state.alarm_severity[0] == 0
    for minute in range(DOWN_AT + 1, DOWN_AT + 10):
        crank.tick(minute, ("post:float_lifted", minute, 1.0))
    assert crank.engine.state.alarm_severity[0] == 3


def test_an_upgrade_keeps_a_stand_down_beside_the_alarm_of_the_street() -> None:
    """The street stands in 31 cm, orange; the red of the dead sensor inside is stood down and does not come back."""
    night = Garage(0.31)
    assert night.go(0.31) == 3
    state = night.crank.engine.state
    logged = LoggedAlarm(
        subject="space/gar",
        events=int(state.alarm_events[0]),
        occurrence=int(state.alarm_occurrence[0]),
        severity=3,
        peak=3,
        active=True,
        acknowledged=False,
        latched=False,
        raised_us=int(state.alarm_raised_us[0]),
        shelved_us=None,
        suppressed_by=None,
        said=(("outside-head", "out-north:water_depth_m"),),
        reasons=(),
    )
    take_over(state, night.crank.engine.plant.arrays, [logged], silent=())
    assert night.is_down
    assert [night.go(0.31) for _ in range(3)] == [3, 3, 3]
