"""Messages whose readings say no time, and so stand at their receipt: each has a receipt of its own, and keeps it.

Two such messages that are the same byte for byte may be one delivered twice, or two readings of one value. MQTT tells
them apart as it does device states (`undercroft.store.states`): what a broker delivers again within a session keeps its
packet identifier and is marked (DUP), and may do so while the message is in flight (`ingest.session_numbers`). Such a
message is read at the receipt it had first, and its readings are known by
their times. Messages of one millisecond, or of one run clock, stand a microsecond apart, so that none hides another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from undercroft.errors import StoreUnavailable
from undercroft.store.connection import Connection
from undercroft.store.sql import sql

_SECOND_US = 1_000_000


class Arrival(NamedTuple):
    """How a message came that may say no time."""

    mid: int
    """Packet identifier; 0 at QoS 0, which no broker delivers again."""
    is_again: bool
    """The broker says that it may have delivered it before (DUP)."""
    digest: bytes
    received_us: int
    """When it was delivered, on the clock of the receiver. [µs since 1970]"""
    base_us: int
    """The same, or the run clock's time. [µs since 1970]"""


class Kept(NamedTuple):
    """The last such message under a packet identifier."""

    digest: bytes
    received_us: int
    read_us: int


class Receipt(NamedTuple):
    """What the relative times of a message refer to."""

    mid: int
    digest: bytes
    received_us: int
    read_us: int
    """[µs since 1970]"""
    is_known: bool
    """The message was taken before."""
    replaces_us: int | None
    """Receipt of the message that the store holds under this identifier; None: of none."""


def digest_of(topic: bytes, payload: bytes) -> bytes:
    """Return what stands for topic and payload; a topic holds no NUL (MQTT 3.1.1, 4.7.3)."""
    return hashlib.blake2b(topic + b"\x00" + payload, digest_size=16).digest()


def place_receipts(arrivals: Sequence[Arrival], kept: Mapping[int, Kept], last_us: Mapping[int, int]) -> list[Receipt]:
    """Give each message, in order of arrival, its receipt. Pure.

    Parameters
    ----------
    arrivals : sequence of Arrival
        Of one session.
    kept : mapping
        By packet identifier: what the store holds.
    last_us : mapping
        By ``base_us``: the newest receipt that the store holds in the second from there on.
    """
    now_kept = dict(kept)
    receipts: list[Receipt] = []
    newest_us = 0
    for arrival in arrivals:
        mid, _, digest, received_us, base_us = arrival
        stored = kept.get(mid)
        replaces_us = None if stored is None else stored.received_us
        found = now_kept.get(mid)
        if found is not None and _is_same(arrival, found):
            receipts.append(Receipt(mid, digest, received_us, found.read_us, True, replaces_us))
            continue
        taken = [us for us in (newest_us, last_us.get(base_us, 0)) if base_us <= us < base_us + _SECOND_US]
        newest_us = max(taken, default=base_us - 1) + 1
        now_kept[mid] = Kept(digest, received_us, newest_us)
        receipts.append(Receipt(mid, digest, received_us, newest_us, False, replaces_us))
    return receipts


def _is_same(arrival: Arrival, kept: Kept) -> bool:
    """Tell whether this delivery was taken before; unmarked, if its batch is written again, and no clock is asked."""
    if not arrival.mid or kept.digest != arrival.digest:
        return False
    return arrival.is_again or arrival.received_us == kept.received_us


def find_receipts(connection: Connection, session: str, arrivals: Sequence[Arrival]) -> list[Receipt]:
    """Return the receipt of each message; `keep_receipts` keeps them, in the transaction of their readings."""
    mids = sorted({arrival.mid for arrival in arrivals})
    bases = sorted({arrival.base_us for arrival in arrivals})
    rows = connection.execute(sql("fetch_receipts"), {"session": session, "mids": mids}).fetchall()
    kept = {row["mid"]: Kept(bytes(row["digest"]), row["received_us"], row["read_us"]) for row in rows}
    rows = connection.execute(sql("fetch_last_read"), {"session": session, "bases": bases}).fetchall()
    return place_receipts(arrivals, kept, {row["base_us"]: row["read_us"] for row in rows})


def keep_receipts(connection: Connection, session: str, receipts: Sequence[Receipt]) -> None:
    """Keep the receipts of messages that were not known, inside the caller's transaction.

    Raises
    ------
    StoreUnavailable
        If another writer of this session came between; looked up again, its messages are known.
    """
    by_mid = {receipt.mid: receipt for receipt in receipts}
    if not by_mid:
        return
    rows = [by_mid[mid] for mid in sorted(by_mid)]
    answer = connection.execute(
        sql("keep_receipts"),
        {
            "session": session,
            "mids": [row.mid for row in rows],
            "digests": [row.digest for row in rows],
            "received_us": [row.received_us for row in rows],
            "read_us": [row.read_us for row in rows],
            "replaces_us": [row.replaces_us for row in rows],
        },
    ).fetchone()
    if answer is None or answer["kept"] != len(rows):
        raise StoreUnavailable("another worker wrote messages of this session at the same time")
