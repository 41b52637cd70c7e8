"""What the open dead letters hold is counted as they come and go, and a cap by bytes acts on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from undercroft.store.connection import Connection, connect
from undercroft.store.dead_letters import (
    MAX_PAYLOAD_BYTES,
    Caps,
    DeadLetter,
    Held,
    fold_held_letters,
    held_letters,
    keep_dead_letters,
    settle_dead_letter,
)

NOON_US = round(datetime(2026, 7, 1, 12, tzinfo=UTC).timestamp() * 1e6)
NAMED = ("池-1", "b")
OF_EACH = len(b"t" + b"why") + len("池-1b".encode())
"""What topic, detail and names of a letter take. [B]"""


@pytest.fixture
def connection(any_live_db: str) -> Iterator[Connection]:
    with closing(connect(any_live_db, application_name="tests", autocommit=True)) as opened:
        yield opened


def letter(payload: bytes, detail: str = "why") -> DeadLetter:
    return DeadLetter(b"t", payload, "not_json", detail, "a", 1, False, NOON_US, NAMED)


def only_id(connection: Connection, payload: bytes) -> int:
    row = connection.execute("select dead_letter_id from dead_letter where payload = %s", (payload,)).fetchone()
    assert row is not None
    return int(row["dead_letter_id"])


def test_what_is_held_follows_every_letter_that_comes_opens_ends_and_goes(connection: Connection) -> None:
    assert held_letters(connection) == Held(0, 0)
    keep_dead_letters(connection, [letter(b"12345"), letter(b"123"), letter(b"123")], 1)
    assert held_letters(connection) == Held(2, 8 + 2 * OF_EACH)
    keep_dead_letters(connection, [letter(b"123"), letter(b"1234567")], 2)
    assert held_letters(connection) == Held(3, 15 + 3 * OF_EACH), "one that is open already holds nothing more"
    settle_dead_letter(connection, only_id(connection, b"12345"), "dropped", "li")
    assert held_letters(connection) == Held(2, 10 + 2 * OF_EACH)
    keep_dead_letters(connection, [letter(b"12345")], 3)
    assert held_letters(connection) == Held(3, 15 + 3 * OF_EACH), "it came again and is open"
    connection.execute("delete from dead_letter where payload = '12345'")
    assert held_letters(connection) == Held(2, 10 + 2 * OF_EACH)
    connection.execute("truncate dead_letter")
    assert held_letters(connection) == Held(0, 0)


def test_a_letter_counts_itself_as_the_database_does(connection: Connection) -> None:
    odd = [letter(b"\x00" * 9), letter(b"", "\x00 池" * 300), letter(b"x" * (MAX_PAYLOAD_BYTES + 9))]
    keep_dead_letters(connection, odd, 1)
    assert held_letters(connection) == Held(3, sum(one.held_bytes for one in odd))


def test_many_changes_are_folded_into_one_and_what_another_folds_is_left_to_it(
    connection: Connection, any_live_db: str, flavour: str
) -> None:
    for number in range(100):
        keep_dead_letters(connection, [letter(b"%04d" % number)], number)
    whole = Held(100, 100 * (4 + OF_EACH))
    if flavour == "plain":  # the other takes one connection
        with closing(connect(any_live_db, application_name="tests")) as other:
            other.execute("select from dead_letter_held order by change_id limit 99 for update")
            assert fold_held_letters(connection) == whole, "and waits for nobody"
            other.rollback()
    assert fold_held_letters(connection) == whole
    assert connection.execute("select count(*)::int as n from dead_letter_held").fetchone() == {"n": 1}
    assert held_letters(connection) == whole


def test_letters_over_the_cap_by_bytes_are_counted_and_not_kept_until_there_is_room(connection: Connection) -> None:
    caps = Caps(bytes_in_all=2 * (100 + OF_EACH))
    kept = [letter(b"%0100d" % number) for number in range(4)]
    assert keep_dead_letters(connection, kept, 1, caps) == [True] * 4
    assert held_letters(connection) == Held(2, caps.bytes_in_all)
    assert keep_dead_letters(connection, kept[:1], 2, caps) == [False], "a known one is never over a cap"
    counted = "select device_id, reason, times::int as times from dead_letter_overflow"
    assert connection.execute(counted).fetchall() == [{"device_id": "a", "reason": "not_json", "times": 2}]
    settle_dead_letter(connection, only_id(connection, kept[0].payload), "dropped", "li")
    keep_dead_letters(connection, kept[3:], 3, caps)
    assert held_letters(connection) == Held(2, caps.bytes_in_all), "what is settled makes room"
