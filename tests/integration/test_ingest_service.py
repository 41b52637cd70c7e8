"""The ingest service against a real database and real brokers: the embedded one, and Mosquitto."""

from __future__ import annotations

import json
import re
import signal
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.integration.ingest_kit import (
    MOSQUITTO,
    Ingest,
    Mosquitto,
    Publisher,
    free_port,
    import_sample_site,
    ingest_of,
    needs_mosquitto,
    one,
    publishing,
    query,
    wait_until,
)
from undercroft.store.connection import connect

DEVICE = "gauge-beiling/gauge-beiling-rain"
OTHER = "gauge-rongxi/gauge-rongxi-rain"
NOON_MS = 1_782_907_200_000
WAITING = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"


@pytest.fixture
def mosquitto() -> Iterator[Mosquitto]:
    if MOSQUITTO is None:
        pytest.skip("the mosquitto broker is not installed")
    with tempfile.TemporaryDirectory(prefix="ucm-", dir="/tmp") as folder:
        server = Mosquitto(Path(folder), free_port())
        server.start()
        yield server
        server.stop(signal.SIGKILL)


@pytest.fixture(params=["embedded", pytest.param("mosquitto", marks=needs_mosquitto)])
def any_broker(request: pytest.FixtureRequest) -> str:
    if request.param == "embedded":
        url: str = request.getfixturevalue("broker")
        return url
    server: Mosquitto = request.getfixturevalue("mosquitto")
    return server.url


@pytest.fixture
def live(live_db: str) -> str:
    import_sample_site(live_db)
    return live_db


@pytest.fixture
def exercise(exercise_db: str) -> str:
    import_sample_site(exercise_db)
    return exercise_db


def rain(number: int, value: float = 1.5, device: str = DEVICE, root: str = "flood") -> tuple[str, bytes]:
    payload = {"observed_at": NOON_MS + number * 1000, "seq": number, "rain_total_mm": value}
    return f"{root}/v1/futian/{device}/observation", json.dumps(payload).encode()


def clock(seq: int) -> tuple[str, bytes]:
    return "exercise/v1/futian/run/clock", json.dumps({"now": f"2026-07-01T12:{seq:02}:00Z", "seq": seq}).encode()


def messages_of(database: str) -> int:
    found: int = one(database, "select coalesce(sum(messages), 0)::bigint from batch")
    return found


def new_messages_of(database: str) -> int:
    found: int = one(database, "select coalesce(sum(messages - redelivered), 0)::bigint from batch")
    return found


def test_messages_become_rows_letters_and_conflicts(live: str, any_broker: str) -> None:
    root = f"flood/v1/futian/{DEVICE}"
    with ingest_of(live, any_broker) as ingest, publishing(any_broker) as publisher:
        ingest.start()
        publisher.publish(
            [
                rain(1),
                rain(1),
                rain(1, 9.0),
                rain(1, 9.0),
                rain(2),
                (f"{root}/event", b'{"observed_at": "2026-07-01T20:00:05+08:00", "battery_v": 3.5}'),
                (f"{root}/observation", b"\xff"),
                (f"{root}/observation", b'{"rain_total_mm": 5}'),
                (f"{root}/observation", b'{"observed_at": %d, "rain_total_mm": NaN}' % NOON_MS),
                (f"{root}/observation", b'{"observed_at": %d, "colour": 5, "rain_total_mm": 5}' % (NOON_MS + 3000)),
                ("flood/v1/futian/gauge-beiling/nobody/observation", rain(1)[1]),
                (f"{root}/status", b'{"online": true}'),
                (f"{root}/status", b'{"online": true}'),
                (f"{root}/status", b'{"online": false}'),
            ]
        )
        wait_until(lambda: messages_of(live) >= 14, "14 messages are committed")
        assert ingest.stop() == 0
    rows = query(live, "select quantity, value from observation join sensor using (sensor_id) order by 1, observed_at")
    assert [tuple(row.values()) for row in rows] == [
        ("battery_v", 3.5),
        ("online", 1.0),
        ("online", 0.0),
        ("rain_total_mm", 1.5),
        ("rain_total_mm", 1.5),
        ("rain_total_mm", 5.0),
    ]
    assert [row["value"] for row in query(live, "select value from observation_conflict")] == [9.0]
    letters = query(live, "select reason, detail, device_id, times_seen from dead_letter order by reason")
    assert [row["reason"] for row in letters] == [
        "no_timestamp",
        "not_finite",
        "not_utf8",
        "unknown_device",
        "unknown_quantity",
    ]
    assert {row["times_seen"] for row in letters} == {1}
    totals = query(
        live,
        "select sum(messages)::int m, sum(readings)::int r, sum(stored)::int s, sum(duplicates)::int d,"
        " sum(conflicts)::int c, sum(dead_letters)::int l, sum(redelivered)::int again from batch",
    )[0]
    assert totals == {"m": 14, "r": 10, "s": 6, "d": 3, "c": 1, "l": 5, "again": 3}


