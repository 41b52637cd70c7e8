"""Messages, or parts of them, that no row could be made of. Each is kept once, with how often it was seen."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import orjson
from psycopg.rows import DictRow

from undercroft.store.connection import Connection, translated_errors
from undercroft.store.observations import instant
from undercroft.store.sql import sql

MAX_PAYLOAD_BYTES = 262_144
"""A dead letter keeps so much of its payload: all that any decoder reads. Length and hash are of the whole."""
MAX_TOPIC_BYTES = 1_000
MAX_DETAIL_LENGTH = 500
_MOST_CHANGES = 64
"""So many changes of what is held are added up anew each time; more are folded into one."""


Identity = tuple[str, bytes, str, int]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What is kept of a message, and why."""

    topic: bytes
    payload: bytes
    reason: str
    detail: str
    device_id: str | None
    qos: int
    retain: bool
    received_us: int
    named_devices: tuple[str, ...] = ()
    """What topic or payload name, of the site or not; ``device_id`` is the one of the site that it counts for."""
    said_us: int = 0
    """Receipt of a message that says no time of its own, the same when it is delivered again
    (`undercroft.store.receipts`); 0 of any other. [µs since 1970]"""

    @property
    def identity(self) -> Identity:
        """Return what it is known by: topic, hash of the payload, reason, and its receipt if it says no time."""
        return shown_topic(self.topic), hashlib.sha256(self.payload).digest(), self.reason, self.said_us

    @property
    def held_bytes(self) -> int:
        """Return how much of it is kept, as `undercroft_letter_bytes` of the database counts."""
        texts = (shown_topic(self.topic), _text(self.detail)[:MAX_DETAIL_LENGTH], *map(_text, self.named_devices))
        return min(len(self.payload), MAX_PAYLOAD_BYTES) + sum(len(text.encode()) for text in texts)


@dataclass(frozen=True, slots=True)
class Caps:
    """How many dead letters are kept, and how many bytes of open ones; those over it are counted only.

    The last letter that is kept may stand above the bytes.
    """

    per_device_hour: int = 600
    in_all: int = 1_000_000
    bytes_in_all: int = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Held:
    """The open dead letters: how many, and their bytes."""

    letters: int
    bytes: int

    def beside(self, caps: Caps) -> str:
        """Say it in words, beside the caps."""
        size, cap = self.bytes / 1024**2, caps.bytes_in_all / 1024**2
        return f"{self.letters} open, at most {caps.in_all}; {size:.1f} MiB, at most {cap:.0f}"


def keep_dead_letters(
    connection: Connection, letters: Sequence[DeadLetter], batch_id: int, caps: Caps | None = None
) -> list[bool]:
    """Keep letters inside the caller's transaction; tell for each whether it is seen for the first time.

    A letter that is known already is never over a cap. One over it counts as seen for the first time.
    """
    identities = [letter.identity for letter in letters]
    firsts: dict[Identity, DeadLetter] = {}
    times: dict[Identity, int] = {}
    for identity, letter in zip(identities, letters, strict=True):
        firsts.setdefault(identity, letter)
        times[identity] = times.get(identity, 0) + 1
    if not firsts:
        return []
    over = _over_cap(connection, firsts, caps) if caps is not None else frozenset()
    if over:
        _count_overflow(connection, [letter for letter, key in zip(letters, identities, strict=True) if key in over])
    keys = sorted(firsts.keys() - over)
    kept = [firsts[key] for key in keys]
    places = {key: place for place, key in enumerate(firsts)}
    answers = connection.execute(
        sql("upsert_dead_letters"),
        {
            "topics": [key[0] for key in keys],
            "hashes": [key[1] for key in keys],
            "reasons": [key[2] for key in keys],
            "said_us": [key[3] for key in keys],
            "places": [places[key] for key in keys],
            "details": [_text(letter.detail)[:MAX_DETAIL_LENGTH] for letter in kept],
            "device_ids": [letter.device_id for letter in kept],
            "named": [orjson.dumps([_text(name) for name in letter.named_devices]).decode() for letter in kept],
            "payloads": [letter.payload[:MAX_PAYLOAD_BYTES] for letter in kept],
            "lengths": [len(letter.payload) for letter in kept],
            "qos": [letter.qos for letter in kept],
            "retained": [letter.retain for letter in kept],
            "times_seen": [times[key] for key in keys],
            "received_at": [instant(letter.received_us) for letter in kept],
            "batch_id": batch_id,
        },
    ).fetchall()
    new = {_identity_of(row) for row in answers if row["is_new"]}
    new |= over
    is_new = []
    for identity in identities:
        is_new.append(identity in new)
        new.discard(identity)
    return is_new


