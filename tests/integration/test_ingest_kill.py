"""kill -9 of ingest between insert, commit and acknowledgement, and in the middle of its work."""

from __future__ import annotations

import signal

from ingest.failpoints import PLACES
from tests.integration.ingest_kit import Mosquitto, ingest_of, one, publishing, wait_until
from tests.integration.ingest_messages import rain


def test_kill_between_insert_commit_and_acknowledgement(live: str, mosquitto: Mosquitto) -> None:
    """A failpoint each, one start after the other; what every kill leaves open is for the next."""
    with ingest_of(live, mosquitto.url, UNDERCROFT_BATCH_MAX_MESSAGES="100") as ingest:
        ingest.start()
        assert ingest.stop() == 0
        with publishing(mosquitto.url) as publisher:
            publisher.publish(rain(number) for number in range(3000))
        for place in PLACES:
            ingest.start(UNDERCROFT_FAILPOINT=f"{place}:3")
            ingest.wait_killed()
            assert one(live, "select count(*) from observation") < 3000, place
        ingest.start()
        wait_until(lambda: one(live, "select count(*) from observation") >= 3000, "every reading is stored")
        wait_until(lambda: _new_messages_of(live) == 3000, "every message is counted once")
        assert ingest.stop() == 0
    assert one(live, "select count(*) from observation_conflict") == 0
    assert one(live, "select count(*) from dead_letter") == 0
    assert one(live, "select sum(stored)::int from batch") == 3000


def test_nothing_is_acknowledged_that_is_not_committed(live: str, mosquitto: Mosquitto) -> None:
    """Messages in flight when the process is killed come again; none was taken from the broker for nothing."""
    with ingest_of(live, mosquitto.url) as ingest:
        ingest.start()
        with publishing(mosquitto.url) as publisher:
            for burst in range(10):
                publisher.publish(rain(number) for number in range(burst * 300, burst * 300 + 300))
                if burst in {3, 6}:
                    ingest.stop(signal.SIGKILL)
                    ingest.start()
        wait_until(lambda: one(live, "select count(*) from observation") == 3000, "every reading is stored")
        assert ingest.stop() == 0
    assert one(live, "select sum(stored)::int from batch") == 3000


def _new_messages_of(database: str) -> int:
    found: int = one(database, "select coalesce(sum(messages - redelivered), 0)::bigint from batch")
    return found
