"""Who stood a space down that has no eyes looked at one rain: the next one is told."""

from __future__ import annotations

from typing import Any

import pytest

from risk.arrays import to_us
from risk.warnings import Act
from tests.unit.risk.builders import START, Crank, depth_sensor, device, entrance, gauge, site, space, underpass

RAIN = "rain-1:rain_total_mm"
OUT = "out:water_depth_m"
DEAD_AT, DOWN_AT = 8, 20


def garage(*doors: str) -> dict[str, Any]:
    """One sensor inside, one at the north entrance; whatever other entrances there are nobody watches."""
    devices = [device("in", depth_sensor()), device("out", depth_sensor("north"))]
    entrances = [entrance(name, barrier_needed=False) for name in doors]
    return space("s", "car_park", devices=devices, entrances=entrances)


class Night:
    """40 cm inside in the rain, by a sensor that dies at minute 8 and is never repaired; stood down at minute 20."""

    def __init__(
        self,
        *spaces: dict[str, Any],
        inside: str,
        others: tuple[str, ...] = (),
        other_m: float = 0.0,
        rains: bool = True,
    ) -> None:
        self.crank = Crank(site(*spaces, gauges=[gauge()] if rains else []), nowcast=False)
        self.rains, self.others, self.minute, self.mm = rains, others, 0, 0.0
        for minute in range(DOWN_AT):
            self.go(0.6, other_m, *([(inside, minute, 0.4)] if minute < DEAD_AT else []))
        assert self.severity == 4
        act = Act(1, "stand_down", "space/s", "li", to_us(START) + DOWN_AT * 60_000_000, {"evidence": "looked"})
        self.go(0.0, other_m, acts=(act,))
        assert self.severity == 0

    @property
    def severity(self) -> int:
        return int(self.crank.engine.state.alarm_severity[self.crank.engine.plant.arrays.space_index["s"]])

    def go(self, mm: float, other_m: float, *readings: tuple[str, float, float], acts: tuple[Act, ...] = ()) -> int:
        """Turn one minute on, with rain and what the other level sensors say. Return the alarm's severity."""
        self.mm += mm
        said = [(key, self.minute, other_m) for key in self.others]
        said += [(RAIN, self.minute, self.mm)] if self.rains else []
        self.crank.tick(self.minute, *said, *readings, acts=acts)
        self.minute += 1
        return self.severity


CASES = {
    "underpass": ([underpass("s")], "s-lvl:water_depth_m", ()),
    "garage, one entrance unwatched": ([garage("north", "south")], "in:water_depth_m", (OUT,)),
}


@pytest.mark.parametrize("case", CASES)
def test_a_space_without_eyes_is_told_in_the_next_rain_and_not_in_this_one(case: str) -> None:
    spaces, inside, others = CASES[case]
    night = Night(*spaces, inside=inside, others=others)
    assert {night.go(0.6, 0.0) for _ in range(120)} == {0}, "it still rains"
    assert {night.go(0.0, 0.0) for _ in range(180)} == {0}
    assert night.go(0.6, 0.0) == 0, "0.6 mm are no rain yet"
    assert [night.go(0.6, 0.0) for _ in range(10)][-1] == 4


def test_a_garage_whose_entrances_are_all_watched_stays_down() -> None:
    night = Night(garage("north"), inside="in:water_depth_m", others=(OUT,))
    assert {night.go(0.0, 0.0) for _ in range(180)} | {night.go(0.6, 0.0) for _ in range(60)} == {0}


def test_a_neighbour_that_floods_in_the_next_rain_stands_in_anew() -> None:
    """It stood in 30 cm when the officer looked, and does again."""
    near = ("near-lvl:water_depth_m",)
    night = Night(underpass("s"), underpass("near"), inside="s-lvl:water_depth_m", others=near, other_m=0.3)
    assert {night.go(0.6, 0.3) for _ in range(10)} == {0}
    for _ in range(200):
        night.go(0.0, 0.0)
    assert [night.go(0.6, 0.3) for _ in range(10)][-1] >= 3


def test_where_no_gauge_tells_the_end_of_a_rain_one_lasts_twelve_hours() -> None:
    night = Night(underpass("s"), inside="s-lvl:water_depth_m", rains=False)
    down = [night.go(0.0, 0.0) for _ in range(12 * 60 + 5)]
    assert set(down[: 12 * 60 - 2]) == {0}
    assert down[-1] == 4
