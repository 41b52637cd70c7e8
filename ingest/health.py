"""What ails ingest, told as conditions of the system: dead letters at a cap, messages that wait too long.

Looked at every few seconds by the service, over a connection of its own, so that it is told while the lanes hang. A
database that is away cannot be told; `/metrics` still can.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import structlog

from undercroft.clock import Clock
from undercroft.errors import StoreUnavailable
from undercroft.store.conditions import Condition, list_conditions, set_condition
from undercroft.store.connection import Connection, connect
from undercroft.store.dead_letters import Caps, count_dead_letters, count_overflow_since

LOOK_S = 5.0
OLDEST_S = 10.0
AUTHOR = "ingest"
_log = structlog.get_logger("ingest")


class Health:
    """Knows what was told; for one thread."""

    def __init__(self, database_url: str, clock: Clock, oldest_s: Callable[[], float], caps: Caps) -> None:
        self._url = database_url
        self._clock = clock
        self._oldest_s = oldest_s
        self._caps = caps
        self._connection: Connection | None = None
        self._active: dict[str, bool] | None = None

    def watch(self, stop: threading.Event) -> None:
        """Look every few seconds until told to stop; the body of a thread of its own."""
        while not stop.wait(LOOK_S):
            try:
                if self._connection is None:
                    self._connection = connect(self._url, application_name="undercroft-health", autocommit=True)
                self.look(self._connection, self._clock.now())
            except StoreUnavailable as error:
                _log.warning("health_not_told", error=str(error))
                self._disconnect()
        self._disconnect()

    def look(self, connection: Connection, now: datetime) -> None:
        """Tell the conditions that changed."""
        if self._active is None:  # what another process left behind ends here
            self._active = {row["name"]: row["is_active"] for row in list_conditions(connection)}
        for condition in self._conditions(connection, now):
            if self._active.get(condition.name, False) != condition.is_active:
                set_condition(connection, condition, AUTHOR, now)
                self._active[condition.name] = condition.is_active

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        self._active = None
        if connection is not None:
            connection.close()

    def _conditions(self, connection: Connection, now: datetime) -> Iterator[Condition]:
        oldest_s = self._oldest_s()
        yield Condition(
            "ingest-lag", oldest_s > OLDEST_S, oldest_s, OLDEST_S, "s", "age of the oldest unacknowledged message"
        )
        letters = count_dead_letters(connection)
        yield Condition(
            "dead-letter-table",
            letters >= self._caps.in_all,
            letters,
            self._caps.in_all,
            "letters",
            "dead letters are counted and no longer kept: retry or drop some, shorten their retention",
        )
        device_id, times = count_overflow_since(connection, now - timedelta(hours=1))
        yield Condition(
            "dead-letter-rate",
            times > 0,
            times,
            self._caps.per_device_hour,
            "letters/h",
            f"over the cap, counted and not kept; most from {device_id or 'no known device'}",
        )
