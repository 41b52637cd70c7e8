"""Two workers share one subscription; one is killed and never comes back; or comes back and gets its slot again."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial

import pytest

from tests.integration.ingest_kit import (
    Ingest,
    Mosquitto,
    import_sample_site,
    ingest_of,
    needs_mosquitto,
    one,
    publishing,
    query,
    wait_until,
)
from tests.integration.ingest_messages import DEVICE, rain
from undercroft.store.connection import connect
from undercroft.store.subscriptions import Subscription, fetch_former, remember_subscription

pytestmark = needs_mosquitto


@contextmanager
def workers(database: str, broker_url: str, count: int) -> Iterator[list[Ingest]]:
    with ExitStack() as stack:
        found = []
        for slot in range(count):
            worker = stack.enter_context(ingest_of(database, broker_url, UNDERCROFT_BATCH_MAX_MESSAGES="100"))
            worker.options = ("--share", "pair", "--slot", str(slot))
            worker.start()
            found.append(worker)
        yield found


def stored(database: str) -> int:
    found: int = one(
        database, "select count(*) from observation join sensor using (sensor_id) where quantity <> 'online'"
    )
    return found


def has_stored(database: str, count: int) -> bool:
    return stored(database) == count


def states(count: int) -> list[tuple[str, bytes]]:
    """Return on, on, off, off, and so on."""
    words = [b"true" if number % 4 < 2 else b"false" for number in range(count)]
    return [(f"flood/v1/futian/{DEVICE}/status", b'{"online": %s}' % word) for word in words]


def states_of(database: str) -> list[bool]:
    said = "select value = 1 as online from observation join sensor using (sensor_id) where quantity = 'online'"
    return [row["online"] for row in query(database, f"{said} order by observed_at")]


def holders(database: str) -> dict[int, str | None]:
    return {row["slot"]: row["holder"] for row in query(database, "select slot, holder from ingest_slot")}


@pytest.mark.slow
def test_a_killed_worker_is_taken_over_without_restart_and_gets_its_slot_back(live: str, mosquitto: Mosquitto) -> None:
    with workers(live, mosquitto.url, 2) as (first, second), publishing(mosquitto.url) as publisher:
        publisher.publish(rain(number) for number in range(2000))
        wait_until(lambda: stored(live) == 2000, "both workers store")
        publisher.publish(rain(number) for number in range(2000, 5000))
        second.stop(signal.SIGKILL)
        publisher.publish(rain(number) for number in range(5000, 8000))
        wait_until(lambda: len(set(holders(live).values())) == 1, "the silent slot is taken over")
        wait_until(lambda: stored(live) == 8000, "what the killed worker had is stored")
        second.start()
        wait_until(lambda: len(set(holders(live).values()) - {None}) == 2, "the slot is given back")
        publisher.publish(states(12))
        wait_until(lambda: states_of(live) == [True, False] * 3, "states are stored, each change once")
        publisher.publish(states(12))
        first.stop(signal.SIGKILL)
        publisher.publish(states(12))
        wait_until(lambda: len(set(holders(live).values())) == 1, "the slot that takes the states is taken over")
        wait_until(lambda: states_of(live) == [True, False] * 9, "in order, and none twice")
        first.start()
        wait_until(lambda: len(set(holders(live).values()) - {None}) == 2, "that slot is given back, too")
        publisher.publish(rain(number) for number in range(8000, 9000))
        wait_until(lambda: stored(live) == 9000, "both store again")
        assert (first.stop(), second.stop()) == (0, 0)
    assert one(live, "select sum(stored)::int from batch") == 9000 + 18
    assert one(live, "select count(*) from observation_conflict") == 0
    assert one(live, "select count(*) from dead_letter") == 0
    assert one(live, "select sum(messages - redelivered)::int from batch") == 9000 + 18


@pytest.mark.slow
def test_what_waits_for_the_workers_of_before_is_stored_by_those_of_now(live: str, mosquitto: Mosquitto) -> None:
    """From one worker to a share and back; each time 100 readings wait in a session that nobody would serve."""
    with ingest_of(live, mosquitto.url) as worker, publishing(mosquitto.url) as publisher:
        for turn, options in enumerate(((), ("--share", "pair", "--slot", "0"), ())):
            worker.options = options
            worker.start()
            publisher.publish([*(rain(number) for number in range(200 * turn, 200 * turn + 100)), *states(2)])
            wait_until(partial(has_stored, live, 200 * turn + 100), "what came while it served is stored")
            assert worker.stop() == 0
            publisher.publish([*(rain(number) for number in range(200 * turn + 100, 200 * turn + 200)), *states(4)[2:]])
        worker.start()
        wait_until(lambda: stored(live) == 600, "what waited is stored, three times")
        wait_until(lambda: states_of(live) == [True, False] * 3, "states are stored in their order")
        assert worker.stop() == 0
    assert query(live, "select client_id from ingest_subscription where share <> ''") == []
    assert one(live, "select count(*) from dead_letter") == 0


def test_a_filter_that_is_not_asked_for_any_more_is_given_up(live: str) -> None:
    with closing(connect(live, application_name="test", autocommit=True)) as database:
        both = Subscription("one", ("flood/v1/+/+/+", "lorawan/#"))
        assert remember_subscription(database, "observation", "", both) == ()
        assert remember_subscription(database, "observation", "", Subscription("one", both.filters[:1])) == (
            "lorawan/#",
        )
        assert fetch_former(database, "observation", "") == []
        assert fetch_former(database, "observation", "pair") == [both]


def test_an_exercise_has_one_worker(exercise_db: str, mosquitto: Mosquitto) -> None:
    import_sample_site(exercise_db)
    done = subprocess.run(
        [sys.executable, "-m", "undercroft", "ingest", "--share", "pair"],
        env={"UNDERCROFT_DATABASE_URL": exercise_db, "UNDERCROFT_MQTT_URL": mosquitto.url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "one worker" in done.stderr
