"""Quantities counted by hand."""

from __future__ import annotations

import pytest

from risk.supplies.requirement import (
    Factors,
    deploy_min,
    entrance_requirement,
    laying_min,
    mobile_pumps,
    panels,
    sandbags,
    space_requirement,
)
from risk.supplies.route import distance_km, travel_min
from risk.supplies.stock import Movement, barrier_coverage, lacking, movement_of, stock_after
from risk.warnings import Act
from undercroft.model import SpaceKind
from undercroft.site.model import Barrier, Depot, Entrance, Pump, Requirement, Space, StorageRow

NAMES = {"name_zh": "甲", "name_en": "A"}


def entrance(ident: str, width_m: float, barrier: Barrier | None = None, *, needed: bool = True) -> Entrance:
    return Entrance(
        id=ident,
        **NAMES,
        width_m=width_m,
        crest_level_m=0.3,
        roadway_level_m=0.0,
        barrier_needed=needed,
        barrier=barrier,
    )


def space(*entrances: Entrance, requirements: tuple[Requirement, ...] = (), pumps: tuple[Pump, ...] = ()) -> Space:
    return Space(
        id="s",
        **NAMES,
        street="福田",
        lat=22.5,
        lon=114.0,
        kind=SpaceKind.CAR_PARK,
        basin="b",
        floor_level_m=-4.0,
        storage=(StorageRow(depth_m=0.0, area_m2=2000.0),),
        entrances=entrances,
        requirements=requirements,
        pumps=pumps,
    )


@pytest.mark.parametrize(
    ("width_m", "height_m", "bags"), [(6.0, 0.5, 113), (6.0, 0.36, 68), (0.41, 0.12, 3), (0.0, 0.5, 0)]
)
def test_sandbags(width_m: float, height_m: float, bags: int) -> None:
    assert sandbags(width_m, height_m) == bags


def test_panels_pumps_and_minutes() -> None:
    assert panels(6.0, 0.36) == 6
    assert mobile_pumps(0.1) == 4
    assert mobile_pumps(0.09) == 3
    assert deploy_min(113, 2) == 28.25
    with pytest.raises(ValueError, match="pairs"):
        deploy_min(10, 0)
    with pytest.raises(ValueError, match="negative"):
        sandbags(-1.0, 0.5)
    with pytest.raises(ValueError, match="bag_length_m"):
        Factors(bag_length_m=0.0)


def test_entrance_with_a_barrier_without_and_without_need() -> None:
    closed = entrance_requirement(entrance("a", 6.0, Barrier(height_m=0.5, deploy_min=7.0)))
    assert (dict(closed.items), closed.people, closed.minutes) == ({}, 2, 7.0)
    bare = entrance_requirement(entrance("a", 6.0))
    assert (dict(bare.items), bare.people, bare.minutes) == ({"sandbag": 68.0}, 4, 17.0)
    assert entrance_requirement(entrance("a", 6.0, needed=False)).people == 0


def test_space_adds_its_entrances_its_list_and_pumps_for_the_rest_of_the_inflow() -> None:
    """0.15 m³/s less 0.05 of its own pump: 0.10, four mobile pumps on two generators."""
    need = space_requirement(
        space(
            entrance("a", 6.0),
            entrance("b", 4.0, Barrier(height_m=0.5, deploy_min=30.0)),
            requirements=(Requirement(item="sandbag", quantity=40), Requirement(item="traffic-cone", quantity=6)),
            pumps=(Pump(id="p", capacity_m3_s=0.05, on_depth_m=0.3, off_depth_m=0.1),),
        ),
        expected_inflow_m3_s=0.15,
    )
    assert dict(need.items) == {"sandbag": 108.0, "traffic-cone": 6.0, "mobile-pump": 4.0, "generator": 2.0}
    assert (need.people, need.minutes) == (6, 30.0)


def test_walls_are_laid_side_by_side() -> None:
    """Two pairs lay 4 bags a minute at each wall."""
    assert laying_min([45.0, 15.0], 60.0, 2) == 11.25
    assert laying_min([45.0, 15.0], 50.0, 2) == 35.0 / 4.0
    assert laying_min([45.0, 15.0], 20.0, 2) == 2.5
    assert laying_min([], 0.0, 2) == 0.0