@pytest.mark.parametrize("place", ["before_insert", "after_insert", "after_commit", "before_ack", "after_ack"])
def test_kill_between_insert_commit_and_acknowledgement(live: str, mosquitto: Mosquitto, place: str) -> None:
    with ingest_of(live, mosquitto.url, UNDERCROFT_BATCH_MAX_MESSAGES="100") as ingest:
        ingest.start()
        assert ingest.stop() == 0
        with publishing(mosquitto.url) as publisher:
            publisher.publish(rain(number) for number in range(1000))
        ingest.start(UNDERCROFT_FAILPOINT=f"{place}:3")
        ingest.wait_killed()
        assert one(live, "select count(*) from observation") < 1000
        ingest.start()
        wait_until(lambda: one(live, "select count(*) from observation") >= 1000, "every reading is stored")
        wait_until(lambda: new_messages_of(live) == 1000, "every message is counted once")
        assert ingest.stop() == 0
    assert one(live, "select count(*) from observation_conflict") == 0
    assert one(live, "select count(*) from dead_letter") == 0
    assert one(live, "select sum(stored)::int from batch") == 1000


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


def test_the_session_outlives_a_stop(live: str, any_broker: str) -> None:
    with ingest_of(live, any_broker) as ingest, publishing(any_broker) as publisher:
        ingest.start()
        publisher.publish([rain(1)])
        wait_until(lambda: messages_of(live) == 1, "the first message is committed")
        assert ingest.stop() == 0
        publisher.publish(rain(number) for number in range(2, 102))
        ingest.start()
        wait_until(lambda: messages_of(live) == 101, "what came meanwhile is committed")
        assert ingest.stop() == 0
    assert one(live, "select sum(redelivered)::int from batch") == 0


def test_a_lost_clock_is_stored_at_receipt_once_and_suspect(live: str, any_broker: str) -> None:
    topic = f"flood/v1/futian/{DEVICE}/observation"
    lost = [
        (topic, b'{"observed_at": "1970-01-01T00:00:07Z", "rain_total_mm": 2.0}'),
        (topic, b'{"observed_at": "2100-01-01T00:00:00Z", "rain_total_mm": 3.0}'),
        (topic, b'{"observed_at": "1970-01-01T00:00:07Z", "rain_total_mm": 2.0}'),
        (topic, b'{"observed_at": "1970-01-01T00:00:08Z", "rain_total_mm": 2.0}'),
    ]
    with ingest_of(live, any_broker) as ingest, publishing(any_broker) as publisher:
        ingest.start()
        publisher.publish(lost)
        wait_until(lambda: messages_of(live) == 4, "committed")
        publisher.publish(lost)
        wait_until(lambda: messages_of(live) == 8, "committed again")
        assert ingest.stop() == 0
    rows = query(
        live,
        "select value, quality, quality_tests, extract(epoch from observed_at - received_at)::float8 as off"
        " from observation order by observed_at",
    )
    assert [row["value"] for row in rows] == [2.0, 3.0, 2.0]
    assert {(row["quality"], row["quality_tests"]) for row in rows} == {(3, 1)}
    assert all(0 <= row["off"] < 0.001 for row in rows)
    assert one(live, "select sum(redelivered)::int from batch") == 5


