"""Readings tested as columns and readings tested one by one get the same flags and leave the same memory."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from ingest import quality_checks, quality_recent, quality_usual
from ingest.batch import Draft
from ingest.quality_checks import Examined, examine
from ingest.quality_recent import Beside, Recent, Traits
from ingest.quality_usual import examine_usual
from undercroft.quality import Quality, QualityTest
from undercroft.store.observations import NO_SERIAL, Rows
from undercroft.store.stamped import Stamped

NOON_US = 1_782_907_200_000_000
MINUTE_US = 60_000_000
LEVEL, PAIRED, OTHER_OF_PAIR, BATTERY, GONE, INSIDE, OUTSIDE, FLOAT, COUNTER = range(1, 10)
TRAITS = {
    LEVEL: Traits(is_level=True, interval_s=60.0, ceiling_m=3.0),
    PAIRED: Traits(is_level=True, interval_s=60.0, ceiling_m=3.0, peers=(OTHER_OF_PAIR,)),
    OTHER_OF_PAIR: Traits(is_level=True, interval_s=60.0, ceiling_m=3.0, peers=(PAIRED,)),
    BATTERY: Traits(is_level=False, interval_s=60.0, ceiling_m=np.inf),
    INSIDE: Traits(True, 60.0, 3.0, wet_m=0.05, outside=((Beside(OUTSIDE, 0.02, 5 * MINUTE_US),),), wet_from_m=-4.28),
    OUTSIDE: Traits(True, 60.0, 3.0, floats=(Beside(FLOAT, 0.3, 5 * MINUTE_US),), wet_from_m=0.21),
    COUNTER: Traits(False, 60.0, np.inf, is_counter=True),
    FLOAT: Traits(False, 60.0, np.inf, gauges=(Beside(OUTSIDE, 0.3, 5 * MINUTE_US),)),
}
Reading = tuple[int, float, int, float, Quality, int, bool]
"""Sensor, minutes since the one before, minutes its clock is behind, value, flag, serial, beside a lost clock."""
_READINGS = st.lists(
    st.tuples(
        st.sampled_from(
            [LEVEL, LEVEL, LEVEL, PAIRED, OTHER_OF_PAIR, BATTERY, GONE, INSIDE, INSIDE, OUTSIDE, FLOAT, COUNTER]
        ),
        st.sampled_from([1 / 6, 1 / 6, 1 / 6, 1, 1, 1, 1, 5, 10, 40, 70]),  # minutes since the one before
        st.sampled_from([0, 0, 0, 0, 0, 0, 0, 2, 11, 90, -2]),  # minutes that its clock is behind
        st.sampled_from([0.0, 0.02, 0.2, 0.2, 0.2, 0.21, 0.33, 0.6, 0.9, 3.5, 40.0]),
        st.sampled_from([Quality.GOOD] * 19 + [Quality.FAIL]),
        st.sampled_from([NO_SERIAL, NO_SERIAL, 1, 2]),
        st.sampled_from([False] * 29 + [True]),  # a reading without a clock beside it
    ),
    min_size=1,
    max_size=30,
)


def _drafts(readings: list[Reading], cut: int) -> list[Draft]:
    now_us, entries = NOON_US, []
    for sensor_id, wait, behind, value, quality, serial, is_beside_lost in readings:
        now_us += round(wait * MINUTE_US)
        entries.append((sensor_id, now_us - behind * MINUTE_US, value, quality, 0, now_us, serial, is_beside_lost))
    drafts = []
    for part in (entries[:cut], entries[cut:]):
        if part:
            columns = [np.array(column) for column in zip(*(entry[:7] for entry in part), strict=True)]
            lost = [(n, entry) for n, entry in enumerate(part) if entry[7]]
            stamped = tuple(Stamped(entry[0], 0.5, Quality.SUSPECT, 1, entry[5], 0) for _, entry in lost)
            of = np.arange(len(part), dtype=np.int64)
            drafts.append(Draft(len(part), Rows(*columns), of, stamped, tuple(n for n, _ in lost), (), (), None, ()))
    return drafts


def _outcome(drafts: list[Draft], many_rows: int, remembered: int) -> list[object]:
    told: list[object] = []
    with (
        patch.object(quality_checks, "MANY_ROWS", many_rows),
        patch.object(quality_recent, "MOST_RECENT", remembered),
        patch.object(quality_usual, "MOST_RECENT", remembered),
    ):
        recent: dict[int, Recent] = {sensor_id: Recent() for sensor_id in (*TRAITS, GONE)}
        for draft in drafts:
            examined = examine(draft, recent, TRAITS)
            recent |= examined.recent
            told.append(_told(examined))
    return [*told, recent]


def _told(examined: Examined) -> tuple[object, ...]:
    draft = examined.draft
    flags = (draft.rows.qualities.tolist(), draft.rows.quality_tests.tolist(), draft.row_of.tolist())
    for bits in flags[1]:
        event(f"tests {bits}")
    return (*flags, draft.stamped, sorted(examined.spikes), examined.strays)


_OLDER_THAN_A_LOST_CLOCK = [(LEVEL, 1, 2, 0.2, Quality.GOOD, NO_SERIAL, True),
                            (LEVEL, 1, 2, 0.2, Quality.GOOD, NO_SERIAL, False)]  # fmt: skip
"""The second is newer than the first, and older than the receipt of the reading without a clock beside it."""


_OUTSIDE_IN_TURN = [(OUTSIDE, 1, 0, 0.0, Quality.GOOD, NO_SERIAL, False),
                    (INSIDE, 1, 0, 0.2, Quality.GOOD, NO_SERIAL, False),
                    (INSIDE, 1, 0, 0.33, Quality.GOOD, NO_SERIAL, False),
                    (OUTSIDE, 1, 0, 0.2, Quality.GOOD, NO_SERIAL, False)]  # fmt: skip
"""Water rises inside while it is dry outside; by the end of the batch it is wet there."""


_FAST = [(LEVEL, 1 / 6, 0, round(0.4 * n, 1), Quality.GOOD, NO_SERIAL, False) for n in range(8)]
_FAILED_BEFORE = [(LEVEL, 1 / 6, 0, value, quality, NO_SERIAL, False)
                  for value, quality in ((0.0, Quality.FAIL), *[(0.9, Quality.GOOD)] * 3)]  # fmt: skip
_FLAT = [(LEVEL, 1, 0, 0.2, Quality.GOOD, NO_SERIAL, False)] * 29 + [(LEVEL, 5, 0, 0.2, Quality.GOOD, NO_SERIAL, False)]


_CHANGED = [(COUNTER, 1, 0, value, Quality.GOOD, NO_SERIAL, False) for value in (0.2, 40.0, 0.21, 90.0, 91.0, 0.3)]
"""A wrong reading, a changed gauge, and what goes on from neither of the last two."""


@example(readings=_CHANGED, cut=6, remembered=40)
@example(readings=_CHANGED, cut=3, remembered=2)
@example(readings=_FAST, cut=4, remembered=40)
@example(readings=_FAST, cut=2, remembered=2)
@example(readings=_FAILED_BEFORE, cut=3, remembered=7)
@example(readings=_FLAT, cut=4, remembered=2)
@example(readings=_FLAT, cut=25, remembered=7)
@example(readings=_OUTSIDE_IN_TURN, cut=4, remembered=40)
@example(readings=_OLDER_THAN_A_LOST_CLOCK, cut=1, remembered=40)
@settings(max_examples=200)
@given(readings=_READINGS, cut=st.integers(0, 30), remembered=st.sampled_from([2, 7, 40]))
def test_columns_say_what_single_readings_say(readings: list[Reading], cut: int, remembered: int) -> None:
    """A memory of two is outrun within a batch, one of seven by the longest; it knows since when nothing changed."""
    drafts = _drafts(readings, cut)
    assert _outcome(drafts, 1, remembered) == _outcome(drafts, 10**6, remembered)


def test_a_usual_sensor_is_tested_as_columns() -> None:
    """By hand: 0.9 m up in a minute is a change of over 0.5 m; the other sensor of a spot is told one by one."""
    (draft,) = _drafts([(LEVEL, 1, 0, 0.0, Quality.GOOD, 1, False), (LEVEL, 1, 0, 0.9, Quality.GOOD, 1, False),
                        (PAIRED, 1, 0, 0.2, Quality.GOOD, 1, False)], 3)  # fmt: skip
    usual = examine_usual(draft.rows, {}, TRAITS, frozenset())
    assert usual.rows.tolist() == [0, 1]
    assert usual.tests.tolist() == [0, QualityTest.RATE_OF_CHANGE | QualityTest.REPEATED_SERIAL]
    assert list(usual.recent) == [LEVEL]
