"""Water and rain that stand just at a threshold reach it, whatever their decimals lose in binary."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from risk.levels import release_m
from tests.unit.risk.builders import Crank, depth_sensor, device, entrance, site, space, underpass

CENTIMETRES = st.integers(-1200, 1200)


def metres(cm: int) -> float:
    """Return what is written with two decimals, as a site file and a sensor write it."""
    return float(Decimal(cm) / 100)


def steady(crank: Crank, key: str, value: float) -> int:
    """Return the level of space ``s`` after water stood still for twelve minutes."""
    for minute in (0, 4, 8, 12):
        crank.tick(minute, (key, minute, value))
    return crank.levels["s"]


@given(floor_cm=CENTIMETRES, at=st.sampled_from([(5, 1), (10, 2), (15, 3), (27, 4)]))
@example(floor_cm=-593, at=(27, 4))
def test_depth_over_a_floor_given_over_datum(floor_cm: int, at: tuple[int, int]) -> None:
    depth_cm, level = at
    sensor = device("d", {"quantity": "water_level_m"})
    of = underpass("s", floor_level_m=metres(floor_cm)) | {"devices": [sensor]}
    assert steady(Crank(site(of), nowcast=False), "d:water_level_m", metres(floor_cm + depth_cm)) == level
    assert steady(Crank(site(of), nowcast=False), "d:water_level_m", metres(floor_cm + depth_cm - 1)) == level - 1


@given(road_cm=CENTIMETRES, crest_cm=st.integers(36, 90), at=st.sampled_from([(30, 1), (15, 2), (5, 3)]))
@example(road_cm=100, crest_cm=30, at=(5, 3))
def test_freeboard_below_a_crest_over_a_road(road_cm: int, crest_cm: int, at: tuple[int, int]) -> None:
    freeboard_cm, level = at
    door = entrance(roadway_level_m=metres(road_cm), crest=metres(road_cm + crest_cm), barrier_needed=False)
    of = space("s", "metro_entrance", entrances=[door], devices=[device("d", depth_sensor("north"))])
    depth_cm = crest_cm - freeboard_cm
    assert steady(Crank(site(of), nowcast=False), "d:water_depth_m", metres(depth_cm)) == level
    assert steady(Crank(site(of), nowcast=False), "d:water_depth_m", metres(depth_cm - 1)) == level - 1


@given(start_tenths=st.integers(0, 90_000))
def test_rain_of_a_counter(start_tenths: int) -> None:
    """Orange from 78 mm in 60 min: 6.5 mm in each 5 min are just that, 6.4 mm are yellow (58 mm)."""
    for tenths, level in ((65, 3), (64, 2)):
        crank = Crank(site(underpass("s")), nowcast=False)
        for step in range(16):
            shown = float(Decimal(start_tenths + step * tenths) / 10)
            crank.tick(5 * step, ("rain-1:rain_total_mm", 5 * step, shown), ("s-lvl:water_depth_m", 5 * step, 0.0))
        assert crank.levels["s"] == level


@given(depth_cm=st.integers(2, 40), rise=st.sampled_from([(1, 2), (3, 3)]))
def test_rise_of_a_level(depth_cm: int, rise: tuple[int, int]) -> None:
    """Yellow from 1 cm/min, orange from 3, on a street that is far below its crest."""
    step_cm, level = rise
    door = entrance(crest=0.9, barrier_needed=False)
    of = space("s", "metro_entrance", entrances=[door], devices=[device("d", depth_sensor("north"))])
    crank = Crank(site(of), nowcast=False)
    for minute in range(5):
        crank.tick(minute, ("d:water_depth_m", minute, metres(depth_cm + minute * step_cm)))
    assert crank.levels["s"] == level


def test_a_level_is_left_below_its_deadband_and_not_at_it() -> None:
    """27 cm less 3 cm: 24 cm, which is 0.24000000000000002 when subtracted in binary."""
    assert 0.27 - 0.03 > 0.24
    assert release_m(np.array([0.27])).tolist() == [0.24]