def test_sandbags_of_the_own_list_are_laid_too() -> None:
    """60 bags beside a barrier of 10 min: two pairs of their own in 15 min; beside two walls of 45: 30 more at each."""
    listed = (Requirement(item="sandbag", quantity=60),)
    shut = space_requirement(space(entrance("a", 4.0, Barrier(height_m=0.5, deploy_min=10.0)), requirements=listed))
    assert (shut.people, shut.minutes, shut.walls) == (6, 15.0, (60.0,))
    bare = space_requirement(space(entrance("a", 4.0), entrance("b", 4.0), requirements=listed))
    assert (bare.people, bare.minutes, bare.walls) == (8, 75.0 / 4.0, (75.0, 75.0))


def test_stock_after_movements() -> None:
    moves = [Movement("d", "sandbag", -30.0), Movement("d", "sandbag", -80.0), Movement("d", "sandbag", 5.0, True)]
    moves.append(Movement("d", "sandbag", 2.0))
    assert stock_after({("d", "sandbag"): 100.0}, moves[:1]) == {("d", "sandbag"): 70.0}
    assert stock_after({("d", "sandbag"): 100.0}, moves[:2]) == {("d", "sandbag"): 0.0}
    assert stock_after({("d", "sandbag"): 100.0}, moves) == {("d", "sandbag"): 7.0}
    assert stock_after({}, [Movement("s", "generator", 1.0)]) == {("s", "generator"): 1.0}
    with pytest.raises(ValueError, match="quantity"):
        Movement("d", "sandbag", -1.0, True)


@pytest.mark.parametrize(
    ("subject", "body", "expected"),
    [
        ("depot/d", {"item": "sandbag", "quantity": -3}, Movement("d", "sandbag", -3.0)),
        ("space/s", {"item": "sandbag", "counted": 0}, Movement("s", "sandbag", 0.0, True)),
        ("depot/d", {"item": "sandbag", "quantity": float("nan")}, None),
        ("depot/d", {"item": "sandbag", "counted": -1}, None),
        ("depot/d", {"item": 7, "quantity": 1}, None),
        ("depot", {"item": "sandbag", "quantity": 1}, None),
    ],
)
def test_an_act_that_cannot_be_used_moves_nothing(
    subject: str, body: dict[str, object], expected: Movement | None
) -> None:
    assert movement_of(Act(1, "stock_movement", subject, "li", 0, body)) == expected
    assert movement_of(Act(1, "note", subject, "li", 0, body)) is None


def test_what_is_lacking() -> None:
    required, stock = {"sandbag": 100.0, "mobile-pump": 2.0}, {("s", "sandbag"): 60.0, ("s", "mobile-pump"): 9.0}
    assert lacking(required, "s", stock) == {"sandbag": 40.0}


def test_barrier_coverage_names_what_is_missing() -> None:
    coverage = barrier_coverage(
        [
            space(
                entrance("a", 6.0),
                entrance("b", 4.0, Barrier(height_m=0.5, deploy_min=5.0)),
                entrance("c", 2.0, needed=False),
            )
        ]
    )
    assert (coverage.needed, coverage.missing, coverage.share) == (2, (("s", "a"),), 0.5)
    assert barrier_coverage([]).share == 1.0


def test_travel_time() -> None:
    """0.045 degrees of latitude: 5.0038 km; 10 + 5.0038 * 1.3 / 20 * 60 = 29.51 min."""
    assert distance_km(22.0, 114.0, 23.0, 114.0) == pytest.approx(111.19, abs=0.01)
    depot = Depot(id="d", **NAMES, street="福田", lat=22.545, lon=114.0, speed_km_h=20.0)
    assert travel_min(depot, space(entrance("a", 6.0))) == pytest.approx(29.51, abs=0.01)
    with pytest.raises(ValueError, match="loading_min"):
        travel_min(depot, space(entrance("a", 6.0)), -1.0)