def _over_cap(connection: Connection, firsts: dict[Identity, DeadLetter], caps: Caps) -> frozenset[Identity]:
    newest_us = max(letter.received_us for letter in firsts.values())
    device_ids = sorted({letter.device_id or "" for letter in firsts.values()})
    wanted = {"device_ids": device_ids, "since": instant(newest_us - 3_600_000_000)}
    rows = connection.execute(sql("count_device_letters"), wanted).fetchall()
    left = dict.fromkeys(device_ids, caps.per_device_hour)
    for row in rows:
        left[row["device_id"]] -= row["letters"]
    held = fold_held_letters(connection)
    room, bytes_room = caps.in_all - held.letters, caps.bytes_in_all - held.bytes
    is_roomy = room >= len(firsts) and bytes_room >= sum(letter.held_bytes for letter in firsts.values())
    if is_roomy and all(left[device_id] >= len(firsts) for device_id in device_ids):
        return frozenset()
    kept = _known_states(connection, list(firsts))
    over = set()
    for key, letter in firsts.items():
        device_id = letter.device_id or ""
        if key in kept:
            continue
        if left[device_id] > 0 and room > 0 and bytes_room > 0:
            left[device_id] -= 1
            room -= 1
            bytes_room -= letter.held_bytes
        else:
            over.add(key)
    return frozenset(over)


def _known_states(connection: Connection, identities: Sequence[Identity]) -> dict[Identity, str]:
    columns = list(zip(*identities, strict=True))
    wanted = dict(zip(("topics", "hashes", "reasons", "said_us"), map(list, columns), strict=True))
    return {_identity_of(row): row["state"] for row in connection.execute(sql("known_letters"), wanted)}


def _identity_of(row: DictRow) -> Identity:
    return row["topic"], bytes(row["payload_sha256"]), row["reason"], row["said_us"]


def without_known(connection: Connection, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
    """Leave out letters that are open, or that somebody dropped; one that was retried is dead again."""
    if not letters:
        return []
    states = _known_states(connection, [letter.identity for letter in letters])
    return [letter for letter in letters if states.get(letter.identity, "retried") == "retried"]


def _count_overflow(connection: Connection, letters: Sequence[DeadLetter]) -> None:
    connection.execute(
        sql("count_overflow"),
        {
            "received_at": [instant(letter.received_us) for letter in letters],
            "device_ids": [letter.device_id or "" for letter in letters],
            "reasons": [letter.reason for letter in letters],
        },
    )


def held_letters(connection: Connection) -> Held | None:
    """Return what the open dead letters hold; None where this login may not see it."""
    with translated_errors():
        row = connection.execute(sql("may_see_held")).fetchone()
        return _held(connection)[0] if row is not None and row["may"] else None


def fold_held_letters(connection: Connection) -> Held:
    """Return the same, for ingest, which adds up the changes where there are many."""
    with translated_errors():
        held, changes = _held(connection)
        if changes > _MOST_CHANGES:
            connection.execute(sql("fold_held"))
    return held


def _held(connection: Connection) -> tuple[Held, int]:
    row = connection.execute(sql("held_letters")).fetchone()
    assert row is not None  # noqa: S101 - an aggregate always answers
    return Held(row["letters"], row["bytes"]), row["changes"]


def count_overflow_since(connection: Connection, since: datetime) -> dict[str, int]:
    """Return how many letters over a cap each device sent since then; without a name: no known device."""
    with translated_errors():
        rows = connection.execute(sql("overflow_since"), {"since": since}).fetchall()
    return {row["device_id"]: int(row["times"]) for row in rows}


@dataclass(frozen=True, slots=True)
class LetterFilter:
    """Which dead letters; None is any."""

    reason: str | None = None
    device_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    state: str | None = "open"


def list_dead_letters(connection: Connection, wanted: LetterFilter, most: int) -> tuple[list[DictRow], int]:
    """Return dead letters without their payloads, the newest first, and how many there are in all."""
    with translated_errors():
        rows = connection.execute(sql("list_dead_letters"), asdict(wanted) | {"most": most}).fetchall()
    in_all = [row.pop("in_all") for row in rows]
    return rows, in_all[0] if in_all else 0


def fetch_dead_letter(connection: Connection, dead_letter_id: int, *, lock: bool = False) -> DictRow | None:
    """Return one dead letter, whole; ``lock`` keeps others from settling it in this transaction."""
    name = "lock_dead_letter" if lock else "fetch_dead_letter"
    with translated_errors():
        return connection.execute(sql(name), {"dead_letter_id": dead_letter_id}).fetchone()


def settle_dead_letter(connection: Connection, dead_letter_id: int, state: str, settled_by: str) -> bool:
    """Say what became of an open dead letter: ``retried`` or ``dropped``. It stays, with who and when.

    False if it was settled before: it stays as it is.
    """
    parameters = {"dead_letter_id": dead_letter_id, "state": state, "settled_by": settled_by}
    with translated_errors():
        return connection.execute(sql("settle_dead_letter"), parameters).rowcount == 1


def shown_topic(topic: bytes) -> str:
    """Return a topic as it is kept; of a long one its beginning and its hash, for it is part of a key.

    A topic may have 65,535 bytes, an entry of PostgreSQL's index 2,704.
    """
    text = _text(topic.decode(errors="backslashreplace"))
    if len(text.encode()) <= MAX_TOPIC_BYTES:
        return text
    return f"{text.encode()[:MAX_TOPIC_BYTES].decode(errors='ignore')}… sha256 {hashlib.sha256(topic).hexdigest()}"


def _text(value: str) -> str:
    """PostgreSQL's text holds any Unicode but NUL and lone surrogates."""
    return value.replace("\x00", "\\x00").encode(errors="backslashreplace").decode()
