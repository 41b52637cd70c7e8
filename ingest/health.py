"""What ails ingest, told as conditions: messages that wait too long, a broker that is away, dead letters at a cap.

In live operation it tells what ails devices, too (`ingest.device_health`).

Looked at every few seconds by the service, over a connection of its own, so that it is told while the lanes hang;
what ails the lanes first, for what holds up their rows (a lock, a disk) may hold up the other questions too. A
database that is away cannot be told; `/metrics` still can. What is told now is read from there each time: another
worker may have told it, or one that was killed since.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from ingest.device_health import device_conditions
from undercroft.clock import Clock
from undercroft.errors import StoreRejected, StoreUnavailable
from undercroft.store.canary import newest_judged
from undercroft.store.conditions import SYSTEM, Condition, device_subject, list_conditions, set_condition
from undercroft.store.connection import Connection, connect
from undercroft.store.dead_letters import Caps, Held, count_overflow_since, fold_held_letters

LOOK_S = 5.0
ANSWER_S = 4.0
"""A question that takes longer is given up until the next look. [s]"""
OLDEST_S = 10.0
AWAY_S = 10.0
DELIVERED_LATE_S = 30.0
"""Limit of the age of readings at their receipt, as that of the canary. [s]"""
AUTHOR = "ingest"
DEVICES_EVERY = timedelta(minutes=1)
RATE = "dead-letter-rate"
MIB = 1024**2
_log = structlog.get_logger("ingest")


@dataclass(frozen=True, slots=True)
class Waiting:
    """How the lanes of a slot stand."""

    slot: str
    """Empty where one worker serves all."""
    oldest_s: float
    """Age of the oldest message that is not committed. [s]"""
    away_s: float
    """Since when a lane has no subscription. [s]"""
    ungranted: tuple[str, ...] = ()
    """What the broker did not grant as asked, in words."""
    delivery_delay_s: float = 0.0
    """How old readings are when they come. [s]"""


@dataclass(frozen=True, slots=True)
class Shown:
    """Who shows what is looked at; None: nobody."""

    canary: Callable[[float, float], None] | None = None
    """Latency and age of the canary's newest judged reading. [s]"""
    letters: Callable[[Held], None] | None = None


NOBODY = Shown()


def patient_for(database_url: str, answer_s: float) -> Connection:
    """Open a connection whose questions are given up after so long, as `StoreUnavailable`."""
    return connect(database_url, application_name="undercroft-health", autocommit=True, answer_within_s=answer_s)


def _tell(
    connection: Connection, conditions: Iterable[Condition], active: Container[tuple[str, str]], now: datetime
) -> None:
    for condition in conditions:
        if ((condition.subject, condition.name) in active) != condition.is_active:
            set_condition(connection, condition, AUTHOR, now)


class Health:
    """Looks, and tells what changed; for one thread."""

    def __init__(
        self,
        database_url: str,
        clock: Clock,
        waiting: Callable[[], Iterable[Waiting]],
        caps: Caps,
        *,
        of_devices: bool = False,
        heard_us: Callable[[], Mapping[str, int]] = dict,
        shown: Shown = NOBODY,
    ) -> None:
        self._url = database_url
        self._clock = clock
        self._waiting = waiting
        self._caps = caps
        self._of_devices, self._heard_us, self._shown = of_devices, heard_us, shown
        self._devices_at: datetime | None = None
        self._connection: Connection | None = None

    def watch(self, stop: threading.Event) -> None:
        """Look every few seconds until told to stop; the body of a thread of its own."""
        while not stop.wait(LOOK_S):
            try:
                if self._connection is None:
                    self._connection = patient_for(self._url, ANSWER_S)
                self.look(self._connection, self._clock.now())
            except (StoreUnavailable, StoreRejected) as error:  # a right taken away comes back, too
                _log.warning("health_not_told", error=str(error))
                self._disconnect()
        self._disconnect()

    def look(self, connection: Connection, now: datetime) -> None:
        """Tell the conditions that changed, and show how the canary fares."""
        active = {(row["subject"], row["name"]) for row in list_conditions(connection) if row["is_active"]}
        _tell(connection, self._of_lanes(), active, now)
        beat = None if self._shown.canary is None else newest_judged(connection, now)
        if beat is not None and self._shown.canary is not None:
            self._shown.canary(beat.judged_s, (now - beat.sent_at).total_seconds())
        devices = {subject for subject, name in active if name == RATE and subject != SYSTEM}
        conditions = [*self._of_letters(connection, now, devices)]
        looked = self._devices_at
        if self._of_devices and (looked is None or not timedelta() <= now - looked < DEVICES_EVERY):
            self._devices_at = now
            conditions += device_conditions(connection, now, active, self._heard_us())
        _tell(connection, conditions, active, now)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _of_lanes(self) -> Iterator[Condition]:
        for lanes in self._waiting():
            slot = f"-{lanes.slot}" if lanes.slot else ""
            lag, away = "age of the oldest message that is not committed", "no subscription at the broker"
            yield Condition(f"ingest-lag{slot}", lanes.oldest_s > OLDEST_S, lanes.oldest_s, OLDEST_S, "s", lag)
            yield Condition(f"broker-away{slot}", lanes.away_s > AWAY_S, lanes.away_s, AWAY_S, "s", away)
            late_s, why = (
                lanes.delivery_delay_s,
                "median age of readings when they come: they wait at the broker or before it",
            )
            yield Condition(f"delivery-late{slot}", late_s > DELIVERED_LATE_S, late_s, DELIVERED_LATE_S, "s", why)
            refused, words = len(lanes.ungranted), "; ".join(lanes.ungranted) or "all subscriptions are granted"
            yield Condition(f"subscription-refused{slot}", refused > 0, refused, 0, "filters", words)

    def _of_letters(self, connection: Connection, now: datetime, devices: Iterable[str]) -> Iterator[Condition]:
        held, caps = fold_held_letters(connection), self._caps
        if self._shown.letters is not None:
            self._shown.letters(held)
        full = "dead letters are counted and no longer kept: retry or drop what is understood"
        yield Condition("dead-letter-table", held.letters >= caps.in_all, held.letters, caps.in_all, "letters", full)
        of_bytes, cap = held.bytes / MIB, caps.bytes_in_all / MIB
        yield Condition("dead-letter-bytes", held.bytes >= caps.bytes_in_all, of_bytes, cap, "MiB", full)
        over = count_overflow_since(connection, now - timedelta(hours=1))
        subjects = {SYSTEM: over.pop("", 0)} | dict.fromkeys(devices, 0)
        subjects |= {device_subject(device_id): times for device_id, times in over.items()}
        for subject, times in subjects.items():
            detail = "letters of no known device" if subject == SYSTEM else "letters of this device"
            yield Condition(
                RATE,
                times > 0,
                times,
                self._caps.per_device_hour,
                "letters/h",
                f"{detail} over the cap, counted and not kept",
                subject,
            )
