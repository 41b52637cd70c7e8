"""Every reading ends in exactly one of stored, duplicate, conflict, dead letter; however the messages are cut.

The expected fates are computed by a model of ten lines beside it, on the messages one by one.
"""

from __future__ import annotations

import json
from contextlib import ExitStack, closing
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingest.batch import Message
from ingest.failpoints import no_failpoint
from ingest.writer import BatchWriter
from tests.integration.ingest_kit import one, query
from undercroft.clock import FakeClock
from undercroft.errors import StoreUnavailable
from undercroft.model import Mode
from undercroft.store.connection import connect
from undercroft.store.observations import BatchRecord

NOON_US = 1_782_907_200_000_000
TABLES = "observation_packed, observation_conflict, dead_letter, batch, clock_lost_reading, message_receipt"
CLOCK = FakeClock(datetime(2026, 7, 1, 12, tzinfo=UTC))
DEVICES = ("gauge-beiling/gauge-beiling-rain", "gauge-rongxi/gauge-rongxi-rain", "gauge-beiling/nobody")


_READINGS = st.tuples(
    st.sampled_from(DEVICES),
    st.integers(0, 2),
    st.sampled_from([0.0, 1.5, 2.5]),
    st.sampled_from(["rain_total_mm", "rain_total_mm", "battery_v", "colour"]),
)