def test_a_payload_that_is_too_large_stops_nothing(live: str, any_broker: str) -> None:
    topic = f"flood/v1/futian/{DEVICE}/observation"
    head = b"\x00" + bytes([len(topic)]) + topic.encode() + b"\x00\x01"
    size = len(head) + 10_000_000
    packet = b"\x32" + bytes([size & 127 | 128, size >> 7 & 127 | 128, size >> 14 & 127 | 128, size >> 21]) + head
    with ingest_of(live, any_broker) as ingest:
        ingest.start()
        vandal = Publisher(any_broker, "vandal")
        with suppress(OSError):  # rumqttd hangs up; Mosquitto swallows it
            vandal.send_raw(packet + b" " * 10_000_000)
        vandal.abandon()
        with publishing(any_broker) as publisher:
            publisher.publish([rain(2)])
        wait_until(lambda: one(live, "select count(*) from observation") == 1, "the next message is stored")
        assert ingest.stop() == 0
    assert one(live, "select count(*) from dead_letter") == 0


def test_ingest_waits_for_the_broker_to_come_back(live: str, mosquitto: Mosquitto) -> None:
    with ingest_of(live, mosquitto.url) as ingest:
        ingest.start()
        mosquitto.stop()
        mosquitto.start()
        with publishing(mosquitto.url) as publisher:
            publisher.publish(rain(number) for number in range(200))
        wait_until(lambda: one(live, "select count(*) from observation") == 200, "all is stored")
        assert ingest.stop() == 0


def _run_messages() -> list[tuple[str, bytes]]:
    messages = [rain(0, root="exercise"), clock(1)]
    for seq in range(2, 8):
        messages += [
            rain(seq * 60 + n - 60, 0.1 * n, device, "exercise") for n in range(30) for device in (DEVICE, OTHER)
        ]
        messages.append(("exercise/v1/futian/gauge-beiling/gauge-beiling-rain/observation", b"{}"))
        messages.append((f"exercise/v1/futian/{DEVICE}/status", b'{"online": %s}' % [b"true", b"false"][seq % 2]))
        messages.append((f"exercise/v1/futian/{OTHER}/observation", b'{"observed_at": %d, "battery_v": 3}' % seq))
        messages.append(clock(seq))
    return messages


def _canonical(database: str) -> list[tuple[object, ...]]:
    rows = query(
        database,
        "select device_id, quantity, observed_at, value, o.quality, quality_tests, o.received_at"
        " from observation o join sensor using (sensor_id) order by 1, 2, 3",
    )
    return [tuple(row.values()) for row in rows]


def _clocked_batches(database: str) -> list[int]:
    """Readings committed up to each run clock."""
    rows = query(
        database,
        "select c.run_seq, (select sum(stored)::int from batch b where b.commit_seq <= c.commit_seq) as stored"
        " from batch c where c.run_now is not null order by c.commit_seq",
    )
    assert [row["run_seq"] for row in rows] == list(range(1, len(rows) + 1))
    return [row["stored"] for row in rows]


def _play(ingest: Ingest, broker_url: str, kill: bool = False) -> None:
    with publishing(broker_url) as publisher:
        messages = _run_messages()
        ingest.start()
        publisher.publish(messages[:200])
        if kill:
            ingest.stop(signal.SIGKILL)
            ingest.start()
        publisher.publish(messages[200:])
        wait_until(lambda: 7 in _seqs(ingest.database_url), "the last run clock is committed")
        assert ingest.stop() == 0


def _seqs(database: str) -> list[int]:
    return [row["run_seq"] for row in query(database, "select run_seq from batch where run_now is not null")]


@pytest.mark.parametrize(("batch", "kill"), [("500", False), ("7", False), ("1", False), ("40", True)])
def test_a_run_gives_the_same_rows_in_any_batch_size_and_after_a_kill(
    exercise: str, any_broker: str, batch: str, kill: bool
) -> None:
    with ingest_of(exercise, any_broker, UNDERCROFT_BATCH_MAX_MESSAGES=batch) as ingest:
        _play(ingest, any_broker, kill)
    rows = _canonical(exercise)
    by_quantity = [row[1] for row in rows]
    assert (by_quantity.count("rain_total_mm"), by_quantity.count("battery_v"), by_quantity.count("online")) == (
        360,
        6,
        6,
    )
    minute = [row[6].minute for row in rows if row[1] == "rain_total_mm" and row[0] == "gauge-beiling-rain"]  # type: ignore[attr-defined]
    assert minute == sorted(minute)
    assert set(minute) == set(range(1, 7))
    assert _clocked_batches(exercise) == [0, 62, 124, 186, 248, 310, 372]
    letters = query(exercise, "select reason, times_seen from dead_letter order by reason")
    assert [row["reason"] for row in letters] == ["no_run_clock", "no_timestamp"]


