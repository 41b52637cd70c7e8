"""Inside against outside, float against gauge, by hand: what is suspect, and above all what is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.batch import Draft
from ingest.quality_checks import examine
from ingest.quality_cross import beside_of, wet_inside_m
from ingest.quality_limits import MINUTE_US
from ingest.quality_memory import traits_of
from undercroft.quality import Quality, QualityTest
from undercroft.store.observations import NO_SERIAL, Rows

T0_US = 1_782_907_200_000_000
IN, NORTH, SOUTH, FLOAT, LEVEL_IN = 1, 2, 3, 4, 5
CROSSED, FLOATS = QualityTest.INSIDE_OUTSIDE, QualityTest.FLOAT_GAUGE


def sensor(sensor_id: int, quantity: str, entrance: str | None, zero_m: float | None, **other: Any) -> dict[str, Any]:
    """A sensor of a garage: floor at 2 m, roadways at 6 m, ceiling 3 m; each device speaks every 5 minutes when dry."""
    return {
        "sensor_id": sensor_id, "quantity": quantity, "place_id": "g1", "entrance_id": entrance, "zero_level_m": zero_m,
        "interval_dry_s": 300.0, "ceiling_height_m": 3.0 if entrance is None else None, "space_kind": "car_park",
        "floor_level_m": 2.0, "roadway_level_m": None if entrance is None else 6.0, "entrances": ["north", "south"],
    } | other  # fmt: skip


SITE = [
    sensor(IN, "water_depth_m", None, 2.0),
    sensor(NORTH, "water_depth_m", "north", 6.0),
    sensor(SOUTH, "water_level_m", "south", None),
]
WITH_FLOAT = [*SITE, sensor(FLOAT, "float_lifted", None, 2.3)]
Said = list[tuple[int, float, float]]
"""(sensor, minute, value)"""


def bits_of(said: Said, site: list[dict[str, Any]] = SITE, tests: QualityTest = CROSSED | FLOATS) -> list[int]:
    """Flags of readings that come at their own times; the qualities follow them, and the values stay."""
    ids, minutes, values = zip(*said, strict=True)
    times = np.array([T0_US + round(minute * MINUTE_US) for minute in minutes], dtype=np.int64)
    count, plain = len(said), np.full(len(said), Quality.GOOD, dtype=np.int16)
    rows = Rows(
        np.array(ids, dtype=np.int32), times, np.array(values), plain, np.zeros(count, dtype=np.int32), times,
        np.full(count, NO_SERIAL),
    )  # fmt: skip
    draft = Draft(count, rows, np.arange(count, dtype=np.int64), (), (), (), (), None, ())
    found = examine(draft, {}, traits_of(site)).draft.rows
    assert found.values.tolist() == list(values)
    bits = [int(entry) & int(tests) for entry in found.quality_tests]
    assert [quality >= Quality.SUSPECT for quality in found.qualities] == [entry != 0 for entry in bits]
    assert found.qualities.max() <= Quality.SUSPECT
    return bits


@pytest.mark.parametrize(("quantity", "flagged"), [("rain_total_mm", True), ("rain_depth_mm", False)])
def test_the_site_data_says_what_counts_rain(quantity: str, flagged: bool) -> None:
    site = [sensor(IN, quantity, None, None, space_kind=None, ceiling_height_m=None, floor_level_m=None)]
    jump = QualityTest.COUNTER_JUMP
    assert bits_of([(IN, 0, 1.0), (IN, 1, 33.0)], site, jump) == [0, jump if flagged else 0]


@pytest.mark.parametrize("dry_m", [0.0, 23.2, -4.3])
@pytest.mark.parametrize("entrance", [None, "south"])
@pytest.mark.parametrize("minutes", [5.0, 0.5])
def test_a_flat_line_is_water_from_two_centimetres_over_its_own_ground(
    dry_m: float, entrance: str | None, minutes: float
) -> None:
    """A level over datum reads its ground when dry, be that 23.2 m over or 4.3 m below; a depth (here of 0 m) reads 0.

    By hand: at 5 minutes the seventh reading is the first of half an hour, at 30 s, beyond a memory of 40, the 61st.
    """
    ground = {"floor_level_m": dry_m if entrance is None else -9.0, "roadway_level_m": dry_m if entrance else None}
    quantity = "water_level_m" if dry_m else "water_depth_m"
    site = [sensor(IN, quantity, entrance, 0.0 if dry_m == 0 else None, **ground)]
    for over_m, first in ((0.0, 200), (0.019, 200), (0.02, round(30 / minutes))):
        told = bits_of([(IN, minutes * n, round(dry_m + over_m, 3)) for n in range(200)], site, QualityTest.FLAT_LINE)
        assert [n for n, bits in enumerate(told) if bits] == list(range(first, 200))


def test_a_level_whose_ground_nobody_knows_is_no_flat_line() -> None:
    site = [sensor(IN, "water_level_m", None, None, floor_level_m=None)]
    assert set(bits_of([(IN, 5 * n, 3.0) for n in range(100)], site, QualityTest.FLAT_LINE)) == {0}


DRY: Said = [(NORTH, 0, 0.0), (SOUTH, 0, 6.0), (IN, 0, 0.0)]


def test_water_that_rises_inside_while_every_entrance_is_dry_is_suspect() -> None:
    assert bits_of([*DRY, (IN, 1, 0.049), (IN, 2, 0.05), (IN, 3, 0.08)]) == [0, 0, 0, 0, CROSSED, CROSSED]


def test_slow_water_is_known_by_ten_minutes_of_it() -> None:
    """By 0.5 cm a minute from 5 cm on: at minute 10 the highest of the readings 0 to 4 is 7 cm, 10 cm are 3 over it.

    At minute 9 the earlier half is 0 to 4 of 0 to 8: 9.5 cm, 2.5 over it. From minute 11 on it is the reading 6 before.
    """
    said = [entry for minute in range(16) for entry in rising(minute, 0.05 + 0.005 * minute)]
    inside = [found for entry, found in zip(said, bits_of(said), strict=True) if entry[0] == IN]
    assert inside == [0] * 10 + [CROSSED] * 6


@given(
    step_m=st.sampled_from([0.01, 0.02]),
    steps=st.lists(st.booleans(), min_size=2, max_size=50),
    minutes=st.sampled_from([0.1, 0.5, 1.0, 2.0, 5.0]),
)
@example(step_m=0.01, steps=[False, True] * 15, minutes=1.0)
@example(step_m=0.02, steps=[False] * 12 + [True, False] * 10, minutes=1.0)
def test_water_that_stands_under_a_coarse_sensor_is_no_rise(step_m: float, steps: list[bool], minutes: float) -> None:
    within = steps[: int(28 / minutes)]  # a level that has stood for half an hour is a flat line
    said = [entry for n, up in enumerate(within) for entry in rising(n * minutes, round(0.20 + step_m * up, 2))]
    assert set(bits_of(said)) == {0}


def rising(minute: float, depth_m: float) -> Said:
    """Dry entrances, and then what is said inside."""
    return [(NORTH, minute, 0.0), (SOUTH, minute, 6.0), (IN, minute, depth_m)]


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("the street is wet at one entrance", [(NORTH, 0, 0.02), (SOUTH, 0, 6.0), (IN, 0, 0.0), (IN, 1, 0.2)]),
        ("a level over the datum is wet, too", [(NORTH, 0, 0.0), (SOUTH, 0, 6.02), (IN, 0, 0.0), (IN, 1, 0.2)]),
        ("an entrance has said nothing", [(NORTH, 0, 0.0), (IN, 0, 0.0), (IN, 1, 0.2)]),
        ("an entrance is silent for over its interval and a minute", [*DRY, (NORTH, 1, 0.0), (IN, 6.1, 0.2)]),
        ("what a flood has left stands", [(IN, 0, 0.4), (NORTH, 1, 0.0), (SOUTH, 1, 6.0), (IN, 2, 0.4)]),
        ("and falls", [(IN, 0, 0.4), (NORTH, 1, 0.0), (SOUTH, 1, 6.0), (IN, 2, 0.3), (IN, 3, 0.1)]),
        ("a barrier holds", [(NORTH, 0, 0.3), (SOUTH, 0, 6.4), (IN, 0, 0.0), (NORTH, 1, 0.4), (IN, 1, 0.0)]),
        ("two centimetres are the sensor's own", [(IN, -1, 0.05), *DRY[:2], (IN, 1, 0.06), (IN, 2, 0.079)]),
    ],
)
def test_what_is_no_doubt(what: str, said: Said) -> None:
    assert set(bits_of(said)) == {0}, what


@pytest.mark.parametrize(
    ("what", "site"),
    [
        ("no sensor watches the south entrance", SITE[:2]),
        ("an underpass gathers rain itself", [row | {"space_kind": "underpass"} for row in SITE]),
        ("a gauge site has no entrances", [row | {"entrances": []} for row in SITE]),
    ],
)
def test_where_nothing_can_be_said(what: str, site: list[dict[str, Any]]) -> None:
    assert set(bits_of([*DRY[: len(site) - 1], (IN, 0, 0.0), (IN, 1, 0.2)], site)) == {0}, what


def test_a_float_contradicts_a_gauge_beyond_a_margin_either_way() -> None:
    """Mounted at 2.30 m over a floor at 2.00 m: the gauge reads 0.30 m where it trips, and the margin is 0.10 m."""
    said: Said = [(FLOAT, 0, 1), (IN, 0.5, 0.20), (IN, 1, 0.19), (FLOAT, 1.5, 1)]
    assert bits_of(said, WITH_FLOAT) == [0, 0, FLOATS, FLOATS]
    said = [(FLOAT, 0, 0), (IN, 0.5, 0.40), (IN, 1, 0.41), (FLOAT, 1.5, 0)]
    assert bits_of(said, WITH_FLOAT) == [0, 0, FLOATS, FLOATS]


def test_a_float_knows_nothing_below_its_mounting_and_its_word_ends() -> None:
    assert set(bits_of([(FLOAT, 0, 0), (IN, 1, 0.0), (IN, 2, 0.15), (IN, 3, 0.29)], WITH_FLOAT)) == {0}
    assert set(bits_of([(FLOAT, 0, 1), (IN, 6.1, 0.0)], WITH_FLOAT)) == {0}
    assert set(bits_of([(FLOAT, 0, 1), (NORTH, 1, 0.0), (SOUTH, 1, 6.0)], WITH_FLOAT)) == {0}, "of another spot"


def test_a_gauge_over_the_datum_is_held_against_the_same_height() -> None:
    site = [sensor(LEVEL_IN, "water_level_m", None, None), sensor(FLOAT, "float_lifted", None, 2.3)]
    assert wet_inside_m(site[0]) == pytest.approx(2.05)
    assert bits_of([(FLOAT, 0, 1), (LEVEL_IN, 1, 2.21), (LEVEL_IN, 2, 2.19)], site) == [0, 0, FLOATS]


@pytest.mark.parametrize(("gauge", "dry_m"), [(SITE[0], 0.0), (sensor(IN, "water_level_m", None, None), 2.0)])
def test_a_float_in_a_sump_contradicts_no_dry_gauge(gauge: dict[str, Any], dry_m: float) -> None:
    """Mounted 1 m below the floor: down it says that the gauge is dry, and lifted nothing of the water on the floor."""
    site = [gauge, sensor(FLOAT, "float_lifted", None, 1.0)]
    said: Said = [(FLOAT, 0, 0), (IN, 1, dry_m), (IN, 2, dry_m + 0.10), (FLOAT, 2.5, 0), (IN, 3, dry_m + 0.11)]
    assert bits_of(said, site) == [0, 0, 0, 0, FLOATS]
    assert set(bits_of([(FLOAT, 0, 1), (IN, 1, dry_m), (IN, 2, dry_m + 0.2), (FLOAT, 3, 1)], site)) == {0}


def test_a_level_gauge_in_the_sump_is_held_against_its_float() -> None:
    site = [sensor(LEVEL_IN, "water_level_m", None, None), sensor(FLOAT, "float_lifted", None, 1.5)]
    assert bits_of([(FLOAT, 0, 1), (LEVEL_IN, 1, 1.4), (LEVEL_IN, 2, 1.39)], site) == [0, 0, FLOATS]


def test_an_outside_gauge_is_held_against_no_street() -> None:
    outside, _ = beside_of(SITE)[NORTH]
    assert outside == ()