def _message(reading: tuple[str, int, float, str]) -> Message:
    device, second, value, quantity = reading
    payload = json.dumps({"observed_at": NOON_US // 1000 + second * 1000, quantity: value}).encode()
    return Message(f"flood/v1/futian/{device}/observation".encode(), payload, 1, 1, False, NOON_US)


class Expected:
    """What becomes of readings that come one by one in this order."""

    def __init__(self, readings: list[tuple[str, int, float, str]]) -> None:
        self.first: dict[tuple[str, int, str], float] = {}
        self.others: set[tuple[str, int, float, str]] = set()
        self.letters: set[tuple[str, int, float, str]] = set()
        self.duplicates = 0
        self._take(readings)

    def _take(self, readings: list[tuple[str, int, float, str]]) -> None:
        first, others = self.first, self.others
        for device, second, value, quantity in readings:
            if device == DEVICES[2] or quantity == "colour":
                self.letters.add((device, second, value, quantity))
            elif (device, second, quantity) not in first:
                first[device, second, quantity] = value
            elif first[device, second, quantity] == value or (device, second, value, quantity) in others:
                self.duplicates += 1
            else:
                others.add((device, second, value, quantity))


_HELD = """
select d.place_id || '/' || d.device_id as device, extract(epoch from o.observed_at)::bigint - %s as second, o.value,
    s.quantity
from {} o join sensor s using (sensor_id) join device d using (device_id)
"""


def _held(database: str, table: str) -> list[tuple[str, int, float, str]]:
    """Readings of a table as they were drawn."""
    rows = query(database, _HELD.format(table), NOON_US // 1_000_000)
    return [(row["device"], row["second"], row["value"], row["quantity"]) for row in rows]


def _write(database: str, messages: list[Message], cuts: list[int]) -> list[BatchRecord]:
    writer = BatchWriter(database, "observation", Mode.LIVE, CLOCK, no_failpoint)
    records = []
    with closing(writer):
        position = turn = 0
        while position < len(messages):
            step = cuts[turn % len(cuts)]
            records.append(writer.write(messages[position : position + step]).record)
            position, turn = position + step, turn + 1
    return records


def _empty(database: str) -> None:
    with closing(connect(database, application_name="test", autocommit=True)) as connection:
        connection.execute(f"truncate {TABLES}".encode())


_ONE_KEY = [(DEVICES[0], 0, value, "rain_total_mm") for value in (0.0, 1.5, 1.5, 2.5, 0.0, 2.5)]
"""One key with three values: the first stays, each other is a conflict once, whether in one batch or in several."""


@example(readings=_ONE_KEY, cuts=[6], again=3)
@example(readings=_ONE_KEY, cuts=[2], again=3)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    readings=st.lists(_READINGS, min_size=1, max_size=40),
    cuts=st.lists(st.integers(1, 15), min_size=1, max_size=5),
    again=st.integers(0, 10),
)
def test_every_reading_has_exactly_one_fate(
    database: str, readings: list[tuple[str, int, float, str]], cuts: list[int], again: int
) -> None:
    _empty(database)
    delivered = readings + readings[-again:] if again else readings
    records = _write(database, [_message(reading) for reading in delivered], cuts)
    expected = Expected(delivered)
    stored, duplicates, conflicts = len(expected.first), expected.duplicates, len(expected.others)
    letters = len(expected.letters)
    assert sum(record.stored for record in records) == stored
    assert sum(record.duplicates for record in records) == duplicates
    assert sum(record.conflicts for record in records) == conflicts
    assert sum(record.dead_letters for record in records) == letters
    assert sum(record.messages for record in records) == len(delivered)
    # One reading a message: what is new is stored, a conflict or a letter; all else was known.
    assert sum(record.redelivered for record in records) == len(delivered) - stored - conflicts - letters
    in_table = _held(database, "observation")
    assert {(device, second, quantity): value for device, second, value, quantity in in_table} == expected.first
    assert len(in_table) == stored
    assert sorted(_held(database, "observation_conflict")) == sorted(expected.others)
    assert one(database, "select count(*) from dead_letter") == letters


_REFUSED = 2.5
_REFUSED_BEFORE_EQUALS = [(DEVICES[0], 0, 2.5, "rain_total_mm"), (DEVICES[0], 1, 0.0, "rain_total_mm"),
                          (DEVICES[0], 1, 1.5, "rain_total_mm"), (DEVICES[0], 2, 0.0, "rain_total_mm")]  # fmt: skip
"""Cut in the middle, inside a key, the third would be taken for new: its own batch wrote the row that it meets."""


@example(readings=_REFUSED_BEFORE_EQUALS, cuts=[4])
@example(readings=_ONE_KEY, cuts=[6])
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(readings=st.lists(_READINGS, min_size=2, max_size=40), cuts=st.lists(st.integers(1, 15), min_size=1, max_size=5))
def test_a_row_that_the_database_refuses_takes_no_neighbour_with_it(
    database: str, readings: list[tuple[str, int, float, str]], cuts: list[int]
) -> None:
    """Constraints of the test refuse a value, first of its key or not: its messages are letters, all others as ever."""
    _empty(database)
    constraints = (("observation_packed", "value_thousandths <> 2500"), ("observation_conflict", "value <> 2.5"))
    with ExitStack() as stack:
        connection = stack.enter_context(closing(connect(database, application_name="test", autocommit=True)))
        for table, check in constraints:
            connection.execute(f"alter table {table} add constraint no_poison check ({check})".encode())
            stack.callback(connection.execute, f"alter table {table} drop constraint no_poison".encode())
        records = _write(database, [_message(reading) for reading in readings], cuts)
    unreadable = [reading for reading in readings if reading[0] == DEVICES[2] or reading[3] == "colour"]
    refused = {reading for reading in readings if reading[2] == _REFUSED} - set(unreadable)
    expected = Expected([reading for reading in readings if reading not in refused])
    assert sum(record.stored for record in records) == len(expected.first)
    assert sum(record.conflicts for record in records) == len(expected.others)
    assert sum(record.duplicates for record in records) == expected.duplicates
    assert sum(record.dead_letters for record in records) == len(expected.letters) + len(refused)
    kept = {(device, second, quantity): value for device, second, value, quantity in _held(database, "observation")}
    assert kept == expected.first
    assert sorted(_held(database, "observation_conflict")) == sorted(expected.others)
    rejected = query(
        database, "select topic, payload, detail, device_id from dead_letter where reason = 'store_rejected'"
    )
    told = {(row["topic"], row["payload"]) for row in rejected}
    assert told == {(message.topic.decode(), message.payload) for message in map(_message, refused)}
    assert len(rejected) == len(refused)
    assert all(row["topic"].split("/")[4] == row["device_id"] for row in rejected)
    assert all("no_poison" in row["detail"] and "23514" in row["detail"] for row in rejected)


@pytest.mark.parametrize("sqlstate", ["42501", "53100"])
def test_what_blames_no_row_keeps_the_batch_though_a_row_of_it_is_refused(database: str, sqlstate: str) -> None:
    """A missing right, a full disk (a trigger of the test) met while halving: no letter, and all is stored later."""
    refused, other = (DEVICES[0], 0, _REFUSED, "rain_total_mm"), (DEVICES[0], 1, 1.5, "rain_total_mm")
    messages = [_message(reading) for reading in (refused, other)]
    writer = BatchWriter(database, "observation", Mode.LIVE, CLOCK, no_failpoint)
    faults = (
        "alter table observation_packed add constraint no_poison check (value_thousandths <> 2500)",
        "create function fails() returns trigger language plpgsql as"
        f" $$begin raise exception 'not now' using errcode = '{sqlstate}'; end$$",
        "create trigger fails before insert on observation_packed for each row"
        " when (new.value_thousandths = 1500) execute function fails()",
    )
    with closing(writer), closing(connect(database, application_name="test", autocommit=True)) as connection:
        for fault in faults:
            connection.execute(fault.encode())
        with pytest.raises(StoreUnavailable, match=sqlstate):
            writer.write(messages)
        assert one(database, "select count(*) from batch") == 0
        assert one(database, "select count(*) from dead_letter") == 0
        connection.execute("drop trigger fails on observation_packed")
        record = writer.write(messages).record
    assert (record.stored, record.dead_letters) == (1, 1)


def test_a_reading_without_a_clock_that_is_refused_is_a_letter_and_takes_no_other_with_it(database: str) -> None:
    readings = [(DEVICES[0], 0, value, "rain_total_mm") for value in (_REFUSED, 1.5, 0.0)]
    messages = [_message(reading) for reading in readings]
    without_clock = [m._replace(payload=m.payload.replace(b"%d" % (NOON_US // 1000), b"1000")) for m in messages[:2]]
    writer = BatchWriter(database, "observation", Mode.LIVE, CLOCK, no_failpoint)
    with closing(writer), closing(connect(database, application_name="test", autocommit=True)) as connection:
        connection.execute("alter table observation_packed add constraint no_poison check (value_thousandths <> 2500)")
        record = writer.write([*without_clock, messages[2]]).record
    assert (record.stored, record.duplicates, record.dead_letters, record.readings) == (2, 0, 1, 2)
    (letter,) = query(database, "select reason, payload from dead_letter")
    assert (letter["reason"], letter["payload"]) == ("store_rejected", without_clock[0].payload)


@pytest.mark.slow
def test_a_device_without_a_clock_that_empties_its_buffer_goes_in_at_once(database: str) -> None:
    """16,000 readings of one device, each with a time of its own from 1970: longer than the database's limit, once."""
    device = _message((DEVICES[0], 0, 0.5, "rain_total_mm"))
    packs = [
        [{"observed_at": pack * 400 + second, "rain_total_mm": 0.5} for second in range(400)] for pack in range(1, 41)
    ]
    messages = [
        device._replace(mid=mid, payload=json.dumps({"readings": pack}).encode()) for mid, pack in enumerate(packs, 1)
    ]
    writer = BatchWriter(database, "observation", Mode.LIVE, CLOCK, no_failpoint)
    with closing(writer):
        record = writer.write(messages).record
        again = writer.write([message._replace(is_again=True) for message in messages]).record
    assert (record.stored, record.dead_letters, again.stored) == (16_000, 0, 0)
