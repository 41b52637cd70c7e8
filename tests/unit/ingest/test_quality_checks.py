"""Flags by hand: each test at its limit, and what must not be flagged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from ingest.batch import Draft
from ingest.quality_checks import Examined, examine
from ingest.quality_recent import Recent, Stray, Traits
from undercroft.quality import Quality, QualityTest
from undercroft.store.observations import NO_SERIAL, Rows
from undercroft.store.stamped import Again, Stamped

T0_US = 1_782_907_200_000_000
MINUTE_US = 60_000_000
LEVEL, PEER, BATTERY, COUNTER = 1, 2, 3, 4
TRAITS = {
    LEVEL: Traits(is_level=True, interval_s=300.0, ceiling_m=3.0, peers=(PEER,)),
    PEER: Traits(is_level=True, interval_s=300.0, ceiling_m=3.0, peers=(LEVEL,)),
    BATTERY: Traits(is_level=False, interval_s=300.0, ceiling_m=np.inf),
    COUNTER: Traits(is_level=False, interval_s=300.0, ceiling_m=np.inf, is_counter=True),
}
Said = tuple[float, float] | tuple[float, float, float] | tuple[float, float, float, int]
"""(observed minute, value[, received minute[, serial]])"""


def draft_of(said: Sequence[Said], sensor: int = LEVEL) -> Draft:
    rows = [(entry[0], entry[1], (*entry, entry[0])[2], (*entry[3:], NO_SERIAL)[0]) for entry in said]
    count = len(rows)
    return Draft(
        count,
        Rows(
            np.full(count, sensor, dtype=np.int32),
            np.array([T0_US + int(o * MINUTE_US) for o, *_ in rows], dtype=np.int64),
            np.array([v for _, v, *_ in rows]),
            np.full(count, Quality.GOOD, dtype=np.int16),
            np.zeros(count, dtype=np.int32),
            np.array([T0_US + int(r * MINUTE_US) for _, _, r, _ in rows], dtype=np.int64),
            np.array([s for *_, s in rows], dtype=np.int64),
        ),
        np.arange(count, dtype=np.int64),
        (),
        (),
        (),
        (),
        None,
        (),
    )


def after(said: Sequence[Said], sensor: int = LEVEL, recent: dict[int, Recent] | None = None) -> Examined:
    return examine(draft_of(said, sensor), recent or {}, TRAITS)


def bits_of(said: Sequence[Said]) -> list[int]:
    return [int(bits) for bits in after(said).draft.rows.quality_tests]


def test_a_change_of_half_a_metre_in_a_minute_is_still_water() -> None:
    assert bits_of([(0, 0.0), (1, 0.5), (2, 0.0)]) == [0, 0, 0]
    assert bits_of([(0, 0.0), (1, 0.51)]) == [0, QualityTest.RATE_OF_CHANGE]
    assert bits_of([(0, 0.0), (3, 1.49)]) == [0, 0]


@pytest.mark.parametrize(
    ("said", "jumps"),
    [
        ([(0, 0.0), (1, 31.2), (2, 62.4)], []),  # the record of a minute (WMO), twice
        ([(0, 0.0), (1, 31.3)], [1]),
        ([(0, 300.0), (42, 605.0)], []),  # the record of an hour, which fell in 42 minutes
        ([(0, 300.0), (60, 605.1)], [1]),
        ([(0, 300.0), (1 / 60, 331.2)], []),  # what is read late fell before
        ([(0, 300.0), (1, 5000.0), (2, 5000.5)], [1]),  # the gauge was changed
        ([(0, 300.0), (1, 5000.0), (2, 300.5), (3, 301.0)], [1]),  # one reading was wrong
        ([(0, 300.0), (1, 5000.0), (2, 9000.0), (3, 301.0)], [1, 2, 3]),  # goes on from neither
        ([(0, 300.0), (1, 2.0), (2, 2.5)], []),  # began anew
        ([(0, 300.0), (1, 296.0), (2, 296.5)], []),  # restored what it had saved
        ([(0, 300.0), (1, 250.0)], [1]),  # is none of these
        ([(0, 5000.0)], []),  # nobody knows what was before
    ],
)
def test_a_rain_counter_shows_no_more_than_ever_fell_on_earth(said: list[Said], jumps: list[int]) -> None:
    rows = after(said, COUNTER).draft.rows
    assert np.flatnonzero(rows.quality_tests & QualityTest.COUNTER_JUMP).tolist() == jumps
    assert np.flatnonzero(rows.qualities == Quality.SUSPECT).tolist() == jumps
    assert rows.values.tolist() == [value for _, value, *_ in said]


def test_what_fails_says_nothing_of_where_a_counter_stood() -> None:
    recent = {COUNTER: Recent()}
    failed = draft_of([(0, 300.0), (1, 5000.0), (2, 5001.0)], COUNTER)
    failed.rows.qualities[1] = Quality.FAIL
    rows = examine(failed, recent, TRAITS).draft.rows
    assert rows.quality_tests.tolist() == [0, 0, QualityTest.COUNTER_JUMP]


def test_two_readings_a_second_apart_are_not_a_rate() -> None:
    assert bits_of([(0, 0.10), (1 / 60, 0.14)]) == [0, 0]


def test_a_quick_sensor_is_held_against_the_minute_not_only_against_the_reading_before() -> None:
    """By hand: 0.4 m every 10 s is 2.4 m in a minute; over 0.5 m from the third reading on. 0.08 m is 0.48 m."""
    assert bits_of([(n / 6, 0.4 * n) for n in range(7)]) == [0, 0] + [QualityTest.RATE_OF_CHANGE] * 5
    assert bits_of([(n / 6, 2.4 - 0.4 * n) for n in range(7)]) == [0, 0] + [QualityTest.RATE_OF_CHANGE] * 5
    assert set(bits_of([(n / 6, 0.08 * n) for n in range(30)])) == {0}


def test_a_quick_sensor_that_steps_is_doubted_for_a_minute() -> None:
    """By hand: the last 0.0 is of 0:50, and within the minute until 1:50."""
    said: list[Said] = [*((n / 6, 0.0) for n in range(6)), *((1 + n / 6, 0.8) for n in range(10))]
    assert bits_of(said) == [0] * 6 + [QualityTest.RATE_OF_CHANGE] * 6 + [0] * 4


def test_a_fast_change_is_suspect_and_the_next_one_there_is_good() -> None:
    rows = after([(0, 0.0), (1, 0.8), (2, 0.85)]).draft.rows
    assert rows.qualities.tolist() == [Quality.GOOD, Quality.SUSPECT, Quality.GOOD]
    assert rows.values.tolist() == [0.0, 0.8, 0.85]


def test_a_spike_is_known_with_the_next_sample_and_flagged_afterwards() -> None:
    first = after([(0, 0.02), (1, 0.20)])
    assert first.spikes == ()
    assert first.draft.rows.qualities.tolist() == [Quality.GOOD, Quality.GOOD]
    later = examine(draft_of([(2, 0.03)]), first.recent, TRAITS)
    assert later.spikes == ((LEVEL, T0_US + MINUTE_US),)
    assert later.draft.rows.qualities.tolist() == [Quality.GOOD]


def test_what_stays_up_or_is_small_is_no_spike() -> None:
    assert after([(0, 0.02), (1, 0.20), (2, 0.18)]).spikes == ()
    assert after([(0, 0.02), (1, 0.11), (2, 0.02)]).spikes == ()
    assert after([(0, 0.02), (31, 0.20), (61, 0.02)]).spikes == ()


def test_flat_is_suspect_only_when_wet_and_long() -> None:
    wet = bits_of([(5 * n, 0.02) for n in range(8)])
    assert wet == [0, 0, 0, 0, 0, 0, QualityTest.FLAT_LINE, QualityTest.FLAT_LINE]
    assert set(bits_of([(5 * n, 0.019) for n in range(20)])) == {0}
    assert set(bits_of([(5 * n, 0.02 + n % 2 * 0.001) for n in range(20)])) == {0}


def test_flat_is_found_at_a_sensor_that_is_quicker_than_the_memory() -> None:
    """By hand: from 30 minutes on, one reading every 30 s; the 61st is the first. Another value begins it anew."""
    quick = bits_of([(0.5 * n, 0.30) for n in range(200)])
    assert [n for n, bits in enumerate(quick) if bits] == list(range(60, 200))
    moved = bits_of([(0.5 * n, 0.31 if n == 100 else 0.30) for n in range(200)])
    assert [n for n, bits in enumerate(moved) if bits] == [*range(60, 100), *range(161, 200)]


def test_a_dry_gauge_may_read_zero_for_months() -> None:
    assert set(bits_of([(5 * n, 0.0) for n in range(200)])) == {0}


def test_a_depth_above_the_ceiling_is_suspect() -> None:
    rows = after([(0, 2.9), (1, 3.0), (2, 3.01)]).draft.rows
    assert rows.quality_tests.tolist() == [0, 0, QualityTest.GROSS_RANGE]
    assert rows.qualities.tolist()[2] == Quality.SUSPECT


def test_three_missed_intervals_are_a_gap_and_say_nothing_about_the_value() -> None:
    rows = after([(0, 0.1), (15, 0.11), (30.1, 0.12)]).draft.rows
    assert rows.quality_tests.tolist() == [0, 0, QualityTest.GAP]
    assert set(rows.qualities.tolist()) == {Quality.GOOD}


def test_a_frozen_clock_says_another_value_at_the_same_time() -> None:
    rows = after([(0, 0.1, 0), (0, 0.2, 1), (0, 0.3, 1.1), (0, 0.1, 5)]).draft.rows
    assert [bits & QualityTest.FROZEN_CLOCK for bits in rows.quality_tests.tolist()] == [
        0,
        0,
        QualityTest.FROZEN_CLOCK,
        0,
    ]
    assert rows.qualities.tolist() == [Quality.GOOD, Quality.GOOD, Quality.SUSPECT, Quality.GOOD]


def test_a_repeated_serial_is_suspect_for_every_quantity() -> None:
    rows = after([(0, 3.6, 0, 7), (1, 3.6, 1, 8), (2, 3.6, 2, 8), (3, 3.6, 3, 9)], BATTERY).draft.rows
    assert rows.quality_tests.tolist() == [0, 0, QualityTest.REPEATED_SERIAL, 0]
    assert rows.qualities.tolist()[2] == Quality.SUSPECT


def test_skew_and_buffering_are_told_and_leave_the_value_good() -> None:
    rows = after([(0, 0.1, 1), (1, 0.11, 2.1), (2, 0.12, 13)]).draft.rows
    skew, old = QualityTest.CLOCK_SKEW, QualityTest.BUFFERED
    assert rows.quality_tests.tolist() == [0, skew, skew | old]
    assert set(rows.qualities.tolist()) == {Quality.GOOD}


def test_the_peer_at_the_same_spot_is_looked_at() -> None:
    peer = after([(0, 0.40)], PEER).recent
    assert after([(1, 0.26)], recent=peer).draft.rows.quality_tests.tolist() == [0]
    assert after([(1, 0.24)], recent=peer).draft.rows.quality_tests.tolist() == [QualityTest.CROSS_CHECK]
    assert after([(2.1, 0.0)], recent=peer).draft.rows.quality_tests.tolist() == [0]


def test_late_is_older_than_the_newest() -> None:
    rows = after([(5, 0.1, 5), (4, 0.9, 5), (6, 0.1, 6)]).draft.rows
    assert rows.quality_tests.tolist() == [0, QualityTest.LATE, 0]


def test_a_burst_newest_first_is_late_and_buffered_but_for_its_newest() -> None:
    late = QualityTest.LATE | QualityTest.BUFFERED | QualityTest.CLOCK_SKEW
    assert bits_of([(60, 0.0, 60), (40, 0.9, 60), (30, 0.8, 60), (61, 0.0, 61)]) == [0, late, late, 0]


def test_a_clock_that_is_set_back_an_hour_counts_from_the_second_reading() -> None:
    """The first may be a reading that was held up; the second, in step with it, cannot be."""
    done = after([(60, 0.1, 60), (1, 0.5, 61), (2, 0.6, 62), (3, 0.7, 63)]).draft
    assert done.rows.observed_us.tolist() == [T0_US + 60 * MINUTE_US, T0_US + MINUTE_US]
    assert done.stamped == tuple(
        Stamped(
            LEVEL,
            value,
            Quality.SUSPECT,
            QualityTest.CLOCK_LOST,
            T0_US + (60 + minute) * MINUTE_US,
            T0_US + minute * MINUTE_US,
            again=Again.NEW,
        )
        for minute, value in [(2, 0.6), (3, 0.7)]
    )
    assert done.stamped_of == (2, 3)


SECOND = 1 / 60


def test_a_clock_that_is_set_back_is_noticed_within_half_a_minute_of_quick_readings() -> None:
    """One every ten seconds: the first at 61:00, the one at 61:30 has run on for 30 s."""
    said: list[Said] = [(60, 0.1, 60)]
    said += [(1 + 10 * n * SECOND, 0.5, 61 + 10 * n * SECOND) for n in range(6)]
    assert after(said).draft.stamped_of == (4, 5, 6)


def test_what_comes_in_bursts_with_outages_between_is_late_and_no_clock_set_back() -> None:
    """Readings a second apart, from hours ago, 100 at once; then nothing for some time, and the next 100.

    Whatever the length of the outage, one of the first readings after it is as much younger as the outage was long.
    """
    for outage_s in (1, 5, 10, 20, 30, 33, 40, 49, 60, 90):
        for together in (0.0, 0.01):  # in one read, and in many
            said: list[Said] = [(600, 0.1, 600)]
            for burst in range(4):
                for n in range(100):
                    received_s = burst * outage_s + n * together
                    said.append(((burst * 100 + n) * SECOND, 0.2, 601 + received_s * SECOND))
            done = after(said)
            assert done.draft.stamped == (), (outage_s, together)
            assert all(bits & QualityTest.LATE for bits in done.draft.rows.quality_tests.tolist()[1:])


def test_a_burst_after_a_long_pause_is_no_reading_that_came_alone() -> None:
    """The newest of a buffer and the reading after it are in step; the buffer was spoken faster than time passes."""
    said: list[Said] = [(600, 0.1, 600)]
    said += [(n, 0.2, 610) for n in range(30)]
    said += [(30, 0.2, 611)]
    assert after(said).draft.stamped == ()
    said += [(31, 0.2, 612), (32, 0.2, 613)]  # but if it goes on, the clock was set back
    assert after(said).draft.stamped_of == (32, 33)


def test_a_second_way_that_is_always_late_is_no_clock_set_back() -> None:
    said: list[Said] = []
    for minute in range(10, 20):
        said += [(minute, 0.1, minute), (minute - 5, 0.1, minute)]
    assert after(said).draft.stamped == ()


def test_a_second_way_that_is_always_late_is_no_clock_set_back_while_the_first_is_silent() -> None:
    """By hand: it goes on in step over the word of 14:00; three dry intervals later nothing explains it any more."""
    said: list[Said] = []
    for minute in range(10, 20):
        said += [(minute, 0.1, minute)] if minute < 15 or minute > 17 else []
        said += [(minute - 5, 0.1, minute)]
    assert after(said).draft.stamped == ()
    said = [(minute, 0.1, minute) for minute in range(10, 15)]
    said += [(minute - 90, 0.1, minute) for minute in range(13, 32)]
    said.sort(key=lambda entry: (*entry, entry[0])[2])
    received = [entry.received_us - T0_US for entry in after(said).draft.stamped]
    assert received == [30 * MINUTE_US, 31 * MINUTE_US]


def test_a_clock_that_stands_a_month_back_counts_after_half_a_minute_of_quick_readings() -> None:
    """One every seven seconds: 0.51 is late, four are conflicts, and the sixth, 35 s after it, is the water."""
    month = 30 * 24 * 60
    said: list[Said] = [(0, 0.0, 0), *((-month, round(0.5 + n / 100, 2), n * 7 * SECOND) for n in range(1, 14))]
    done = after(said).draft
    assert done.stamped_of == tuple(range(6, 14))
    assert [entry.value for entry in done.stamped] == [round(0.5 + n / 100, 2) for n in range(6, 14)]
    assert {entry.quality for entry in done.stamped} == {Quality.SUSPECT}


def test_another_value_under_a_past_time_that_comes_over_a_minute_later_is_suspect() -> None:
    """In the midst of words of now it is no clock that was set back."""
    done = after([(0, 0.0, 0), (-60, 0.1, 0.5), (1, 0.0, 1), (-60, 0.2, 1.4), (2, 0.0, 2), (-60, 0.3, 2.5)]).draft
    assert [bits & QualityTest.FROZEN_CLOCK for bits in done.rows.quality_tests.tolist()] == [0] * 5 + [64]
    assert done.rows.qualities.tolist()[-1] == Quality.SUSPECT


def test_the_same_under_another_number_is_not_sent_again() -> None:
    """By hand: the second word, a minute later, says time and value of the first, and is the next by its number."""
    numbered: list[Said] = [(0, 0.0, 0, 1), (-60, 0.5, 1, 2), (-60, 0.5, 2, 3)]
    assert after(numbered).draft.stamped_of == (2,)
    assert after([(0, 0.0, 0), (-60, 0.5, 1), (-60, 0.5, 2)]).draft.stamped == ()


HOURS = 480
"""A host whose clock was left in local time, UTC+8, is ahead by so many minutes."""


@pytest.mark.parametrize("sensor", [LEVEL, BATTERY])
def test_what_was_stamped_while_our_own_clock_was_ahead_makes_nothing_late(sensor: int) -> None:
    """Readings without a time of their own, which ingest stamps, before and after its clock is set right."""
    ahead = [(float(minute + HOURS), 0.01 * minute) for minute in range(5)]
    right = [(float(minute), 0.01 * minute) for minute in range(5, 15)]
    examined = after([*ahead, *right], sensor)
    assert [int(bits) for bits in examined.draft.rows.quality_tests] == [0] * 15
    assert [sample.observed_us for sample in examined.recent[sensor].samples] == [
        T0_US + minute * MINUTE_US for minute in range(5, 15)
    ]


def test_a_device_with_a_clock_of_its_own_is_judged_on_while_ours_is_ahead_and_after() -> None:
    said: list[Said] = [(float(minute), 0.0, float(minute + (HOURS if minute < 5 else 0))) for minute in range(10)]
    skewed = int(QualityTest.CLOCK_SKEW | QualityTest.BUFFERED)
    assert bits_of(said) == [skewed] * 5 + [0] * 5
    examined = after(said)
    assert len(examined.recent[LEVEL].samples) == 10


def test_a_device_that_is_set_back_just_after_our_own_clock_was_is_noticed_all_the_same() -> None:
    said: list[Said] = [(float(minute), 0.0, float(minute + HOURS)) for minute in range(5)]
    said += [(float(minute - 60), 0.0, float(minute)) for minute in range(5, 9)]
    assert after(said).draft.stamped_of == (7, 8)


def test_a_device_nine_minutes_ahead_is_remembered() -> None:
    examined = after([(9.0, 0.0, 0.0), (9.5, 0.0, 0.5), (10.0, 0.0, 1.0)], BATTERY)
    assert len(examined.recent[BATTERY].samples) == 3


def test_a_clock_that_is_right_again_is_believed() -> None:
    done = after([(60, 0.1, 60), (1, 0.5, 61), (2, 0.6, 62), (63, 0.7, 63)]).draft
    assert done.rows.observed_us.tolist()[-1] == T0_US + 63 * MINUTE_US
    assert done.rows.quality_tests.tolist()[-1] == 0


def test_a_failed_value_is_no_neighbour() -> None:
    first = draft_of([(0, 0.1), (1, 60.0), (2, 0.1)])
    first.rows.qualities[1] = Quality.FAIL
    rows = examine(first, {}, TRAITS).draft.rows
    assert rows.quality_tests.tolist() == [0, 0, 0]
    assert rows.qualities.tolist() == [Quality.GOOD, Quality.FAIL, Quality.GOOD]


def test_readings_of_one_receipt_are_one_moment_and_lost_if_one_of_them_is() -> None:
    memory = Recent()
    memory.note_stray(10, 100, is_lost=True)
    memory.note_stray(5, 100)
    assert memory.strays == (Stray(100, 5, 10, is_lost=True),)
