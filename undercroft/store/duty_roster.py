"""The roster in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from undercroft.store.connection import Connection, translated_errors
from undercroft.store.sql import sql


@dataclass(frozen=True, slots=True)
class RosterFacts:
    """When a step has nobody first in a stretch of time, and the channels by which each person in it is reached."""

    gap_at: datetime | None
    gap_step: int
    people: Mapping[str, set[str]]


_SHIFT = ("starts_at", "ends_at", "step", "standing", "person_id", "name", "phone", "reach")


def roster_facts(connection: Connection, starts_at: datetime, ends_at: datetime) -> RosterFacts:
    """Return what has to be known of the roster in a stretch of time."""
    stretch = {"starts_at": starts_at, "ends_at": ends_at}
    with translated_errors():
        gap = connection.execute(sql("roster_gap").encode(), stretch).fetchone()
        people = connection.execute(sql("roster_channels").encode(), stretch).fetchall()
    reached = {row["person_id"]: set(row["channels"]) for row in people}
    return RosterFacts(gap["gap_at"] if gap else None, gap["step"] if gap else 0, reached)


def replace_shifts(connection: Connection, shifts: Sequence[Mapping[str, Any]]) -> None:
    """Put shifts in place of what others of their step and standing do meanwhile: all of them, or nothing.

    What such a shift has before and after them stays, and so do all others. Whoever else imports waits until the end.
    """
    columns: dict[str, list[Any]] = {name: [shift[name] for shift in shifts] for name in _SHIFT}
    columns["reach"] = [orjson.dumps(reach).decode() for reach in columns["reach"]]
    with translated_errors(), connection.transaction():
        connection.execute(sql("acts_log_lock").encode())
        connection.execute(sql("roster_forget").encode(), columns)
        connection.execute(sql("roster_insert").encode(), columns)


def mark_absent(connection: Connection, person_id: str, starts_at: datetime, ends_at: datetime, author: str) -> None:
    """Record that somebody cannot be reached for a time."""
    values = {"person_id": person_id, "starts_at": starts_at, "ends_at": ends_at, "author": author}
    with translated_errors():
        connection.execute(sql("roster_absent").encode(), values)


def absences_of(connection: Connection, person_id: str, at: datetime) -> list[dict[str, Any]]:
    """Return a person's absences that stand and are not over, by when they begin, locked until the transaction ends."""
    with translated_errors():
        return connection.execute(sql("roster_absences_of").encode(), {"person_id": person_id, "at": at}).fetchall()


def take_back_absence(
    connection: Connection, person_id: str, starts_at: datetime, at: datetime, author: str
) -> None:  # fmt: skip
    """Have an absence count for nothing from now on; who took it back stands with it."""
    values = {"person_id": person_id, "starts_at": starts_at, "at": at, "author": author}
    with translated_errors():
        connection.execute(sql("roster_take_back").encode(), values)


def newest_handover(connection: Connection) -> dict[str, Any] | None:
    """Return the newest handover of the duty log: when, by whom, to whom, its words."""
    with translated_errors():
        return connection.execute(sql("roster_handover").encode()).fetchone()


def quiet_alarms(connection: Connection) -> list[dict[str, Any]]:
    """Return the open alarms that are shelved or suppressed."""
    with translated_errors():
        return connection.execute(sql("handover_quiet").encode()).fetchall()


def out_of_service(connection: Connection, at: datetime) -> list[dict[str, Any]]:
    """Return the devices that are out of service at a time, until when and why."""
    with translated_errors():
        return connection.execute(sql("out_of_service_now").encode(), {"at": at, "place": None}).fetchall()


def warnings_in_force(connection: Connection) -> list[dict[str, Any]]:
    """Return the rain warnings in force."""
    with translated_errors():
        return connection.execute(sql("handover_warnings").encode()).fetchall()


def people(connection: Connection) -> set[str]:
    """Return everybody that the roster names."""
    with translated_errors():
        return {row["person_id"] for row in connection.execute(sql("roster_people").encode()).fetchall()}
