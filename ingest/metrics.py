"""Counters of every lane for Prometheus. ``docs/operations/ingest.md`` says what each means and what to do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from math import nan
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from ingest.reasons import Reason
from ingest.writer import Written
from undercroft.store.dead_letters import Held

LOOPBACK = "127.0.0.1"
_COMMIT_BUCKETS_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)


class Metrics:
    """All lanes of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"undercroft_ingest_{name}", text, ("lane", *labels), registry=self.registry)

        self.received = counter("messages_received", "Messages committed, those delivered again included")
        self.redelivered = counter("messages_redelivered", "Messages of which everything was known")
        self.acknowledged = counter("messages_acknowledged", "Messages acknowledged to the broker")
        self.decoded = counter("readings_decoded", "Readings that belong to a sensor")
        self.stored = counter("readings_stored", "Readings stored")
        self.duplicates = counter("readings_duplicate", "Readings that were stored before with the same value")
        self.conflicts = counter("readings_conflicting", "Readings whose sensor and time hold another value")
        self.dead_lettered = counter("dead_lettered", "Dead letters, those seen before included", "reason")
        self.kept = counter("batches_kept", "Tries to commit that failed; the batch was kept")
        self.connections = counter("broker_connections", "Subscriptions confirmed by the broker")
        self.commit_s = Histogram(
            "undercroft_ingest_commit_seconds",
            "From the close of a batch to its commit",
            ("lane",),
            registry=self.registry,
            buckets=_COMMIT_BUCKETS_S,
        )
        self._window = Gauge(
            "undercroft_ingest_window_messages", "Messages read and not committed", ("lane",), registry=self.registry
        )
        self._oldest = Gauge(
            "undercroft_ingest_oldest_unacknowledged_seconds",
            "Age of the oldest message that is not committed; 0 when there is none",
            ("lane",),
            registry=self.registry,
        )
        self._delay = Gauge(
            "undercroft_ingest_delivery_delay_seconds",
            "Median age, at its receipt, of the newest reading of the devices that spoke last; NaN: fewer than 3 did",
            ("lane",),
            registry=self.registry,
        )

        self._letters = Gauge(
            "undercroft_dead_letters_open", "Open dead letters of the database; NaN: not looked", registry=self.registry
        )
        self._letter_bytes = Gauge(
            "undercroft_dead_letters_bytes", "What they hold, in bytes; NaN: not looked", registry=self.registry
        )
        # Unlike a 0, NaN says that no reading of a canary was judged yet.
        self._canary_latency = Gauge(
            "undercroft_canary_latency_seconds",
            "From the sending of the canary's newest judged reading to the tick that covers it; NaN: none yet",
            registry=self.registry,
        )
        self._canary_age = Gauge(
            "undercroft_canary_age_seconds",
            "Since the sending of the canary's newest judged reading; NaN: none yet",
            registry=self.registry,
        )
        for gauge in (self._canary_latency, self._canary_age, self._letters, self._letter_bytes):
            gauge.set(nan)

    def note_canary(self, latency_s: float, age_s: float) -> None:
        """Show how long the canary's newest judged reading took, and how old it is. [s]"""
        self._canary_latency.set(latency_s)
        self._canary_age.set(age_s)

    def note_letters(self, held: Held) -> None:
        """Show what the open dead letters hold."""
        self._letters.set(held.letters)
        self._letter_bytes.set(held.bytes)

    def watch(
        self, lane: str, window: Callable[[], float], oldest_s: Callable[[], float], delay_s: Callable[[], float]
    ) -> None:
        """Read these whenever they are asked for, so that a lane that hangs is seen to hang; its counts begin at 0."""
        for counter in (
            self.received, self.redelivered, self.acknowledged, self.decoded, self.stored, self.duplicates,
            self.conflicts, self.kept, self.connections, self.commit_s,
        ):  # fmt: skip
            counter.labels(lane)
        for reason in Reason:
            self.dead_lettered.labels(lane, reason.value)
        self._window.labels(lane).set_function(window)
        self._oldest.labels(lane).set_function(oldest_s)
        self._delay.labels(lane).set_function(delay_s)

    def unwatch(self, lane: str) -> None:
        """Show these no longer: another worker serves the lane, and what this one left open ages nowhere."""
        self._window.remove(lane)
        self._oldest.remove(lane)
        self._delay.remove(lane)

    def note(self, lane: str, written: Written, elapsed_s: float) -> None:
        """Count a committed batch."""
        record = written.record
        self.received.labels(lane).inc(record.messages)
        self.redelivered.labels(lane).inc(record.redelivered)
        self.decoded.labels(lane).inc(record.readings)
        self.stored.labels(lane).inc(record.stored)
        self.duplicates.labels(lane).inc(record.duplicates)
        self.conflicts.labels(lane).inc(record.conflicts)
        for reason, count in written.reasons.items():
            self.dead_lettered.labels(lane, reason).inc(count)
        self.commit_s.labels(lane).observe(elapsed_s)

    def serve(self, port: int) -> tuple[WSGIServer, threading.Thread]:
        """Serve ``/metrics`` on loopback from a thread."""
        return start_http_server(port, LOOPBACK, self.registry)
