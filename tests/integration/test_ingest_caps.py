"""Caps on dead letters, and what is told when one is reached."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

from ingest.health import Health
from tests.integration.ingest_kit import one, query
from undercroft.clock import FakeClock
from undercroft.store.connection import connect
from undercroft.store.dead_letters import Caps, DeadLetter, keep_dead_letters

NOW = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
NOW_US = round(NOW.timestamp() * 1e6)
CAPS = Caps(per_device_hour=3, in_all=5)


def letter(number: int, device_id: str | None = "a", received_us: int = NOW_US) -> DeadLetter:
    return DeadLetter(b"t", b"%d" % number, "not_json", "", device_id, 1, False, received_us)


def test_over_the_cap_is_counted_and_known_letters_are_not_over_it(live_db: str) -> None:
    with closing(connect(live_db, application_name="test", autocommit=True)) as connection:
        assert keep_dead_letters(connection, [letter(n) for n in range(5)], 1, CAPS) == [True] * 5
        assert one(live_db, "select count(*) from dead_letter") == 3
        assert keep_dead_letters(connection, [letter(0)], 2, CAPS) == [False]
        assert one(live_db, "select max(times_seen) from dead_letter") == 2
        keep_dead_letters(connection, [letter(n, None) for n in range(10, 14)], 3, CAPS)
        assert one(live_db, "select count(*) from dead_letter") == 5
        hour_later = [letter(20, received_us=NOW_US + 3_700_000_000)]
        keep_dead_letters(connection, hour_later, 4, CAPS)
    assert one(live_db, "select count(*) from dead_letter") == 5
    assert query(
        live_db, "select device_id, sum(times)::int as times from dead_letter_overflow group by 1 order by 1"
    ) == [
        {"device_id": "", "times": 2},
        {"device_id": "a", "times": 3},
    ]


def test_a_cap_and_a_lag_are_told_once_and_end(live_db: str) -> None:
    oldest_s = [0.0]
    told = "select subject, body ->> 'is_active' as active from act order by commit_seq"
    health = Health(live_db, FakeClock(NOW), lambda: oldest_s[0], CAPS)
    with closing(connect(live_db, application_name="test", autocommit=True)) as connection:
        health.look(connection, NOW)
        assert query(live_db, "select name from system_condition where is_active") == []
        keep_dead_letters(connection, [letter(n) for n in range(5)], 1, CAPS)
        oldest_s[0] = 11.0
        for _ in range(3):
            health.look(connection, NOW)
        oldest_s[0] = 0.0
        health.look(connection, NOW)
    assert [(row["subject"], row["active"]) for row in query(live_db, told)] == [
        ("system/ingest-lag", "true"),
        ("system/dead-letter-rate", "true"),
        ("system/ingest-lag", "false"),
    ]
    assert query(live_db, "select name from system_condition where is_active") == [{"name": "dead-letter-rate"}]
    assert one(live_db, "select value from system_condition where name = 'dead-letter-rate'") == 2.0
