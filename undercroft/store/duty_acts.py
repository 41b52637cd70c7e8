"""What people do, committed whole: the act for the engine, the duty log and the audit in one transaction."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import orjson

from undercroft.plain_text import printable
from undercroft.store.commit import take_commit_seq
from undercroft.store.connection import Connection, translated_errors
from undercroft.store.sql import sql
from undercroft.store.supplies import stock_in_hand

Row = dict[str, Any]
Link = Callable[[int, bytes, Mapping[str, Any]], bytes]
"""(entry number, hash of the entry before) -> hash of this entry."""

_FIRST_LINK = bytes(32)

OPERATOR_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
"""As the table `operator` checks it."""


def _one(connection: Connection, statement: str, /, **values: object) -> Row | None:
    with translated_errors():
        return connection.execute(sql(statement).encode(), values).fetchone()


def _all(connection: Connection, statement: str, /, **values: object) -> list[Row]:
    with translated_errors():
        return connection.execute(sql(statement).encode(), values).fetchall()


def _run(connection: Connection, statement: str, /, **values: object) -> int:
    with translated_errors():
        return connection.execute(sql(statement).encode(), values).rowcount


@contextmanager
def transaction(connection: Connection) -> Iterator[None]:
    """Commit everything in the block together."""
    with translated_errors(), connection.transaction():
        yield


def operator_by_token(connection: Connection, token_sha256: bytes) -> Row | None:
    """Return who holds a token, disabled or not; None when nobody does."""
    return _one(connection, "acts_operator", token_sha256=token_sha256)


def add_operator(
    connection: Connection, operator_id: str, name: str, role: str, token_sha256: bytes, at: datetime, by: str = ""
) -> None:
    """Make an operator, or give one a new token: by the token of an admin, without one by whoever owns the database."""
    values = {
        "operator_id": operator_id, "name": name, "role": role, "token_sha256": token_sha256, "created_at": at,
    }  # fmt: skip
    if by:
        _one(connection, "acts_admin_makes_operator", token=by, **values)
    else:
        _run(connection, "acts_add_operator", **values)


def disable_operator(connection: Connection, operator_id: str, at: datetime, by: str = "") -> bool:
    """Take an operator's rights away, as `add_operator` gives them; False when there was none."""
    if by:
        row = _one(connection, "acts_admin_disables_operator", token=by, operator_id=operator_id, at=at)
        return bool(row and row["disabled"])
    return _run(connection, "acts_disable_operator", operator_id=operator_id, at=at) == 1


def operators(connection: Connection) -> list[Row]:
    """Return all operators."""
    return _all(connection, "acts_operators")


def subject(connection: Connection, name: str) -> Row | None:
    """Return a subject with its newest alarm (severity 0: none is open) and who took it; None when there is none."""
    return _one(connection, "acts_subject", subject=name)


def one_at_a_time(connection: Connection) -> None:
    """Have acts on alarms wait for each other until this transaction ends: who comes second sees what the first did."""
    _one(connection, "acts_alarm_lock")


def untold(connection: Connection, subjects: Sequence[str], news: Iterable[str]) -> list[str]:
    """Return of which alarms the log has events of some kinds that the notifier has not read."""
    return [row["subject"] for row in _all(connection, "acts_untold", subjects=list(subjects), news=sorted(news))]


def warning_in_force(connection: Connection, name: str) -> Row | None:
    """Return what a rain warning that is in force says."""
    return _one(connection, "acts_warning", subject=name)


def area_names(connection: Connection) -> dict[str, list[str]]:
    """Return the basins and streets of the site, by ``basin`` and ``street``."""
    row = _one(connection, "acts_area")
    return {"basin": [], "street": []} if row is None else {name: list(names) for name, names in row.items()}


def entrance_names(connection: Connection, space_id: str) -> list[str] | None:
    """Return the entrances of a space, None when there is no such space."""
    row = _one(connection, "acts_entrances", space_id=space_id)
    return None if row is None else list(row["entrances"])


