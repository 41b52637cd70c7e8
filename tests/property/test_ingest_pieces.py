"""A batch that cannot go in whole is written in pieces; a message at which ingest fails is a letter, and no loop."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest

from ingest.batch import Draft, Message
from ingest.pieces import MOST_IN_A_ROW, WHOLE_TRIES, Pieces
from ingest.quality_memory import QualityMemory
from ingest.writer import BatchWriter, MessageAtFault
from tests.integration.ingest_kit import one, query
from undercroft.errors import StoreUnavailable
from undercroft.store.connection import Connection, connect

NOON_US = 1_782_907_200_000_000
PLACES = (b"gauge-beiling", b"gauge-rongxi", b"gauge-luhu")
TOPICS = [b"flood/v1/futian/%s/%s-rain/observation" % (place, place) for place in PLACES]
AT_FAULT = 13.0
LIMIT = """
create function limits() returns trigger language plpgsql as $$begin
    if (select count(*) > 6 from new) then raise exception 'too much' using errcode = 'SQLSTATE'; end if;
    return null;
end$$
"""
STORED = "select round(value) as value from observation order by observed_at"


def _messages(values: list[float], devices: int = 1) -> list[Message]:
    payloads = [{"observed_at": NOON_US // 1000 + n * 1000, "rain_total_mm": value} for n, value in enumerate(values)]
    return [
        Message(TOPICS[n % devices], json.dumps(body).encode(), n + 1, 1, False, NOON_US)
        for n, body in enumerate(payloads)
    ]


def _write_all(pieces: Pieces, most_refusals: int = 0) -> None:
    while not pieces.is_done:
        try:
            pieces.write_next()
        except StoreUnavailable:
            most_refusals -= 1
            assert most_refusals >= 0


@pytest.fixture
def _fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quality control has a defect, as none is known; so it is planted."""
    sound = QualityMemory.examine

    def examine(self: QualityMemory, connection: Connection, draft: Draft, deliveries: Any = None) -> Any:
        if AT_FAULT in draft.rows.values:
            raise IndexError("planted")
        return sound(self, connection, draft, deliveries)

    monkeypatch.setattr(QualityMemory, "examine", examine)


@pytest.mark.usefixtures("_fails")
@pytest.mark.parametrize("places", [[0], [3, 4, 39]])
def test_a_message_at_fault_is_a_letter_and_takes_no_neighbour_with_it(
    database: str, writer: BatchWriter, places: list[int]
) -> None:
    values = [AT_FAULT if n in places else 100.0 + n for n in range(40)]
    messages = _messages(values)
    for _ in range(2):  # delivered again it is the same letter
        _write_all(Pieces(writer, messages))
    assert [row["value"] for row in query(database, STORED)] == [value for value in values if value != AT_FAULT]
    letters = query(database, "select payload, reason, detail, device_id, times_seen from dead_letter order by payload")
    assert [bytes(row["payload"]) for row in letters] == sorted(messages[n].payload for n in places)
    assert {(row["reason"], row["device_id"], row["times_seen"]) for row in letters} == {
        ("ingest_failed", "gauge-beiling-rain", 2)
    }
    assert all("IndexError in test_ingest_pieces.py" in row["detail"] for row in letters)


@pytest.mark.slow
@pytest.mark.usefixtures("_fails")
def test_where_nothing_goes_in_ingest_is_at_fault_and_the_lane_ends(database: str, writer: BatchWriter) -> None:
    of_one = _messages([AT_FAULT] * (MOST_IN_A_ROW + 20))
    _write_all(Pieces(writer, of_one))  # a device that empties a buffer
    _write_all(Pieces(writer, _messages([1.0])))
    assert one(database, "select count(*) from dead_letter") == len(of_one)
    with pytest.raises(MessageAtFault, match="planted"):
        _write_all(Pieces(writer, _messages([AT_FAULT] * (MOST_IN_A_ROW + 20), devices=3)))
    assert one(database, "select sum(times_seen)::int from dead_letter") == len(of_one) + MOST_IN_A_ROW


@pytest.mark.parametrize("sqlstate", ["53400", "57014"])
def test_a_batch_that_is_too_much_for_one_transaction_goes_in_by_pieces(
    database: str, writer: BatchWriter, sqlstate: str
) -> None:
    """A limit of the database (a trigger of the test): of the rows that may be decompressed, or of the time."""
    with closing(connect(database, application_name="test", autocommit=True)) as connection:
        connection.execute(LIMIT.replace("SQLSTATE", sqlstate).encode())
        connection.execute(
            "create trigger limits after insert on observation_packed referencing new table as new"
            " for each statement execute function limits()"
        )
    values = [100.0 + n for n in range(40)]
    pieces = Pieces(writer, _messages(values))
    for _ in range(WHOLE_TRIES):
        with pytest.raises(StoreUnavailable, match=sqlstate):
            pieces.write_next()
    _write_all(pieces, most_refusals=20)
    assert [row["value"] for row in query(database, STORED)] == values
    assert one(database, "select count(*) from dead_letter") == 0
