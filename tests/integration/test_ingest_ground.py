"""A level over datum is held against its own ground and ceiling, as a depth is."""

from __future__ import annotations

import json

import pytest

from ingest.batch import Message
from ingest.writer import BatchWriter
from tests.integration.ingest_kit import query
from undercroft.quality import Quality, QualityTest

NOON_US = 1_782_907_200_000_000
OK = (Quality.GOOD, 0)
BELOW, ABOVE = ((quality, QualityTest.GROSS_RANGE) for quality in (Quality.FAIL, Quality.SUSPECT))


@pytest.mark.parametrize(
    ("device", "levels_m", "expected"),
    [
        # Sample site, cp-03: floor 3.8 m, ceiling 2.6 m over it. A depth may read 5 cm less than 0.
        (
            "cp-03-inside-level",
            (3.8, 3.75, 3.749, 0.0, 0.0, 6.4, 6.401),
            [OK, OK, BELOW, BELOW, BELOW, OK, ABOVE],
        ),
        # Its north entrance: roadway 7.8 m, and the sky above.
        ("cp-03-north-level", (7.8, 7.75, 7.749, 15.0), [OK, OK, BELOW, OK]),
    ],
)
def test_a_level_below_its_ground_fails_and_one_above_the_ceiling_is_suspect(
    database: str, writer: BatchWriter, device: str, levels_m: tuple[float, ...], expected: list[tuple[int, int]]
) -> None:
    """Failed is no evidence: what a broken sensor says from below its floor calms nothing, however often it says so."""
    query(database, "update sensor set quantity = 'water_level_m', zero_level_m = null where device_id = %s"
                    " and quantity = 'water_depth_m' returning 1", device)  # fmt: skip
    for mid, level_m in enumerate(levels_m, 1):
        at_us = NOON_US + mid * 600_000_000  # ten minutes: 0.5 m in each of them is no change that is too fast
        payload = json.dumps({"observed_at": at_us // 1000, "water_level_m": level_m}).encode()
        topic = f"flood/v1/futian/cp-03/{device}/observation".encode()
        writer.write([Message(topic, payload, mid, 1, False, at_us)])
    told = query(
        database,
        "select quality, quality_tests from observation join sensor using (sensor_id)"
        " where quantity = 'water_level_m' order by observed_at",
    )
    assert [(row["quality"], row["quality_tests"] & ~QualityTest.GAP) for row in told] == expected
