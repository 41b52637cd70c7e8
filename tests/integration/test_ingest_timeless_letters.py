"""Dead letters of messages that say no time: as many as were sent, and each stored at its receipt by a retry."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing

import pytest

from ingest import retry
from ingest.batch import Message
from ingest.retry import Retried, Retrier
from ingest.sensors import build_directory
from ingest.writer import BatchWriter
from tests.ingest_fixtures import writer_of
from tests.integration.ingest_kit import import_sample_site, query
from tests.integration.test_ingest_deadletters import answer
from tests.integration.test_ingest_timeless import NOON_US, SENML, SESSION, times_of, volts
from undercroft.model import Mode
from undercroft.store.connection import Connection, connect

IDS = "select dead_letter_id from dead_letter order by first_received_at, dead_letter_id"


@pytest.fixture
def database(live_db: str) -> str:
    import_sample_site(live_db, more=SENML)
    return live_db


@pytest.fixture
def writer(database: str) -> Iterator[BatchWriter]:
    with closing(writer_of(database, session=SESSION)) as made:
        yield made


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    with closing(connect(database, application_name="test", autocommit=True)) as opened:
        yield opened


def letters(database: str) -> list[tuple[str, int]]:
    """Return payload and ``times_seen`` of each dead letter, in their order of receipt."""
    rows = query(database, "select payload, times_seen from dead_letter order by first_received_at, dead_letter_id")
    return [(bytes(row["payload"]).decode(), row["times_seen"]) for row in rows]


def administer(connection: Connection, writer: BatchWriter, *, retires: bool) -> None:
    """Take the gauge out of the site, or back into it."""
    for change in (
        "update device set retired_at = case when %s then now() end where device_id = 'gauge-beiling-rain'",
        "update sensor set retired_at = case when %s then now() end where device_id = 'gauge-beiling-rain'",
    ):
        connection.execute(change, (retires,))
    writer.close()


def retried(connection: Connection) -> list[Retried]:
    numbers = [row["dead_letter_id"] for row in connection.execute(IDS).fetchall()]
    retrier = Retrier(connection, Mode.LIVE)
    return [retrier.retry(number, "lin") for number in numbers]


def state(mid: int, ms: int, *, is_online: bool, retain: bool = False) -> Message:
    topic, payload = b"flood/v1/futian/gauge-beiling/gauge-beiling-rain/status", json.dumps({"online": is_online})
    return Message(topic, payload.encode(), mid, 1, retain, NOON_US + ms * 1000)


def test_states_of_a_device_that_the_site_lacks_are_as_many_letters_as_were_sent(
    database: str, writer: BatchWriter, connection: Connection
) -> None:
    administer(connection, writer, retires=True)
    sent = [state(1, 0, is_online=True), state(2, 1, is_online=False), state(3, 2, is_online=True)]
    assert writer.write(sent).record.dead_letters == 3
    again = [message._replace(is_again=True, received_us=message.received_us + 500_000) for message in sent]
    assert writer.write(again).record.dead_letters == 0
    assert letters(database) == [('{"online": true}', 2), ('{"online": false}', 2), ('{"online": true}', 2)]
    retained = [state(mid, mid * 1000, is_online=True, retain=True) for mid in (4, 5)]
    assert writer.write(retained).record.dead_letters == 1, "every connection delivers what is retained"

    administer(connection, writer, retires=False)
    assert answer(database, "retry", "--reason", "unknown_device") == {"stored": 3, "known": 1}, "the oldest first"
    rows = query(database, "select value, quality_tests from observation order by observed_at")
    assert [tuple(row.values()) for row in rows] == [(1.0, 0), (0.0, 0), (1.0, 0)]
    assert times_of(database, "online") == [0, 1000, 2000]


def test_a_state_that_comes_again_after_the_import_is_one_with_its_letter(
    database: str, writer: BatchWriter, connection: Connection
) -> None:
    """Its letter was committed and not acknowledged; with the import it comes again, and the letter is tried."""
    administer(connection, writer, retires=True)
    sent = state(1, 0, is_online=False)
    writer.write([sent])
    administer(connection, writer, retires=False)
    writer.write([sent._replace(is_again=True, received_us=NOON_US + 60_000_000)])
    assert retried(connection) == [Retried.KNOWN]
    assert times_of(database, "online") == [0]


def test_readings_at_their_receipt_of_a_device_that_the_site_lacks_are_letters_each(
    database: str, writer: BatchWriter, connection: Connection
) -> None:
    """Two in one millisecond, and both again, marked; tried again each stands at its receipt."""
    administer(connection, writer, retires=True)
    writer.write([volts(1), volts(2)])
    writer.write([volts(1, 500, is_again=True), volts(2, 500, is_again=True)])
    assert [times for _, times in letters(database)] == [2, 2]
    administer(connection, writer, retires=False)
    assert retried(connection) == [Retried.STORED, Retried.STORED]
    assert times_of(database) == [0, 1]


def test_what_a_retry_leaves_of_two_such_letters_is_two_letters(
    database: str, writer: BatchWriter, connection: Connection
) -> None:
    """The device comes without its battery's sensor: of each message a part is a letter of another reason."""
    administer(connection, writer, retires=True)
    writer.write([volts(1), volts(2)])
    administer(connection, writer, retires=False)
    connection.execute("update sensor set retired_at = now() where quantity = 'battery_v'")
    assert retried(connection) == [Retried.OTHER_REASON, Retried.OTHER_REASON]
    left = query(database, "select reason, count(*)::int as n from dead_letter where state = 'open' group by 1")
    assert left == [{"reason": "unknown_sensor", "n": 2}]


def test_the_site_is_read_once_for_many_letters_and_again_when_it_is_another(
    database: str, writer: BatchWriter, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    administer(connection, writer, retires=True)
    writer.write([volts(number) for number in range(1, 6)])
    read: list[object] = []

    def counted(*given: object) -> object:
        read.append(given)
        return build_directory(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(retry, "build_directory", counted)
    assert retried(connection) == [Retried.STILL_DEAD] * 5
    assert len(read) == 1
    retrier = Retrier(connection, Mode.LIVE)
    first, *others = [row["dead_letter_id"] for row in connection.execute(IDS).fetchall()]
    assert retrier.retry(first, "lin") is Retried.STILL_DEAD
    import_sample_site(database, more=SENML + SENML.replace('"senml"', '"more"', 1).replace("senml/", "more/"))
    administer(connection, writer, retires=False)
    assert [retrier.retry(number, "lin") for number in (first, *others)] == [Retried.STORED] * 5
    assert len(read) == 3
