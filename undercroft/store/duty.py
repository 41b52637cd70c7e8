"""What the notifier asks of the store: the alarm log as its outbox, and messages queued with their decision."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from undercroft.store.connection import Connection, translated_errors
from undercroft.store.sql import sql

Row = dict[str, Any]

_INCIDENT = ("incident_id", "basin_id", "opened_at", "closed_at", "worst", "state")
_REMINDED = ("order_id", "due_at", "reminders", "reminded_step", "reminded_at")
_MESSAGE = (
    "key", "cause", "incident_id", "reason", "step", "severity", "person_id", "channel", "address", "title", "body",
    "decided_at", "state", "error", "subjects", "also_for",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the notifier has read the alarm log, and the time it decided at last."""

    tick_seq: int
    decided_at: datetime | None
    deployment_id: str


def rows(connection: Connection, name: str, **values: object) -> list[Row]:
    """Return the rows of a named query."""
    with translated_errors():
        return connection.execute(sql(name).encode(), values).fetchall()


def run(connection: Connection, name: str, **values: object) -> int:
    """Run a named statement; return how many rows it touched."""
    with translated_errors():
        return connection.execute(sql(name).encode(), values).rowcount


def try_duty_lock(connection: Connection) -> bool:
    """Take the lock of the one notifier of this database while the connection lives; tell whether it is ours."""
    return bool(rows(connection, "duty_try_lock")[0]["locked"])


def progress(connection: Connection) -> Progress:
    """Return how far the notifier has come."""
    return Progress(**rows(connection, "duty_progress")[0])


def ticks_after(connection: Connection, tick_seq: int, most: int) -> list[Row]:
    """Return ticks in order."""
    return rows(connection, "duty_ticks_after", tick_seq=tick_seq, most=most)


def newest_tick(connection: Connection) -> int:
    """Return the number of the newest tick, 0 before the first."""
    return int(rows(connection, "duty_newest_tick")[0]["tick_seq"])


def events(connection: Connection, after: int, up_to: int) -> list[Row]:
    """Return the alarm log of a stretch of ticks, each event with its basin."""
    return rows(connection, "duty_events", after=after, up_to=up_to)


def events_of(connection: Connection, alarms: Sequence[tuple[str, int]], up_to: int) -> list[Row]:
    """Return what ended alarms ``(subject, occurrence)``, or acknowledged them, since their last news, up to a tick."""
    subjects, occurrences = [subject for subject, _ in alarms], [occurrence for _, occurrence in alarms]
    return rows(connection, "duty_events_of", subjects=subjects, occurrences=occurrences, up_to=up_to)


def gone(connection: Connection, subjects: Sequence[str]) -> set[str]:
    """Return the spaces among subjects that left the site."""
    return {row["subject"] for row in rows(connection, "duty_gone", subjects=list(subjects))}


def open_incidents(connection: Connection) -> list[Row]:
    """Return the incidents that have not ended."""
    return rows(connection, "duty_open_incidents")


def save_decisions(
    connection: Connection,
    reached: Progress,
    incidents: Sequence[Mapping[str, Any]],
    messages: Sequence[Mapping[str, Any]],
    beat_at: datetime,
    reminded: Sequence[Mapping[str, Any]] = (),
    also: Callable[[Connection], None] = lambda _: None,
) -> None:
    """Commit incidents, reminders, messages, what ``also`` writes, and the place in the alarm log: all, or nothing."""
    with translated_errors(), connection.transaction():
        if incidents:
            columns = {name: [entry[name] for entry in incidents] for name in _INCIDENT}
            columns["state"] = [orjson.dumps(state).decode() for state in columns["state"]]
            connection.execute(sql("duty_save_incidents").encode(), columns)
        if reminded:
            columns = {name: [entry[name] for entry in reminded] for name in _REMINDED}
            connection.execute(sql("duty_remind_orders").encode(), columns)
        also(connection)
        queue_messages(connection, messages, beat_at)
        connection.execute(
            sql("duty_save_progress").encode(),
            {"tick_seq": reached.tick_seq, "decided_at": reached.decided_at, "beat_at": beat_at},
        )


def late_orders(connection: Connection, at: datetime) -> list[Row]:
    """Return the orders whose clock is over at a time, the longest late first."""
    return rows(connection, "duty_late_orders", at=at)


def queue_messages(connection: Connection, messages: Sequence[Mapping[str, Any]], queued_at: datetime) -> None:
    """Queue messages; one whose key is known is not queued again."""
    if messages:
        with translated_errors():
            columns: dict[str, Any] = {name: [entry[name] for entry in messages] for name in _MESSAGE}
            connection.execute(sql("duty_queue").encode(), columns | {"queued_at": queued_at})


def beat(connection: Connection, at: datetime) -> None:
    """Say that the notifier lives."""
    run(connection, "duty_beat", beat_at=at)


def open_messages(connection: Connection, channel: str, most: int, again: Iterable[str]) -> list[Row]:
    """Return what a channel still has to send: news before what is told ``again``, red first, then as queued."""
    return rows(connection, "duty_open_messages", channel=channel, most=most, again=list(again))


def give_way(connection: Connection, channel: str, again: Iterable[str]) -> int:
    """Have what waits to be told ``again`` give way to a newer message of the same matter to the same address."""
    return run(connection, "duty_give_way", channel=channel, again=list(again))


def merge(connection: Connection, carrier: int, others: Sequence[int]) -> None:
    """Have one message carry others, for good."""
    run(connection, "duty_merge", carrier=carrier, others=list(others))


def begin_attempt(connection: Connection, notification_id: int, at: datetime) -> list[Row]:
    """Record that a message is about to be sent; return number, reason and text of those that it carries."""
    run(connection, "duty_begin_attempt", id=notification_id, at=at)
    return rows(connection, "duty_merged_bodies", carrier=notification_id)


