"""Generated storms, drawn districts, the true state and the alarm that counts: all worked out by hand."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from simulators.hindcast.district import drawn_district
from simulators.hindcast.run import number_of
from simulators.hindcast.states import TrueStates
from simulators.hindcast.storms import RETURN_PERIODS_YEARS, SHARE_SILENT, scenario_of, storm_kinds
from simulators.hindcast.watch import SeverityWatch
from simulators.rain import depth_shenzhen_2015_mm
from simulators.scenario import Scenario
from simulators.world import Water
from tests.unit.simulators.districts import a_site
from undercroft.model import SpaceKind
from undercroft.quantities import BarrierState
from undercroft.site import load_site, sample_site_path
from undercroft.site.model import Site

ORANGE, RED = 3, 4
KINDS = {kind.name: kind for kind in storm_kinds()}


def test_design_storms_bring_the_depth_of_their_return_period() -> None:
    for years in RETURN_PERIODS_YEARS:
        for seed in range(1, 6):
            storm = KINDS[f"{years}-years"].rain(seed)
            minutes = 5 * len(storm.rates_mm_h)
            assert storm.total_mm == pytest.approx(depth_shenzhen_2015_mm(minutes, years))


@pytest.mark.parametrize(
    ("name", "hour_mm"),
    [
        ("shenzhen-2023-09-07-envelope", 116.8),
        ("zhengzhou-2021-07-20", 201.9),
        ("fukuoka-1999-06-29", 79.5),
        ("fukuoka-2003-07-19", 99.0),
    ],
)
def test_past_storms_have_the_published_worst_hour(name: str, hour_mm: float) -> None:
    assert KINDS[name].rain(1).most_mm(60) == pytest.approx(hour_mm)


def test_cloudburst_of_2019_has_its_worst_10_and_30_minutes() -> None:
    storm = KINDS["shenzhen-2019-04-11"].rain(1)
    assert [storm.most_mm(10), storm.most_mm(30)] == pytest.approx([39.7, 73.4])


@pytest.mark.parametrize("name", KINDS)
def test_a_seed_is_a_storm_of_its_own_and_always_the_same(name: str) -> None:
    first, again, other = (scenario_of(KINDS[name], seed) for seed in (3, 3, 4))
    assert first == again
    assert first.acts != other.acts
    assert list(first.misplaced_times()) == []
    assert first.rain().total_mm == pytest.approx(KINDS[name].rain(3).total_mm), "the run is long enough for its rain"
    assert any(fault.share == SHARE_SILENT for fault in first.faults)


def test_crests_and_drains_are_the_seeds_own() -> None:
    base = load_site(sample_site_path())
    first, second = drawn_district(base, 1), drawn_district(base, 2)
    for district in (first, second):
        for space in (space for space in district.spaces if space.kind != "underpass"):
            steps = [entrance.crest_level_m - entrance.roadway_level_m for entrance in space.entrances]
            assert all(0.049 < step < 0.401 for step in steps)
    crests = [
        [e.crest_level_m for s in d.spaces if s.kind != "underpass" for e in s.entrances] for d in (first, second)
    ]
    assert all(a != b for a, b in zip(*crests, strict=True))
    assert not {space.id for space in first.spaces} & {space.id for space in second.spaces}
    assert Site.model_validate(first.model_dump(by_alias=True)) == first


def water(street_m: float, inside_m: float) -> Water:
    return Water(np.array([street_m]), np.array([inside_m]), np.zeros(0), 0.0)


def states(kind: SpaceKind) -> TrueStates:
    """One space: floor 2 m, roadway 5 m, crest 5.15 m, barrier to 5.75 m."""
    return TrueStates(a_site(1, kind=kind.value), scenario_of(KINDS["5-years"], 1).run.start)


OPEN, SHUT = ({(0, 0): state} for state in (BarrierState.OPEN, BarrierState.DEPLOYED))
DRY_INSIDE = 2.0


@pytest.mark.parametrize(
    ("kind", "street_m", "inside_m", "barriers", "orange", "red"),
    [
        (SpaceKind.METRO_ENTRANCE, 5.09, DRY_INSIDE, OPEN, False, False),  # 6 cm of freeboard
        (SpaceKind.METRO_ENTRANCE, 5.11, DRY_INSIDE, OPEN, True, False),  # 4 cm
        (SpaceKind.METRO_ENTRANCE, 5.11, DRY_INSIDE, SHUT, False, False),  # 64 cm to the top of the barrier
        (SpaceKind.METRO_ENTRANCE, 5.36, DRY_INSIDE, OPEN, True, True),  # 21 cm over the crest
        (SpaceKind.METRO_ENTRANCE, 5.36, DRY_INSIDE, SHUT, False, False),
        (SpaceKind.METRO_ENTRANCE, 5.00, 2.03, SHUT, True, False),  # any inflow
        (SpaceKind.METRO_ENTRANCE, 5.00, 2.11, SHUT, True, True),
        (SpaceKind.MALL, 5.36, DRY_INSIDE, OPEN, True, False),
        (SpaceKind.MALL, 5.46, DRY_INSIDE, OPEN, True, True),  # 31 cm over the crest
        (SpaceKind.CAR_PARK, 5.14, DRY_INSIDE, OPEN, False, False),
        (SpaceKind.CAR_PARK, 5.16, DRY_INSIDE, OPEN, True, False),  # water over an open crest
        (SpaceKind.CAR_PARK, 5.16, DRY_INSIDE, SHUT, False, False),
        (SpaceKind.CAR_PARK, 5.00, 2.31, SHUT, True, True),
        (SpaceKind.UNDERPASS, 5.16, DRY_INSIDE, OPEN, True, False),  # 16 cm on the approach
        (SpaceKind.UNDERPASS, 5.00, 2.28, OPEN, True, True),  # 28 cm at the lowest point
    ],
)
def test_true_states_by_hand(
    kind: SpaceKind,
    street_m: float,
    inside_m: float,
    barriers: dict[tuple[int, int], BarrierState],
    orange: bool,
    red: bool,
) -> None:
    now = water(street_m, inside_m)
    found = [bool(states(kind).reached(now, now, barriers, severity)[0]) for severity in (ORANGE, RED)]
    assert found == [orange, red]


def test_a_car_park_is_red_at_15_cm_only_while_it_rises() -> None:
    truth = states(SpaceKind.CAR_PARK)
    still, risen = water(5.0, 2.16), water(5.0, 2.17)
    assert not truth.reached(still, still, OPEN, RED)[0]
    assert truth.reached(still, risen, OPEN, RED)[0]


def test_a_barrier_is_open_where_water_stands_over_its_crest_and_it_does_not_stand() -> None:
    truth = states(SpaceKind.CAR_PARK)
    over, below = water(5.16, 2.0), water(5.14, 2.0)
    assert [bool(truth.open_barrier(w, b)[0]) for w, b in ((over, OPEN), (over, SHUT), (below, OPEN))] == [
        True,
        False,
        False,
    ]


def follow(standing: str, happened: str) -> tuple[float, float]:
    """Return (alarm, crossing) in minutes; a character a minute, ``#`` for true."""
    watch = SeverityWatch(1)
    for minute, (alarm, truth) in enumerate(zip(standing, happened, strict=True)):
        watch.take(60.0 * minute, np.array([alarm == "#"]), np.array([1 << minute]), np.array([truth == "#"]))
    if not math.isnan(watch.alarm_s[0]):
        assert watch.raised_by[0] == 1 << round(watch.alarm_s[0] / 60.0), "spoken for as it began"
    return float(watch.alarm_s[0]) / 60.0, float(watch.crossing_s[0]) / 60.0


def test_the_alarm_that_counts_stands_at_the_crossing() -> None:
    assert follow("..####..", ".....#..") == (2.0, 5.0)
    assert follow("##....##", "....#...") == (6.0, 4.0), "one that was over before the water warned of nothing"
    assert follow("#.##....", "...##...") == (2.0, 3.0)
    assert follow("#.#.....", "........")[0] == 0.0, "without water the first is false"
    assert math.isnan(follow("##......", "....#...")[0])


def test_values_of_payloads() -> None:
    assert [number_of(text) for text in ("0.120", "true", "false", '"deployed"', '"open"')] == [
        0.12,
        1.0,
        0.0,
        3.0,
        0.0,
    ]


def test_storms_of_longer_return_periods_are_heavier() -> None:
    def hour(years: int) -> float:
        return scenario_of(KINDS[f"{years}-years"], 1).rain().most_mm(60)

    assert all(hour(a) < hour(b) for a, b in pairwise(RETURN_PERIODS_YEARS))
    assert isinstance(scenario_of(KINDS["5-years"], 1), Scenario)