def has_entry(connection: Connection, entry_no: int) -> bool:
    """Tell whether the duty log has an entry of this number."""
    return _one(connection, "acts_log_has", entry_no=entry_no) is not None


def stock(connection: Connection, name: str, item: str) -> float | None:
    """Return what a depot or space has in hand of an item, 0 for none; None: no such place.

    Whoever else moves something there waits until this transaction ends.
    """
    _one(connection, "acts_stock_lock", subject=name)
    place = _one(connection, "acts_stock_place", subject=name)
    return None if place is None else stock_in_hand(connection, place["place_id"]).get((place["place_id"], item), 0.0)


def set_stock(connection: Connection, place_id: str, item: str, quantity: float) -> None:
    """Write what a depot or space holds of an item now."""
    _run(connection, "acts_move_stock", place_id=place_id, item=item, quantity=quantity)


def acting_time(connection: Connection, now: datetime) -> datetime:
    """Return the time of an act: in a run that of its newest tick, else now."""
    row = _one(connection, "acts_now")
    return now if row is None or row["run_at"] is None else row["run_at"]


def order_time(connection: Connection, at: datetime) -> datetime:
    """Return by what time an order's clock runs: the act's, never behind the notifier's, which never goes back."""
    row = _one(connection, "acts_order_time", at=at)
    return at if row is None else row["at"]


def insert_act(
    connection: Connection, act_id: uuid.UUID, kind: str, name: str, author: str, at: datetime, body: Mapping[str, Any]
) -> int:
    """Put an act into the commit order; the last thing in its transaction. Return its number."""
    with translated_errors():
        seq = take_commit_seq(connection)
    _run(
        connection, "acts_insert", act_id=act_id, commit_seq=seq, kind=kind, subject=name, author=author,
        acted_at=at, body=orjson.dumps(body).decode(),
    )  # fmt: skip
    return seq


def audit(  # noqa: PLR0913, PLR0917 - one argument per column
    connection: Connection, at: datetime, operator_id: str, origin: str, action: str, name: str, outcome: str,
    detail: Mapping[str, Any],
) -> None:  # fmt: skip
    """Record who tried what from where; of what was refused because it is no text, what can be shown of it."""
    shown = {name: printable(value) if isinstance(value, str) else value for name, value in detail.items()}
    _run(
        connection, "acts_audit", at=at, operator_id=operator_id, origin=origin, action=printable(action),
        subject=printable(name), outcome=outcome, detail=orjson.dumps(shown).decode(),
    )  # fmt: skip


MOST_UNKNOWN_A_MINUTE = 100
"""Audit rows for tokens that are nobody's; one who guesses shall not fill the disk."""


def audit_unknown(
    connection: Connection, at: datetime, operator_id: str, origin: str, detail: Mapping[str, Any]
) -> None:
    """Record that somebody tried a token that is nobody's, at most `MOST_UNKNOWN_A_MINUTE` times a minute."""
    _run(
        connection, "acts_audit_unknown", at=at, operator_id=operator_id, origin=origin,
        detail=orjson.dumps(detail).decode(), most=MOST_UNKNOWN_A_MINUTE,
    )  # fmt: skip


def take_key(connection: Connection, operator_id: str, key: str, sha256: bytes, at: datetime) -> bool:
    """Take an idempotency key inside a transaction; False when it was taken before, by an act that is committed."""
    return _run(connection, "acts_key_take", operator_id=operator_id, key=key, sha256=sha256, at=at) == 1


def keep_answer(
    connection: Connection, operator_id: str, key: str, act_id: uuid.UUID | None, answer: Mapping[str, Any]
) -> None:
    """Keep what became of the act of a key."""
    values = {"operator_id": operator_id, "key": key, "act_id": act_id, "answer": orjson.dumps(answer).decode()}
    _run(connection, "acts_key_answer", **values)


