"""Who is told of a decision, at which address, in which words: the rows of messages to be queued. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from duty.model import ENDS, Person, Reach, Reason
from duty.telling.decide import Cause
from duty.telling.ended import write_end
from duty.telling.texts import Named, Style, Written, write

Row = dict[str, Any]
"""A message as the store keeps it."""

FALLBACK = Person("fallback", "fallback")

BETWEEN = "\n"
"""Between the people of one address; no name has it."""


@dataclass(frozen=True, slots=True)
class Channels:
    """Which channels there are, which may be used, and whom to tell when nobody is on duty."""

    usable: frozenset[str]
    held: frozenset[str] = frozenset()
    fallback: tuple[Reach, ...] = ()

    def state_of(self, channel: str) -> tuple[str, str | None]:
        """Return the first state of a message to a channel, and why."""
        if channel in self.usable:
            return "queued", None
        if channel in self.held:
            return "held", "an exercise, and the drill does not name this channel"
        return "failed", "no such channel in the duty file"

    @property
    def fallback_person(self) -> Person:
        """Who is told when nobody is on duty, or nobody could be reached."""
        return Person(FALLBACK.person_id, FALLBACK.name, "", self.fallback)


def rows_of(
    cause: Cause, named: Named, chain: tuple[Person, ...], channels: Channels, style: Style, deployment_id: str
) -> list[Row]:
    """Return a row for every address of everybody who is told; an empty chain is the fallback.

    A red that the whole chain left for one more interval goes to the fallback too, each time.

    Parameters
    ----------
    named : Named
        What the basin is called.
    """
    people = chain or (channels.fallback_person,)
    subjects = " ".join(note.subject for note in cause.alarms)
    found = []
    told = zip(cause.reasons, people[cause.lowest_step :], strict=False)
    for step, (reason, person) in enumerate(told, start=cause.lowest_step):
        written = (write_end if reason in ENDS else write)(cause, reason, named, style)
        found += [
            message_row(
                cause.key, cause.incident_id, reason, step, cause.severity, person, reach, deployment_id,
                written.title, written.body, cause.at, channels, subjects,
            )
            for reach in person.reach or channels.fallback
        ]  # fmt: skip
    if chain and cause.is_left_by(len(chain)):
        written = write(cause, Reason.ESCALATED, named, style)
        found += [
            message_row(
                cause.key, cause.incident_id, Reason.ESCALATED, len(chain), cause.severity, channels.fallback_person,
                reach, deployment_id, written.title, written.body, cause.at, channels, subjects,
            )
            for reach in channels.fallback
            if reach not in {told for person in chain for told in person.reach}
        ]  # fmt: skip
    return by_address(found)


def late_rows(  # noqa: PLR0913, PLR0917 - what is late, and who is told
    cause: str, incident_id: str, reason: Reason, severity: int, up_to: int, owner: str, written: Written,
    at: datetime, chain: tuple[Person, ...], channels: Channels, deployment_id: str, subject: str,
) -> list[Row]:  # fmt: skip
    """Return a row for every address of who is told of what is late: the steps up to one, and its owner."""
    people = chain[: up_to + 1] or (channels.fallback_person,)
    people += tuple(person for person in chain[up_to + 1 :] if person.person_id == owner)
    return by_address(
        message_row(
            cause, incident_id, reason, step, severity, person, reach, deployment_id, written.title, written.body, at,
            channels, subject,
        )
        for step, person in enumerate(people)
        for reach in person.reach or channels.fallback
    )  # fmt: skip


def end_rows(
    cause: Cause, told: Iterable[Row], queued: Iterable[Row], written: Written, channels: Channels, deployment_id: str
) -> list[Row]:
    """Return the message of the end for everybody whom the incident told, but for who is told of it as on duty now.

    Parameters
    ----------
    told : iterable of mapping
        Whom the incident told: ``channel``, ``address``, ``step``, ``person_id``.
    queued : iterable of mapping
        Rows that are queued with the same decision.
    """
    now_told = {(row["channel"], row["address"]) for row in queued if row["cause"] == cause.key}
    others = {(row["channel"], row["address"]): row for row in told}
    return [
        message_row(
            cause.key, cause.incident_id, cause.reasons[0], row["step"], cause.severity,
            Person(row["person_id"], row["person_id"]), Reach(*address), deployment_id, written.title, written.body,
            cause.at, channels, "",
        )
        for address, row in sorted(others.items()) if address not in now_told
    ]  # fmt: skip


def message_row(  # noqa: PLR0913, PLR0917 - one argument per column
    cause: str, incident_id: str, reason: Reason, step: int, severity: int, person: Person, reach: Reach,
    deployment_id: str, title: str, body: str, at: datetime, channels: Channels, subjects: str,
) -> Row:  # fmt: skip
    """Return the row of one message; its key follows from the cause and the address, so deciding twice sends once."""
    state, error = channels.state_of(reach.channel)
    key = hashlib.sha256(f"{deployment_id}|{cause}|{reach.channel}|{reach.address}".encode()).hexdigest()[:32]
    return {
        "key": key, "cause": cause, "incident_id": incident_id, "reason": reason.value, "step": step,
        "severity": severity, "person_id": person.person_id, "channel": reach.channel, "address": reach.address,
        "title": title, "body": body, "decided_at": at, "state": state, "error": error, "subjects": subjects,
        "also_for": "",
    }  # fmt: skip


def by_address(rows: Iterable[Row]) -> list[Row]:
    """Return one row for each address, lowest step first: that of the highest step, with whom it reaches beside."""
    found: dict[str, Row] = {}
    for row in rows:
        before = found.get(row["key"])
        people = {*before["also_for"].split(BETWEEN), before["person_id"]} - {"", row["person_id"]} if before else set()
        found[row["key"]] = row | {"also_for": BETWEEN.join(sorted(people))}
    return list(found.values())