def test_a_second_run_in_the_same_database_is_not_passed_over_in_silence(exercise: str, broker: str) -> None:
    other = ("exercise/v1/futian/run/clock", json.dumps({"now": "2026-07-02T12:01:00Z", "seq": 1}).encode())
    with ingest_of(exercise, broker) as ingest, publishing(broker) as publisher:
        ingest.start()
        publisher.publish([clock(1), clock(2), clock(1), other])
        wait_until(lambda: messages_of(exercise) == 4, "committed")
        assert ingest.stop() == 0
    assert [row["reason"] for row in query(exercise, "select reason from dead_letter")] == ["bad_run_clock"]
    assert _seqs(exercise) == [1, 2]


def test_metrics_count_every_lane(live: str, broker: str) -> None:
    port = free_port()
    with ingest_of(live, broker, UNDERCROFT_INGEST_METRICS_PORT=str(port)) as ingest, publishing(broker) as publisher:
        ingest.start()
        event = (f"flood/v1/futian/{DEVICE}/event", rain(9)[1])
        publisher.publish([rain(1), rain(1), rain(1, 7.0), rain(2), (rain(1)[0], b"\xff"), event])
        wait_until(lambda: messages_of(live) == 6, "committed")
        wait_until(
            lambda: sum(_metrics(port, "undercroft_ingest_messages_acknowledged_total").values()) == 6, "acknowledged"
        )
        expected = {
            "messages_received_total": {"observation": 5, "event": 1},
            "messages_redelivered_total": {"observation": 1, "event": 0},
            "readings_decoded_total": {"observation": 4, "event": 1},
            "readings_stored_total": {"observation": 2, "event": 1},
            "readings_duplicate_total": {"observation": 1, "event": 0},
            "readings_conflicting_total": {"observation": 1, "event": 0},
            "dead_lettered_total": {"observation": 1},
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
        wait_until(lambda: bool(_metrics(port, "undercroft_ingest_commit_seconds_sum")), "the commit is timed")
        lasted_s = time.monotonic() - began_s
        commit_s = _metrics(port, "undercroft_ingest_commit_seconds_sum")["observation"]
        assert ingest.stop() == 0
    assert waited_s <= commit_s <= lasted_s


def _metrics(port: int, name: str) -> dict[str, float]:
    """Values of one metric by lane."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    found = [re.match(rf'{name}{{lane="(\w+)".*}} (\S+)$', line) for line in lines]
    return {match[1]: float(match[2]) for match in found if match}


def test_the_event_lane_does_not_wait_for_the_observation_lane(live: str, broker: str) -> None:
    """A row that the test has inserted and not committed holds up the batch of the observation lane."""
    insert = (
        "insert into observation select sensor_id, to_timestamp(%s), 1.5, 1, 0, now(), 0 from sensor"
        " where device_id = 'gauge-beiling-rain' and quantity = 'rain_total_mm'"
    )
    with (
        ingest_of(live, broker) as ingest,
        publishing(broker) as publisher,
        closing(connect(live, application_name="test")) as holder,
    ):
        # The first reading of a day makes its chunk on TimescaleDB, and whoever makes one is waited for.
        holder.execute(insert, (NOON_MS / 1000 - 60,))
        holder.commit()
        ingest.start()
        holder.execute(insert, (NOON_MS / 1000 + 1,))
        publisher.publish([rain(1)])
        waiting = (
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        )
        wait_until(lambda: one(live, waiting) == 1, "the observation lane waits")
        publisher.publish([(f"flood/v1/futian/{DEVICE}/event", rain(2)[1])])
        wait_until(lambda: messages_of(live) == 1, "the event is committed")
        assert query(live, "select lane, stored from batch") == [{"lane": "event", "stored": 1}]
        holder.rollback()
        wait_until(lambda: messages_of(live) == 2, "the observation is committed")
        assert ingest.stop() == 0
    assert one(live, "select sum(stored)::int from batch") == 2
