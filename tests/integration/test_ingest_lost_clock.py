"""Readings of a device without a clock: stored once for each message, known by its delivery, not by its words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from ingest.batch import Message
from ingest.quality import MAX_BEHIND_US
from ingest.retry import Retried, Retrier
from ingest.session_numbers import FORGET_AFTER
from ingest.writer import BatchWriter, Written
from tests.ingest_fixtures import writer_of
from tests.integration.ingest_kit import one, query
from undercroft.model import Mode
from undercroft.quality import QualityTest
from undercroft.store.connection import connect
from undercroft.store.retention import retain
from undercroft.store.sessions import SessionTaken

NOON_US = 1_782_907_200_000_000
TOPIC = b"flood/v1/futian/gauge-beiling/gauge-beiling-rain/observation"


def said(mid: int, value: float, s: float = 0.0, *, at: object = 0, is_again: bool = False) -> Message:
    """What is received ``s`` seconds after noon from a device whose clock stands at ``at``."""
    payload = json.dumps({"observed_at": at, "rain_total_mm": value}).encode()
    return Message(TOPIC, payload, mid, min(mid, 1), False, NOON_US + round(s * 1e6), is_again)


@pytest.fixture
def writer(database: str) -> Iterator[BatchWriter]:
    with closing(writer_of(database, session="undercroft-observation")) as made:
        yield made


def values_of(database: str) -> list[float]:
    rows = query(database, "select value from observation where quality_tests & 1 = 1 order by observed_at")
    return [row["value"] for row in rows]


def counts(written: Written) -> tuple[int, int]:
    return written.record.stored, written.record.duplicates


def test_what_never_was_committed_is_new_though_marked_and_said_before(database: str, writer: BatchWriter) -> None:
    """Up, down, up; the last was delivered, not committed, and comes again with the mark."""
    for mid, value in enumerate((0.0, 0.4, 0.0), 1):
        writer.write([said(mid, value, 60 * mid)])
    assert counts(writer.write([said(4, 0.4, 240, is_again=True)])) == (1, 0)
    assert values_of(database) == [0.0, 0.4, 0.0, 0.4]


def test_what_was_committed_is_known_when_it_comes_again(database: str, writer: BatchWriter) -> None:
    first = [said(1, 0.0), said(2, 0.4), said(3, 0.0), said(4, 0.4, 0.5)]
    assert counts(writer.write(first)) == (4, 0), "in one millisecond, too"
    assert counts(writer.write(first)) == (0, 4), "the answer to the commit was lost"
    writer.close()
    again = [message._replace(received_us=NOON_US + 60_000_000, is_again=True) for message in first]
    assert counts(writer.write([*again, said(5, 0.0, 60)])) == (1, 4), "ingest was killed before it acknowledged"
    assert values_of(database) == [0.0, 0.4, 0.0, 0.4, 0.0]
    assert counts(writer.write([said(1, 0.4, 120)])) == (1, 0), "a new message under an old number"


def measured(mid: int, count: int) -> list[Message]:
    """One reading with a time, delivered so many times under the numbers from ``mid`` on."""
    return [said(mid + place, 1.0, at=NOON_US // 1000) for place in range(count)]


def test_a_number_of_a_round_before_makes_nothing_known(database: str) -> None:
    """Open, deployed, and a round of 65,535 later open under the number of the first: in flight at a kill, it comes
    marked. What can be in flight is known all the while.
    """
    with closing(writer_of(database, session="undercroft-event")) as writer:
        writer.write([said(1, 0.0), said(2, 1.0, 20)])
        for mid in range(3, FORGET_AFTER, 5000):
            writer.write(measured(mid, 5000))
        kept = [said(mid, 0.5, 40, is_again=True) for mid in (9000,)]
        assert counts(writer.write([said(9000, 0.5, 40)])) == (1, 0)
        for mid in range(10_000, 10_000 + FORGET_AFTER, 5000):
            assert counts(writer.write(kept)) == (0, 1)
            writer.write(measured(mid, 4999))
        writer.write(measured(40_000, 1))
    with closing(writer_of(database, session="undercroft-event")) as restarted:
        assert counts(restarted.write([said(1, 0.0, 60, is_again=True)])) == (1, 0)
    assert values_of(database) == [0.0, 1.0, 0.5, 0.0]


def test_what_did_not_come_again_with_a_connection_is_no_longer_in_flight(database: str, writer: BatchWriter) -> None:
    writer.write([said(1, 0.0), said(2, 0.4, 20), said(3, 0.0, 40)])
    writer.take_session(is_new=False)
    assert counts(writer.write([said(3, 0.0, 60, is_again=True), said(4, 0.4, 60)])) == (1, 1)
    writer.take_session(is_new=False)
    again = [said(1, 0.0, 80, is_again=True), said(4, 0.4, 80, is_again=True)]
    assert counts(writer.write(again)) == (1, 1), "a new message under the number 1, and the last one again"


def test_a_session_that_the_broker_lost_is_forgotten_before_its_first_message(
    database: str, writer: BatchWriter
) -> None:
    """Ingest sees that it is new, and is stopped before a message came; the next is killed with one in flight."""
    writer.write([said(1, 0.0), said(2, 0.4, 20)])
    writer.take_session(is_new=True)
    writer.close()
    with closing(writer_of(database, session="undercroft-observation")) as restarted:
        restarted.take_session(is_new=False)
        assert counts(restarted.write([said(1, 0.0, 40, is_again=True)])) == (1, 0)


def test_a_writer_that_was_frozen_leaves_its_messages_to_who_took_the_session(
    database: str, writer: BatchWriter
) -> None:
    """It has what the other was given again; the clocks of the two hosts stand an hour apart, either way."""
    for mid, ahead_s in ((1, 3600), (2, -3600)):
        writer.take_session(is_new=False)
        writer.write(measured(10 + mid, 1))
        with closing(writer_of(database, session="undercroft-observation")) as other:
            other.take_session(is_new=False)
            assert counts(other.write([said(mid, 0.5 * mid, is_again=True)])) == (1, 0)
        with pytest.raises(SessionTaken, match="another worker took it over"):
            writer.write([said(mid, 0.5 * mid, ahead_s)])
    assert values_of(database) == [0.5, 1.0]


def test_the_same_words_within_seconds_are_one_only_if_nothing_was_said_between(
    database: str, writer: BatchWriter
) -> None:
    assert counts(writer.write([said(1, 2.5), said(2, 2.5, 5)])) == (1, 1)
    with_clock = said(3, 3.5, 6, at=NOON_US // 1000 + 4000)
    assert counts(writer.write([with_clock])) == (1, 0)
    assert counts(writer.write([said(4, 2.5, 7)])) == (1, 0)
    assert values_of(database) == [2.5, 2.5]


def test_at_qos_0_nothing_is_taken_for_what_was_said_before(database: str, writer: BatchWriter) -> None:
    for value in (0.0, 0.4, 0.0, 0.4):
        assert counts(writer.write([said(0, value)])) == (1, 0)
    assert values_of(database) == [0.0, 0.4, 0.0, 0.4]


def test_a_clock_that_is_set_back_twice_to_one_time_hides_nothing(database: str, writer: BatchWriter) -> None:
    """Each time it loses power it begins at 11:00 and says 0.0, 0.4, 0.0, 0.4; and each comes again, marked.

    What is late has its own time, once: the first minute of the first time. The second time it is a word of the past,
    and no row.
    """
    start_ms = NOON_US // 1000 - 3_600_000
    mid = 0
    for began_s in (0, 3600):
        mid += 1
        writer.write([said(mid, 1.0, began_s, at=NOON_US // 1000 + began_s * 1000)])
        for minute, value in enumerate((0.0, 0.4, 0.0, 0.4), 1):
            mid += 1
            message = said(mid, value, began_s + 60 * minute, at=start_ms + 60_000 * minute)
            stored = counts(writer.write([message]))[0]
            assert stored == (0 if minute == 1 and began_s else 1), "the first minute, the same again, is known"
            later = message._replace(is_again=True, received_us=message.received_us + 1_000_000)
            assert counts(writer.write([later])) == (0, 1)
    assert values_of(database) == [0.4, 0.0, 0.4, 0.4, 0.0, 0.4]


@pytest.mark.parametrize("began", ["1970-01-01", "1980-01-06", "2000-01-01", "2010-01-01", "2024-01-01"])
@pytest.mark.parametrize("is_known", [False, True])
def test_a_clock_that_begins_anew_at_a_date_of_its_maker_is_lost_at_once_and_nothing_is_dropped(
    database: str, writer: BatchWriter, began: str, *, is_known: bool
) -> None:
    """The date on which a chip begins after a loss of power: at its receipt, suspect, and there after retention."""
    if is_known:
        writer.write([said(9, 0.0, -1, at=NOON_US // 1000 - 1000)])
    for mid, second in enumerate((5, 31), 1):
        writer.write([said(mid, 0.5 * mid, second, at=f"{began}T00:00:{second:02}Z")])
    assert values_of(database) == [0.5, 1.0]
    assert retain(database, datetime(2026, 7, 1, 13, tzinfo=UTC)) == []
    rows = query(database, "select observed_at, quality from observation where quality_tests & 1 = 1 order by 1")
    assert [(row["observed_at"].second, row["quality"]) for row in rows] == [(5, 3), (31, 3)]
    kept = one(
        database, "select extract(epoch from keep)::bigint from retention_class where relation = 'observation_packed'"
    )
    assert kept * 1_000_000 > MAX_BEHIND_US, "what is believed is kept"


def test_a_dead_letter_is_stored_though_its_device_said_the_same_later(database: str, writer: BatchWriter) -> None:
    """The letter is of a sensor that the site did not have; and once it stands at its receipt it is known."""
    with closing(connect(database, application_name="test", autocommit=True)) as connection:
        connection.execute("update sensor set retired_at = now() where quantity = 'rain_total_mm'")
        writer.write([said(1, 2.5)])
        connection.execute("update sensor set retired_at = null where quantity = 'rain_total_mm'")
        writer.close()
        assert counts(writer.write([said(2, 2.5, 60)])) == (1, 0)
        number = one(database, "select dead_letter_id from dead_letter")
        assert Retrier(connection, Mode.LIVE).retry(number, "test") is Retried.STORED
        connection.execute("update dead_letter set state = 'open'")
        assert Retrier(connection, Mode.LIVE).retry(number, "test") is Retried.KNOWN
    times = query(database, "select observed_at, quality_tests from observation order by 1")
    assert [row["observed_at"].minute for row in times] == [0, 1]
    assert all(row["quality_tests"] & QualityTest.CLOCK_LOST for row in times)