def told_before(connection: Connection, notification_ids: Sequence[int]) -> set[int]:
    """Return the messages whose people had the full words of its incident at its address, before its first attempt."""
    if not notification_ids:
        return set()
    found = rows(connection, "duty_told_before", ids=list(notification_ids))
    return {row["notification_id"] for row in found}


def settle(
    connection: Connection, notification_id: int, state: str, at: datetime, *, receipt: str | None, error: str | None
) -> None:
    """Record how a message ended, with all it carries."""
    run(connection, "duty_settle", id=notification_id, state=state, at=at, receipt=receipt, error=error)


def postpone(
    connection: Connection, notification_id: int, error: str, *, failures: int, doubtful: int, next_try_at: datetime,
    holds_channel: bool,
) -> None:  # fmt: skip
    """Record that an attempt failed and another one follows, and when; whether the whole channel waits as long."""
    run(
        connection, "duty_postpone", id=notification_id, error=error, failures=failures, doubtful=doubtful,
        next_try_at=next_try_at, holds_channel=holds_channel,
    )  # fmt: skip


def sent_since(connection: Connection, channel: str, since: datetime, now: datetime) -> list[datetime]:
    """Return when a channel sent something since a time, in order."""
    return [row["at"] for row in rows(connection, "duty_sent_since", channel=channel, since=since, now=now)]


def held_until(connection: Connection, channel: str) -> datetime | None:
    """Return until when a service asked that nothing is sent on a channel; None when it did not."""
    found: datetime | None = rows(connection, "duty_held_until", channel=channel)[0]["held_until"]
    return found


def unreached(
    connection: Connection, now: datetime, since: datetime, intervals: Mapping[str, timedelta], *,
    fallback: str, most: int,
) -> list[Row]:  # fmt: skip
    """Return the causes of which every message was refused, or none was taken within the interval of its severity.

    Parameters
    ----------
    since : datetime
        What was queued before is not looked at any more.
    intervals : mapping
        red, orange, yellow -> how long.
    fallback : str
        Whose messages are not late to anybody else: the fallback was told in the first place.
    most : int
        How many answers in a row that nobody knows are a refusal.
    """
    return rows(connection, "duty_unreached", now=now, since=since, fallback=fallback, most=most, **intervals)


def refused_steps(connection: Connection, causes: Sequence[str], most: int) -> dict[tuple[str, int], tuple[str, ...]]:
    """Return who stands at each ``(cause, step)`` where everybody, on every channel, refused."""
    found = rows(connection, "duty_refused_steps", causes=list(causes), most=most)
    return {(row["cause"], row["step"]): tuple(row["people"]) for row in found}


def basins_of(connection: Connection, subjects: Sequence[str]) -> set[str]:
    """Return in which basins some spaces lie now."""
    found = rows(connection, "duty_basins_of", subjects=list(subjects)) if subjects else []
    return {row["basin_id"] for row in found}


def told(connection: Connection, incident_id: str, reasons: Iterable[str]) -> list[Row]:
    """Return whom an incident told for any of these reasons since its last end was told, each address once."""
    return rows(connection, "duty_told", incident_id=incident_id, reasons=list(reasons))


def channel_faults(
    connection: Connection, now: datetime, since: datetime, probe_before: datetime,
    fallback: Sequence[tuple[str, str]], most: int,
) -> list[Row]:  # fmt: skip
    """Return the channels of which an address refuses, or on which something waits in vain.

    Parameters
    ----------
    since : datetime
        From when on a refusal counts of an address that neither roster nor ``fallback`` use.
    probe_before : datetime
        Refusals before are worth another try.
    fallback : sequence of (channel, address)
        Used whoever is on duty.
    """
    channels, addresses = [channel for channel, _ in fallback], [address for _, address in fallback]
    return rows(
        connection, "duty_channel_faults", now=now, since=since, probe_before=probe_before, channels=channels,
        addresses=addresses, most=most,
    )  # fmt: skip


def refusing(connection: Connection) -> dict[str, frozenset[str]] | None:
    """Return which addresses refused when that was last looked at, by condition; None before the first look."""
    found = rows(connection, "duty_refusing")[0]["refusing"]
    return None if found is None else {name: frozenset(addresses) for name, addresses in found.items()}


def remember_refusing(connection: Connection, refusing: Mapping[str, Iterable[str]]) -> None:
    """Keep which addresses refuse, for the notifier's next start."""
    kept = {name: sorted(addresses) for name, addresses in refusing.items()}
    with translated_errors():
        connection.execute(sql("duty_remember_refusing").encode(), {"refusing": orjson.dumps(kept).decode()})


def shifts(connection: Connection, starts_at: datetime, ends_at: datetime) -> list[Row]:
    """Return the shifts that touch a stretch of time."""
    return rows(connection, "duty_shifts", starts_at=starts_at, ends_at=ends_at)


def absences(connection: Connection, starts_at: datetime, ends_at: datetime) -> list[Row]:
    """Return the absences that touch a stretch of time."""
    return rows(connection, "duty_absences", starts_at=starts_at, ends_at=ends_at)


def names(connection: Connection) -> list[Row]:
    """Return what spaces and basins are called."""
    return rows(connection, "duty_names")


def site_seq(connection: Connection) -> int:
    """Return the place of the site in force in the commit order, 0 before the first."""
    return int(rows(connection, "duty_site_seq")[0]["commit_seq"])


def signs_of_life(connection: Connection) -> dict[str, str | None]:
    """Return the mode and what changes with each sign of life of engine, notifier and ingest; None before the first."""
    return rows(connection, "duty_signs")[0]
