"""Readings that say no time (SenML relative to now) are stored once for each message, however it is delivered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from ingest.batch import Message
from ingest.writer import BatchWriter, Written
from tests.ingest_fixtures import writer_of
from tests.integration.ingest_kit import import_sample_site, one, query
from undercroft.errors import StoreUnavailable
from undercroft.model import Mode
from undercroft.store.receipts import Arrival, find_receipts, keep_receipts

NOON_US = 1_782_907_200_000_000
SESSION = "undercroft-observation"
SENML = """
[[decoder]]
id = "senml"
kind = "senml"
topic = "senml/#"
fields = [{ field = "mm", quantity = "rain_total_mm" }, { field = "u", quantity = "battery_v" }]
"""


def volts(mid: int, ms: int = 0, *, is_again: bool = False, value: float = 3.5, qos: int = 1) -> Message:
    payload = json.dumps([{"n": "gauge-beiling-rain:u", "v": value}, {"n": "gauge-beiling-rain:mm", "t": -5, "v": 7}])
    return Message(b"senml/x", payload.encode(), mid, qos, False, NOON_US + ms * 1000, is_again)


@pytest.fixture
def database(live_db: str) -> str:
    import_sample_site(live_db, more=SENML)
    return live_db


@pytest.fixture
def writer(database: str) -> Iterator[BatchWriter]:
    with closing(writer_of(database, session=SESSION)) as made:
        yield made


def times_of(database: str, quantity: str = "battery_v") -> list[int]:
    """Return the times of the stored readings, microseconds after noon."""
    said = (
        "select (extract(epoch from observed_at) * 1000000)::bigint - %s as us from observation"
        " join sensor using (sensor_id) where quantity = %s order by observed_at"
    )
    return [row["us"] for row in query(database, said, NOON_US, quantity)]


def counts(written: Written) -> tuple[int, int, int, int]:
    record = written.record
    return record.stored, record.duplicates, record.conflicts, record.redelivered


def test_the_same_bytes_are_as_many_readings_as_messages_and_none_when_they_come_again(
    database: str, writer: BatchWriter
) -> None:
    """Three in one millisecond, one 2 ms later; then all again, marked, half a second later."""
    first = [volts(1), volts(2), volts(3), volts(4, 2)]
    assert counts(writer.write(first)) == (8, 0, 0, 0)
    assert times_of(database) == [0, 1, 2, 2000]
    assert times_of(database, "rain_total_mm") == [us - 5_000_000 for us in times_of(database)]
    again = [volts(mid, 500, is_again=True) for mid in (1, 2, 3, 4)]
    assert counts(writer.write(again)) == (0, 8, 0, 4)
    assert counts(writer.write(first)) == (0, 8, 0, 4), "the answer to the commit was lost"
    assert counts(writer.write([volts(5, 500), volts(1, 501), volts(2, 502, is_again=True, value=3.6)])) == (6, 0, 0, 0)
    assert len(times_of(database)) == 7, "a new message under an old number, and a marked one that never came whole"
    writer.close()
    assert counts(writer.write([volts(1, 900, is_again=True)])) == (0, 2, 0, 1), "after a restart, too"


def test_what_comes_at_qos_0_has_a_receipt_of_its_own_too(database: str, writer: BatchWriter) -> None:
    for _ in range(2):
        assert counts(writer.write([volts(0, qos=0)] * 2)) == (4, 0, 0, 0)
    assert times_of(database) == [0, 1, 2, 3]


def test_a_new_session_of_the_broker_begins_its_numbers_anew(database: str, writer: BatchWriter) -> None:
    writer.write([volts(1)])
    writer.take_session(is_new=True)
    writer.close()
    with closing(writer_of(database, session=SESSION)) as restarted:
        assert counts(restarted.write([volts(1, 5, is_again=True)])) == (2, 0, 0, 0), "killed before it was written"
    assert one(database, "select count(*) from message_receipt") == 1


def test_of_two_writers_of_one_session_the_second_tries_again_and_knows(database: str) -> None:
    with ExitStack() as stack:
        one_writer, other = (stack.enter_context(closing(writer_of(database, session=SESSION))) for _ in range(2))
        connection = one_writer._ready_connection()
        arrival = Arrival(1, False, b"d" * 16, NOON_US, NOON_US)
        looked = find_receipts(connection, SESSION, [arrival])
        other.write([volts(1)])
        with pytest.raises(StoreUnavailable, match="another worker"):
            keep_receipts(connection, SESSION, looked)


def test_in_an_exercise_the_messages_of_one_run_clock_hide_none(exercise_db: str) -> None:
    import_sample_site(exercise_db, more=SENML)
    topic = b"exercise/v1/futian/foreign/senml/x"
    clock = Message(b"exercise/v1/futian/run/clock", b'{"now": "2026-07-01T12:00:00Z", "seq": 1}', 9, 1, False, 5)
    with closing(writer_of(exercise_db, Mode.EXERCISE, SESSION)) as writer:
        writer.write([clock])
        for cut in ([volts(1), volts(2)], [volts(3)]):
            writer.write([message._replace(topic=topic) for message in cut])
    assert times_of(exercise_db) == [0, 1, 2]