def answer(connection: Connection, operator_id: str, key: str) -> Row:
    """Return what became of the act of a key that is taken."""
    row = _one(connection, "acts_key", operator_id=operator_id, key=key)
    assert row is not None  # noqa: S101 - a taken key stays
    return row


def append_log(connection: Connection, entry: Mapping[str, Any], link: Link) -> int:
    """Add an entry behind the newest one, inside a transaction; return its number.

    ``link`` hashes the body as the database gives it back, which is what is verified: jsonb has no -0.
    """
    _run(connection, "acts_log_lock")
    last = _one(connection, "acts_log_last")
    number, previous = (1, _FIRST_LINK) if last is None else (last["entry_no"] + 1, bytes(last["sha256"]))
    values = {**entry, "body": orjson.dumps(entry["body"]).decode()}
    stored = _one(connection, "acts_log_as_stored", body=values["body"])
    assert stored is not None  # noqa: S101 - a select without a table
    sha256 = link(number, previous, stored["body"])
    _run(connection, "acts_log_insert", **values, entry_no=number, previous=previous, sha256=sha256)
    return number


def log_entries(connection: Connection, first_no: int = 1) -> list[Row]:
    """Return the duty log, whole or from an entry on."""
    return _all(connection, "acts_log_all", first_no=first_no)


def log_heads(connection: Connection, first_no: int = 1) -> list[Row]:
    """Return the signed heads, all or from those of an entry on."""
    return _all(connection, "acts_heads", first_no=first_no)


def log_of(connection: Connection) -> Row | None:
    """Return what the database of the duty log is for, its id, and its place in the server; None before a mode."""
    return _one(connection, "acts_log_of")


def add_head(connection: Connection, head: Mapping[str, Any]) -> None:
    """Keep a signed head."""
    _run(connection, "acts_head_insert", **head)


def order(connection: Connection, order_id: str) -> Row | None:
    """Return an order, locked until the transaction ends."""
    return _one(connection, "acts_order", order_id=order_id)


def open_orders(connection: Connection, incident_id: str, name: str, proof: str) -> list[Row]:
    """Return the orders of a kind that are open at a space in an incident; who else orders there waits."""
    _one(connection, "acts_orders_lock", subject=name)
    return _all(connection, "acts_open_orders", incident_id=incident_id, subject=name, proof=proof)


def save_order(connection: Connection, values: Mapping[str, Any]) -> None:
    """Write an order as it stands now."""
    _run(connection, "acts_save_order", **values)


def orders(
    connection: Connection, *, is_open: bool | None = None, order_id: str | None = None,
    incident_id: str | None = None, most: int = 1000,
) -> list[Row]:  # fmt: skip
    """Return orders, open ones first, with what the sensors at their places show now.

    With ``is_open`` also those confirmed in an incident that goes on, for `duty.orders.view.waits` to choose from.
    """
    nothing = {
        "subject": None,
        "after_ended": None,
        "after_changed_at": None,
        "after_order_id": None,
    }
    return _all(
        connection, "read_orders", open=is_open, order_id=order_id, incident_id=incident_id, limit=most, **nothing
    )


def order_history(connection: Connection, order_id: str) -> list[Row]:
    """Return the entries of the duty log about an order, oldest first."""
    return _all(connection, "read_order_history", order_id=order_id)


def order_tally(connection: Connection, now: datetime, since: datetime) -> Row:
    """Return how orders go: how many wait, are late, expired; since a time, confirmed in time and late, reminders."""
    row = _one(connection, "read_order_tally", now=now, since=since)
    assert row is not None  # noqa: S101 - a count has a row
    return row


def command_rows(connection: Connection) -> list[Row]:
    """Return what the site file says of who leads (四个一)."""
    row = _one(connection, "acts_command_rows")
    return [] if row is None or row["rows"] is None else list(row["rows"])


def incident_of(connection: Connection, name: str) -> Row | None:
    """Return kind, street, severity, open incident of a space, and which of its entrances have a barrier."""
    return _one(connection, "acts_incident_of", subject=name)
