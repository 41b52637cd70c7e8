"""Caps on dead letters, and what is told when one is reached."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ingest.health import Health, Shown, Waiting, patient_for
from ingest.metrics import Metrics
from tests.integration.ingest_kit import (
    a_mosquitto,
    import_sample_site,
    ingest_of,
    needs_mosquitto,
    one,
    publishing,
    query,
    wait_until,
)
from tests.integration.ingest_messages import NOON_MS, rain
from undercroft.clock import FakeClock
from undercroft.errors import StoreUnavailable
from undercroft.quality import QualityTest
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
        connection.execute("update dead_letter set state = 'dropped' where device_id is null")
        settled = [letter(30, "b", received_us=NOW_US + 3_700_000_000)]
        keep_dead_letters(connection, settled, 5, CAPS)
    assert one(live_db, "select count(*) from dead_letter") == 6, "what is settled makes room"
    assert query(
        live_db, "select device_id, sum(times)::int as times from dead_letter_overflow group by 1 order by 1"
    ) == [
        {"device_id": "", "times": 2},
        {"device_id": "a", "times": 3},
    ]


def test_a_cap_and_a_lag_are_told_once_and_end(live_db: str) -> None:
    waiting = [Waiting("", 0.0, 0.0)]
    told = "select subject, body ->> 'is_active' as active from act order by commit_seq"
    health = Health(live_db, FakeClock(NOW), lambda: waiting, CAPS)
    with closing(connect(live_db, application_name="test", autocommit=True)) as connection:
        health.look(connection, NOW)
        assert query(live_db, "select name from system_condition where is_active") == []
        keep_dead_letters(connection, [letter(n) for n in range(5)], 1, CAPS)
        waiting[0] = Waiting("", 11.0, 0.0)
        for _ in range(3):
            health.look(connection, NOW)
        waiting[0] = Waiting("", 0.0, 0.0)
        health.look(connection, NOW)
    assert [(row["subject"], row["active"]) for row in query(live_db, told)] == [
        ("system/ingest-lag", "true"),
        ("device/a/dead-letter-rate", "true"),
        ("system/ingest-lag", "false"),
    ]
    assert query(live_db, "select subject, name from system_condition where is_active") == [
        {"subject": "device/a", "name": "dead-letter-rate"}
    ]
    assert one(live_db, "select value from system_condition where name = 'dead-letter-rate'") == 2.0


def test_readings_that_come_late_from_a_worker_are_told_for_its_slot_and_end(live_db: str) -> None:
    waiting = [Waiting("pair-1", 0.0, 0.0, (), 30.0)]
    health = Health(live_db, FakeClock(NOW), lambda: waiting, CAPS)
    with closing(connect(live_db, application_name="test", autocommit=True)) as connection:
        for delay_s in (30.0, 31.0, 2.0):
            waiting[0] = Waiting("pair-1", 0.0, 0.0, (), delay_s)
            health.look(connection, NOW)
    assert told(live_db) == [("system/delivery-late-pair-1", True), ("system/delivery-late-pair-1", False)]


def test_a_lag_is_told_while_what_holds_the_rows_holds_every_other_question_too(live_db: str) -> None:
    """A table that is locked whole, as by a rewrite: the question for the canary gets no answer."""
    import_sample_site(live_db)
    health = Health(live_db, FakeClock(NOW), lambda: [Waiting("", 11.0, 0.0)], CAPS, shown=Shown(lambda *_: None))
    with (
        closing(connect(live_db, application_name="test")) as other,
        closing(patient_for(live_db, 0.2)) as connection,
    ):
        other.execute("lock table observation_packed in access exclusive mode")
        with pytest.raises(StoreUnavailable, match="57014"):
            health.look(connection, NOW)
        assert told(live_db) == [("system/ingest-lag", True)]


def told(database: str) -> list[tuple[str, bool]]:
    rows = query(database, "select subject, (body ->> 'is_active')::boolean as active from act order by commit_seq")
    return [(row["subject"], row["active"]) for row in rows]


def test_a_device_is_told_by_its_own_name_and_ends_with_the_hour(live_db: str) -> None:
    health = Health(live_db, FakeClock(NOW), list, CAPS)
    with closing(connect(live_db, application_name="test", autocommit=True)) as connection:
        keep_dead_letters(connection, [letter(n) for n in range(4)], 1, CAPS)
        keep_dead_letters(connection, [letter(n, None) for n in range(10, 15)], 2, CAPS)
        for hour in range(4):
            health.look(connection, NOW + timedelta(hours=hour))
    subjects = ["system/dead-letter-rate", "device/a/dead-letter-rate", "system/dead-letter-table"]
    assert sorted(told(live_db)[:3]) == sorted((subject, True) for subject in subjects)
    assert sorted(told(live_db)[3:]) == sorted((subject, False) for subject in subjects[:2])


def test_a_cap_by_bytes_is_told_shown_and_ends(live_db: str) -> None:
    caps, metrics = Caps(bytes_in_all=200_000), Metrics()
    health = Health(live_db, FakeClock(NOW), list, caps, shown=Shown(letters=metrics.note_letters))
    large = replace(letter(1, None), payload=b"x" * 200_000)
    with closing(connect(live_db, application_name="test", autocommit=True)) as connection:
        health.look(connection, NOW)
        keep_dead_letters(connection, [large], 1, caps)
        health.look(connection, NOW)
        assert metrics.registry.get_sample_value("undercroft_dead_letters_open") == 1
        assert metrics.registry.get_sample_value("undercroft_dead_letters_bytes") == large.held_bytes
        connection.execute("update dead_letter set state = 'dropped'")
        health.look(connection, NOW)
    assert told(live_db) == [("system/dead-letter-bytes", True), ("system/dead-letter-bytes", False)]


def test_what_a_killed_worker_told_is_ended_by_who_takes_its_slot(live_db: str) -> None:
    killed = Health(live_db, FakeClock(NOW), lambda: [Waiting("pair-1", 11.0, 0.0)], CAPS)
    slots = [Waiting("pair-0", 0.0, 0.0)]
    other = Health(live_db, FakeClock(NOW), lambda: slots, CAPS)
    with closing(connect(live_db, application_name="test", autocommit=True)) as connection:
        for health in (other, killed, other):
            health.look(connection, NOW)
        assert told(live_db) == [("system/ingest-lag-pair-1", True)], "the other does not speak for its slot"
        slots.append(Waiting("pair-1", 0.5, 0.0))
        other.look(connection, NOW)
    assert told(live_db) == [("system/ingest-lag-pair-1", True), ("system/ingest-lag-pair-1", False)]


def test_what_ails_a_device_is_told_by_its_newest_readings_and_ends(live_db: str) -> None:
    """The gauge speaks every 600 s when dry: it is stale after three of them, 1,800 s."""
    import_sample_site(live_db)
    device = "device/gauge-beiling-rain"
    health = Health(live_db, FakeClock(NOW), list, CAPS, of_devices=True)

    def heard(minute: float, tests: int = 0) -> None:
        at = NOW + timedelta(minutes=minute)
        connection.execute(
            "insert into observation (sensor_id, observed_at, value, quality, quality_tests, received_at, batch_id)"
            " select sensor_id, %s, 1.5, 3, %s, %s, 0 from sensor"
            " where device_id = 'gauge-beiling-rain' and quantity = 'rain_total_mm'",
            (at, tests, at),
        )

    def look(minute: float) -> list[tuple[str, bool]]:
        before = len(told(live_db))
        health.look(connection, NOW + timedelta(minutes=minute))
        return told(live_db)[before:]

    with closing(connect(live_db, application_name="test", autocommit=True)) as connection:
        (row,) = query(live_db, "select interval_dry_s from device where device_id = 'gauge-beiling-rain'")
        limit_min = 3 * row["interval_dry_s"] / 60
        assert look(0) == [], "a device that was never heard is not installed yet"
        heard(1, QualityTest.CLOCK_LOST)
        assert look(1) == [(f"{device}/clock-lost", True)]
        heard(2, QualityTest.REPEATED_SERIAL)
        assert look(2) == [(f"{device}/clock-lost", False), (f"{device}/repeated-serial", True)]
        heard(3)
        assert look(3) == [(f"{device}/repeated-serial", False)]
        assert look(3 + limit_min) == [], "the last moment at which it is not stale"
        assert look(3.2 + limit_min) == [], "devices are looked at once a minute"
        assert look(5 + limit_min) == [(f"{device}/stale", True)]
        connection.execute("update device set retired_at = now() where device_id = 'gauge-beiling-rain'")
        assert look(7 + limit_min) == [(f"{device}/stale", False)], "no longer in the site"


@needs_mosquitto
@pytest.mark.slow
def test_a_running_ingest_tells_that_it_lags_and_that_the_broker_is_away(live_db: str) -> None:
    """A row that the test has inserted and not committed holds up the lane; then the broker is stopped."""
    import_sample_site(live_db)
    insert = (
        "insert into observation select sensor_id, to_timestamp(%s), 1.5, 1, 0, now(), 0 from sensor"
        " where device_id = 'gauge-beiling-rain' and quantity = 'rain_total_mm'"
    )
    with a_mosquitto() as mosquitto, ingest_of(live_db, mosquitto.url) as ingest:
        ingest.start()
        with closing(connect(live_db, application_name="test")) as holder, publishing(mosquitto.url) as publisher:
            holder.execute(insert, (NOON_MS / 1000 + 1,))
            publisher.publish([rain(1)])
            wait_until(lambda: told(live_db) == [("system/ingest-lag", True)], "the lag is told")
            holder.rollback()
        wait_until(lambda: told(live_db)[1:] == [("system/ingest-lag", False)], "its end is told")
        mosquitto.stop()
        wait_until(lambda: told(live_db)[2:] == [("system/broker-away", True)], "the broker is away")
        mosquitto.start()
        wait_until(lambda: told(live_db)[3:] == [("system/broker-away", False)], "the broker is back")
        assert ingest.stop() == 0


@needs_mosquitto
def test_a_broker_that_grants_less_than_asked_is_told(live_db: str) -> None:
    """Mosquitto with `max_qos 0` takes the subscription and gives QoS 0: what is under way can be lost."""
    import_sample_site(live_db)
    with a_mosquitto("max_qos 0\n") as mosquitto, ingest_of(live_db, mosquitto.url) as ingest:
        ingest.start()
        wait_until(lambda: told(live_db) == [("system/subscription-refused", True)], "it is told")
        detail = one(live_db, "select detail from system_condition where name = 'subscription-refused'")
        assert "flood/v1/+/+/+/event is granted at QoS 0" in detail
        assert ingest.stop() == 0
