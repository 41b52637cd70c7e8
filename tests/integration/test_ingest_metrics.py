"""`/metrics` of the ingest service, read as Prometheus reads it."""

from __future__ import annotations

import re
import time
import urllib.request
from contextlib import closing

from tests.integration.ingest_kit import free_port, ingest_of, one, publishing, query, wait_until
from tests.integration.ingest_messages import DEVICE, WAITING, messages_of, rain
from undercroft.store.connection import connect


def test_metrics_count_every_lane(live: str, broker: str) -> None:
    port = free_port()
    with ingest_of(live, broker, UNDERCROFT_INGEST_METRICS_PORT=str(port)) as ingest, publishing(broker) as publisher:
        ingest.start()
        event = (f"flood/v1/futian/{DEVICE}/event", rain(9)[1])
        publisher.publish([rain(1), rain(1), rain(1, 7.0), rain(2), (rain(1)[0], b"\xff"), event])
        wait_until(lambda: messages_of(live) == 6, "committed")
        acknowledged = {"observation": 6, "event": 1}  # that of the event comes by the whole tree, too
        wait_until(
            lambda: _metrics(port, "undercroft_ingest_messages_acknowledged_total") == acknowledged, "acknowledged"
        )
        expected = {
            "messages_received_total": {"observation": 5, "event": 1},
            "messages_redelivered_total": {"observation": 1, "event": 0},
            "readings_decoded_total": {"observation": 4, "event": 1},
            "readings_stored_total": {"observation": 2, "event": 1},
            "readings_duplicate_total": {"observation": 1, "event": 0},
            "readings_conflicting_total": {"observation": 1, "event": 0},
            "dead_lettered_total": {"observation": 1, "event": 0},
            "window_messages": {"observation": 0, "event": 0},
            "oldest_unacknowledged_seconds": {"observation": 0, "event": 0},
        }
        assert {name: _metrics(port, f"undercroft_ingest_{name}") for name in expected} == expected
        batches = query(live, "select lane, count(*)::int as batches from batch group by lane")
        timed = _metrics(port, "undercroft_ingest_commit_seconds_count")
        assert timed == {row["lane"]: row["batches"] for row in batches}
        assert ingest.stop() == 0


def test_commit_seconds_hold_the_wait_for_the_commit(live: str, broker: str) -> None:
    """A lock of the test holds the commit up; what it was seen to last is in the sum, and no more than all of it."""
    port = free_port()
    with (
        ingest_of(live, broker, UNDERCROFT_INGEST_METRICS_PORT=str(port)) as ingest,
        publishing(broker) as publisher,
        closing(connect(live, application_name="test")) as holder,
    ):
        ingest.start()
        holder.execute("select * from commit_counter for update")
        began_s = time.monotonic()
        publisher.publish([rain(1)])
        wait_until(lambda: one(live, WAITING) == 1, "the batch waits for its commit")
        waits_since_s = time.monotonic()
        wait_until(
            lambda: _metrics(port, "undercroft_ingest_oldest_unacknowledged_seconds")["observation"] > 0.5,
            "its age is told while it waits",
        )
        waited_s = time.monotonic() - waits_since_s
        holder.rollback()
        wait_until(
            lambda: _metrics(port, "undercroft_ingest_commit_seconds_sum")["observation"] > 0, "the commit is timed"
        )
        lasted_s = time.monotonic() - began_s
        commit_s = _metrics(port, "undercroft_ingest_commit_seconds_sum")["observation"]
        assert ingest.stop() == 0
    assert waited_s <= commit_s <= lasted_s


def _metrics(port: int, name: str) -> dict[str, float]:
    """Values of one metric by lane, over all reasons."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    found = [re.match(rf'{name}{{lane="(\w+)".*}} (\S+)$', line) for line in lines]
    values: dict[str, float] = {}
    for match in filter(None, found):
        values[match[1]] = values.get(match[1], 0.0) + float(match[2])
    return values
