"""Late data and lost clocks: from what ingest flags to what the engine raises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ingest.batch import Draft
from ingest.quality_checks import examine
from ingest.quality_recent import Recent, Traits
from risk.arrays import to_us
from risk.engine import tick
from risk.evidence import Samples
from tests.unit.risk.builders import START, Crank, site, underpass
from undercroft.quality import Quality, QualityTest
from undercroft.store.observations import Rows

KEY = "up-lvl:water_depth_m"
RED_M = 0.5
MINUTE_US = 60_000_000
Said = tuple[float, float]
"""(observed minute, depth)"""


class Chain:
    """What quality control makes of readings, handed to the engine: one tick a minute."""

    def __init__(self) -> None:
        self.crank = Crank(site(underpass()))
        self.recent: dict[int, Recent] = {}
        self.tests: list[int] = []

    def hear(self, minute: float, *said: Said) -> None:
        received_us = to_us(START) + int(minute * MINUTE_US)
        count = len(said)
        rows = Rows(
            np.zeros(count, dtype=np.int32),
            np.array([to_us(START) + int(at * MINUTE_US) for at, _ in said], dtype=np.int64),
            np.array([value for _, value in said]),
            np.full(count, Quality.GOOD, dtype=np.int16),
            np.zeros(count, dtype=np.int32),
            np.full(count, received_us, dtype=np.int64),
        )
        draft = Draft(count, rows, np.arange(count), (), (), (), (), None, ())
        done = examine(draft, self.recent, {0: Traits(is_level=True, interval_s=300.0, ceiling_m=5.0)})
        self.recent |= done.recent
        self.tests += done.draft.rows.quality_tests.tolist()
        self.feed(minute, done.draft)

    def feed(self, minute: float, draft: Draft) -> None:
        rows, index = draft.rows, self.crank.engine.plant.arrays.sensor_index[KEY]
        stamped = draft.stamped
        samples = Samples(
            np.full(len(rows) + len(stamped), index, dtype=np.int64),
            np.concatenate([rows.observed_us, np.array([s.received_us for s in stamped], dtype=np.int64)]),
            np.concatenate([rows.values, np.array([s.value for s in stamped])]),
            np.concatenate([rows.qualities, np.array([s.quality for s in stamped])]).astype(np.int8),
            np.concatenate([rows.quality_tests & QualityTest.BUFFERED != 0, np.zeros(len(stamped), dtype=np.bool_)]),
        )
        inputs = replace(self.crank.inputs(minute), samples=samples)
        self.crank.engine, output = tick(self.crank.engine, inputs)
        self.crank.outputs.append(output)

    @property
    def raised(self) -> Sequence[tuple[str, int]]:
        return self.crank.events("space/up")


def test_a_device_an_hour_slow_still_raises_its_red_with_its_age() -> None:
    chain = Chain()
    for minute in range(5):
        chain.hear(minute, (minute - 60, 0.0))
    chain.hear(5, (5 - 60, RED_M))
    assert chain.raised == [("raised", 4)]
    reason = chain.crank.outputs[-1].events[0].reasons[0]
    assert reason["age_s"] == 3600
    assert chain.tests[-1] == QualityTest.CLOCK_SKEW | QualityTest.BUFFERED


def test_a_device_set_back_an_hour_raises_its_red_with_the_second_reading() -> None:
    chain = Chain()
    for minute in range(5):
        chain.hear(minute, (minute, 0.0))
    chain.hear(5, (5 - 60, RED_M))
    assert chain.raised == []
    chain.hear(6, (6 - 60, RED_M))
    assert chain.raised == [("raised", 4)]


def test_a_burst_oldest_first_fills_history_and_raises_nothing_old() -> None:
    chain = Chain()
    chain.hear(0, (0, 0.0))
    chain.hear(60, *[(minute, RED_M if 20 <= minute < 40 else 0.0) for minute in range(1, 61)])
    assert chain.raised == []
    assert len(chain.tests) == 61


def test_a_burst_newest_first_raises_nothing_old() -> None:
    chain = Chain()
    chain.hear(0, (0, 0.0))
    chain.hear(60, *[(minute, RED_M if 20 <= minute < 40 else 0.0) for minute in range(60, 0, -1)])
    assert chain.raised == []
    chain.hear(61, (30.5, 0.9), (61, 0.0))
    assert chain.raised == []


def test_the_newest_reading_of_a_burst_counts_with_its_age() -> None:
    chain = Chain()
    chain.hear(0, (0, 0.0))
    chain.hear(60, *[(minute, RED_M if minute >= 10 else 0.0) for minute in range(1, 21)])
    assert chain.raised == [("raised", 4)]
    assert chain.crank.outputs[-1].events[0].reasons[0]["age_s"] == 2400


def test_an_old_low_reading_clears_nothing() -> None:
    chain = Chain()
    chain.hear(0, (0, RED_M))
    for minute in range(1, 40):
        chain.hear(minute, (minute - 60, 0.0))
    assert chain.raised == [("raised", 4), ("reason_added", 4)], "and words of a lost clock alone leave the space blind"
