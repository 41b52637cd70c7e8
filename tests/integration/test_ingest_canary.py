"""The canary on a real database: late, it is a condition that the engine makes an alarm of; back, it is none."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from math import isnan

from structlog.testing import capture_logs

from ingest.canary import Canary, await_voice, lateness, voice_of
from ingest.health import Health, Shown
from ingest.metrics import Metrics
from undercroft.clock import FakeClock
from undercroft.site import load_site, sample_site_path
from undercroft.site.model import Gauge
from undercroft.store.canary import EVERY, LATE_AFTER, Beat
from undercroft.store.conditions import list_conditions
from undercroft.store.connection import Connection, connect
from undercroft.store.dead_letters import Caps
from undercroft.store.site import import_site

START = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)


def test_the_sample_district_has_a_canary_with_a_topic_of_its_own() -> None:
    voice = voice_of(load_site(sample_site_path()))
    assert voice is not None
    assert voice.topic == "flood/v1/futian/gauge-beiling/canary-1/observation"


def test_lateness_counts_from_the_newest_beat_or_the_start() -> None:
    now = START + timedelta(minutes=1)
    assert lateness(None, START, now) == timedelta(minutes=1)
    beat = Beat(START + timedelta(seconds=45), START + timedelta(seconds=45.2), START + timedelta(seconds=45.5))
    assert lateness(beat, START, now) == timedelta(seconds=15)
    assert (round(beat.stored_s, 3), round(beat.judged_s, 3)) == (0.2, 0.5)


def test_three_missed_beats_are_told_once_and_their_end_too(live_db: str) -> None:
    clock = FakeClock(START)
    site = load_site(sample_site_path())
    voice = voice_of(site)
    assert voice is not None
    canary = Canary(live_db, voice, lambda *_: None, clock)

    def active() -> list[str]:
        return [row["name"] for row in list_conditions(connection) if row["is_active"]]

    with closing(connect(live_db, application_name="test", autocommit=True)) as connection:
        import_site(connection, site, "test", START)
        clock.advance(LATE_AFTER)
        canary.look(connection)
        assert active() == [], "the last moment that is not late"
        clock.advance(EVERY)
        canary.look(connection)
        canary.look(connection)
        assert active() == ["canary-late"]
        acts = connection.execute("select subject, body from act where kind = 'system_condition'").fetchall()
        assert [(act["subject"], act["body"]["value"]) for act in acts] == [("system/canary-late", 40.0)]
        _judged_beat(connection, clock.now())
        canary.look(connection)
        assert active() == []


def test_a_clock_that_was_ahead_when_it_began_and_when_it_spoke_hides_no_silence(live_db: str) -> None:
    clock = FakeClock(START + timedelta(hours=8))
    site = load_site(sample_site_path())
    voice = voice_of(site)
    assert voice is not None
    canary = Canary(live_db, voice, lambda *_: None, clock)
    with closing(connect(live_db, application_name="test", autocommit=True)) as connection:
        import_site(connection, site, "test", START)
        _judged_beat(connection, clock.now())
        canary.look(connection)
        clock.advance(timedelta(hours=-8))
        canary.look(connection)
        assert [row["name"] for row in list_conditions(connection) if row["is_active"]] == []
        clock.advance(LATE_AFTER + EVERY)
        canary.look(connection)
        assert [row["name"] for row in list_conditions(connection) if row["is_active"]] == ["canary-late"]
        _judged_beat(connection, clock.now(), number=2)
        canary.look(connection)
        assert [row["name"] for row in list_conditions(connection) if row["is_active"]] == []


def test_it_waits_for_a_site_that_names_a_canary(live_db: str) -> None:
    """Nothing is imported, then a site without a canary, then one with: it looks again each time, and says so once."""
    waits: list[float] = []

    class Stop(threading.Event):
        """What the service waits on; here each wait changes the world in place of the clock."""

        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0.0)
            site = load_site(sample_site_path())
            mute = site.model_copy(update={"gauges": tuple(gauge for gauge in site.gauges if not _speaks(gauge))})
            with closing(connect(live_db, application_name="test", autocommit=True)) as connection:
                import_site(connection, mute if len(waits) == 1 else site, "test", START)
            return False

    with capture_logs() as said:
        voice = await_voice(live_db, Stop(), every_s=60.0)
    assert voice is not None
    assert voice.topic.endswith("/canary-1/observation")
    assert waits == [60.0, 60.0]
    assert [entry["event"] for entry in said] == ["canary_waits"]
    stopped = threading.Event()
    stopped.set()
    assert await_voice(live_db, stopped) is None


def _speaks(gauge: Gauge) -> bool:
    return any(device.id.startswith("canary") for device in gauge.devices)


def test_its_latency_and_age_are_among_the_metrics(live_db: str) -> None:
    metrics = Metrics()

    def shown(name: str) -> float:
        value = metrics.registry.get_sample_value(f"undercroft_canary_{name}_seconds")
        assert value is not None
        return value

    health = Health(live_db, FakeClock(START), list, Caps(), shown=Shown(metrics.note_canary))
    with closing(connect(live_db, application_name="test", autocommit=True)) as connection:
        import_site(connection, load_site(sample_site_path()), "test", START)
        health.look(connection, START)
        assert isnan(shown("latency")), "nothing of it was judged yet, which is not 0 s"
        _judged_beat(connection, START)
        connection.execute("update tick set committed_at = %s", (START + timedelta(seconds=0.5),))
        health.look(connection, START + timedelta(seconds=7))
    assert (shown("latency"), shown("age")) == (0.5, 7.0)


def _judged_beat(connection: Connection, at: datetime, number: int = 1) -> None:
    """Put a reading of the canary, its batch and a tick over it into the database, as ingest and engine would."""
    connection.execute(
        """
        insert into batch (batch_id, commit_seq, lane, messages, readings, stored, duplicates, conflicts, dead_letters,
            committed_at) values (%(number)s, 1000 + %(number)s, 'observation', 1, 1, 1, 0, 0, 0, %(at)s)
        """,
        {"at": at, "number": number},
    )
    connection.execute(
        """
        insert into observation (sensor_id, observed_at, value, quality, received_at, batch_id)
        select sensor_id, %(at)s, 3.6, 1, %(at)s, %(number)s from sensor
        where device_id = 'canary-1' and quantity = 'battery_v'
        """,
        {"at": at, "number": number},
    )
    connection.execute(
        "insert into tick (tick_seq, tick_at, up_to_commit_seq, committed_at)"
        " values (%(number)s, %(at)s, 1000 + %(number)s, %(at)s)",
        {"at": at, "number": number},
    )
