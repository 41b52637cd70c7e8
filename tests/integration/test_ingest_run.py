"""A run: the run clock closes the batches, and the same messages give the same rows."""

from __future__ import annotations

import json
import signal

import pytest

from tests.integration.ingest_kit import Ingest, ingest_of, needs_mosquitto, publishing, query, wait_until
from tests.integration.ingest_messages import DEVICE, OTHER, messages_of, rain, run_clock


def _run_messages() -> list[tuple[str, bytes]]:
    messages = [rain(0, root="exercise"), run_clock(1)]
    for seq in range(2, 8):
        messages += [
            rain(seq * 60 + n - 60, 0.1 * n, device, "exercise") for n in range(30) for device in (DEVICE, OTHER)
        ]
        messages.append(("exercise/v1/futian/gauge-beiling/gauge-beiling-rain/observation", b"{}"))
        messages.append((f"exercise/v1/futian/{DEVICE}/status", b'{"online": %s}' % [b"true", b"false"][seq % 2]))
        messages.append((f"exercise/v1/futian/{OTHER}/observation", b'{"observed_at": %d, "battery_v": 3}' % seq))
        messages.append(run_clock(seq))
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


@pytest.mark.parametrize(
    ("any_broker", "batch", "kill"),
    [
        ("embedded", "500", False),
        pytest.param("mosquitto", "7", False, marks=needs_mosquitto),
        ("embedded", "1", False),
        pytest.param("mosquitto", "40", True, marks=needs_mosquitto),
    ],
    indirect=["any_broker"],
)
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
        publisher.publish([run_clock(1), run_clock(2), run_clock(1), other])
        wait_until(lambda: messages_of(exercise) == 4, "committed")
        assert ingest.stop() == 0
    assert [row["reason"] for row in query(exercise, "select reason from dead_letter")] == ["bad_run_clock"]
    assert _seqs(exercise) == [1, 2]
