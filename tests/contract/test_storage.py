"""Storage: keys, late writes into compressed chunks, retention with incident hold, conversion."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from tests.contract.flavours import slow_on_timescale
from tests.contract.readings import store
from tests.timescale import bare_database
from undercroft.clock import FakeClock
from undercroft.model import Mode
from undercroft.store import timescale
from undercroft.store.connection import Connection, connect
from undercroft.store.databases import migrate_database
from undercroft.store.holds import Wanted, list_holds, place_hold, release_holds
from undercroft.store.retention import retain, retain_hourly, retain_on

DAY = timedelta(days=1)
NOW = datetime(2026, 7, 1, 9, 30, tzinfo=UTC)


def opened(url: str) -> Connection:
    return connect(url, application_name="tests", autocommit=True)


def compress(connection: Connection) -> int:
    """Compress every chunk of the readings; how many there were (0 without TimescaleDB)."""
    if connection.execute("select from pg_extension where extname = 'timescaledb'").fetchone() is None:
        return 0
    return len(connection.execute("select compress_chunk(c) from show_chunks('observation_packed') c").fetchall())


def test_late_and_repeated_rows_in_compressed_chunks(any_db: str) -> None:
    at = datetime(2023, 9, 7, 16, tzinfo=UTC)
    with closing(opened(any_db)) as connection:
        store(connection, [(s, at + timedelta(minutes=m), m / 10, 1) for s in (1, 2) for m in range(0, 600, 10)])
        compress(connection)
        store(connection, [(1, at + timedelta(minutes=5), 4.25, 1), (1, at, 77.0, 1)], batch_id=2)
        found = connection.execute(
            "select observed_at, value, batch_id from observation where sensor_id = 1 order by observed_at limit 3"
        ).fetchall()
        assert [tuple(row.values()) for row in found] == [
            (at, 0.0, 1),  # known already: the first value stays
            (at + timedelta(minutes=5), 4.25, 2),
            (at + timedelta(minutes=10), 1.0, 1),
        ]
        assert connection.execute("select count(*) as n from observation").fetchone() == {"n": 121}


def test_a_packed_value_is_given_back_to_the_last_bit(any_db: str) -> None:
    # 3.5999999046325684 is 3.6 in single precision; thousandths lose it, a third and what is too large for them.
    values = [0.0, 0.123, -0.049, 12.5, 999_999_999.999, 1 / 3, 3.5999999046325684, 0.0005, 1e12, 1e300]
    at = datetime(2023, 9, 7, 16, tzinfo=UTC)
    with closing(opened(any_db)) as connection:
        store(connection, [(1, at + timedelta(minutes=m), value, 1) for m, value in enumerate(values)])
        connection.execute(
            "insert into observation (sensor_id, observed_at, value, quality, received_at, batch_id)"
            " select 2, observed_at, value, quality, received_at, batch_id from observation"
        )
        compress(connection)
        for sensor_id in (1, 2):
            found = connection.execute(
                "select value, received_at - observed_at as delay from observation"
                " where sensor_id = %s order by observed_at",
                (sensor_id,),
            ).fetchall()
            assert [row["value"] for row in found] == values
            assert {row["delay"] for row in found} == {timedelta(0)}
        kept = connection.execute(
            "select count(value_exact) as n from observation_packed where sensor_id = 1"
        ).fetchone()
        assert kept == {"n": 5}  # the five after 999,999,999.999


def held_days(connection: Connection) -> list[int]:
    """How many days before NOW the stored readings are."""
    rows = connection.execute("select observed_at from observation order by observed_at desc").fetchall()
    return [(NOW - row["observed_at"]).days for row in rows]


def test_retention_keeps_what_is_young_and_what_an_incident_holds(any_live_db: str) -> None:
    # Kept 400 days. The days that end at or before NOW - 400 d go; 400 and 401 straddle or follow the limit's midnight.
    ages = [0, 399, 400, 401, 402, 405, 410]
    with closing(opened(any_live_db)) as connection:
        store(connection, [(1, NOW - age * DAY, float(age), 1) for age in ages])
        connection.execute(
            "insert into incident_hold (held_from, held_to, reason, author, placed_at)"
            " values (%s, %s, 'storm', 'me', %s)",
            (NOW - 405 * DAY, NOW - 405 * DAY + timedelta(hours=1), NOW),
        )
        left_by_readings = ("observation_conflict", "quality_flag", "clock_lost_reading")
        for age in (399, 402, 405):
            at = NOW - age * DAY
            connection.execute("insert into observation_conflict values (1, %s, 1, 1, 0, %s, 1)", (at, at))
            connection.execute("insert into clock_lost_reading values (1, %s, 1, %s, 1)", (age, at))
            connection.execute(
                "insert into quality_flag (sensor_id, observed_from, observed_to, quality, quality_tests, author,"
                " reason, batch_id) values (1, %s, %s, 3, 4, 'me', 'spike', 1)",
                (at, at),
            )
        dropped = retain_on(connection, NOW)
        assert {
            (each.relation, each.steps, (NOW - each.dropped_from).days) for each in dropped if each.dropped_from
        } == {
            ("observation_packed", 3, 410),  # 401, 402, 410
            *((relation, 1, 402) for relation in left_by_readings),
        }
        assert held_days(connection) == [0, 399, 400, 405]
        for relation in left_by_readings:
            assert connection.execute(f"select from {relation}".encode()).rowcount == 2
        connection.execute("update incident_hold set released_at = %s, released_by = 'me'", (NOW,))
        retain_on(connection, NOW)
        assert held_days(connection) == [0, 399, 400]
        # A refresh begins two days after what is kept, and after what was ever dropped.
        up_to = (NOW - 400 * DAY).replace(hour=0, minute=0)
        for days, begins in ((400, NOW - 398 * DAY), (90, NOW - 88 * DAY), (500, up_to + 2 * DAY)):
            connection.execute(
                "update retention_class set keep = %s where relation in ('observation_packed', 'rollup_1m')",
                (days * DAY,),
            )
            row = connection.execute("select undercroft_refresh_from('rollup_1d', %s) as begins", (NOW,)).fetchone()
            assert row == {"begins": begins}


def commit_batches(connection: Connection, ages: list[int]) -> None:
    """Write a batch row committed so many days before NOW, in the order given."""
    connection.execute(
        "insert into batch (batch_id, commit_seq, lane, messages, readings, stored, duplicates, conflicts,"
        " dead_letters, committed_at) select n, n, 'routine', 1, 1, 1, 0, 0, 0, %(now)s - age * interval '1 day'"
        " from unnest(%(ages)s::int[]) with ordinality as t (age, n)",
        {"now": NOW, "ages": ages},
    )


@slow_on_timescale
def test_batches_are_kept_thirty_days_and_where_an_incident_holds(any_live_db: str) -> None:
    # NOW is half past nine: the day of NOW - 30 d is not over at the limit, that of NOW - 31 d is.
    with closing(opened(any_live_db)) as connection:
        commit_batches(connection, [300, 200, 90, 31, 30, 29, 0])
        connection.execute(
            "insert into incident_hold (held_from, held_to, reason, author, placed_at)"
            " values (%s, %s, 'storm', 'me', %s)",
            (NOW - 200 * DAY - timedelta(hours=3), NOW - 200 * DAY - timedelta(hours=2), NOW),
        )
    overdue = retain(any_live_db, NOW - 2 * DAY)
    assert [(each.relation, each.steps) for each in overdue] == [("batch", 2)]
    assert (overdue[0].dropped_from, overdue[0].dropped_to) == (
        datetime(2025, 9, 4, tzinfo=UTC),  # 300 days before 1 July 2026
        datetime(2026, 4, 3, tzinfo=UTC),  # the end of the day 90 before
    )
    assert [(each.relation, each.steps) for each in retain(any_live_db, NOW)] == [("batch", 1)]
    with closing(opened(any_live_db)) as connection:
        kept = connection.execute("select committed_at from batch order by committed_at desc").fetchall()
        assert [(NOW - row["committed_at"]).days for row in kept] == [0, 29, 30, 200]


OF_A_PLACE = '{"alarms": [{"subject": "system/roster-gap-step-1"}, {"subject": "space/gar"}]}'


@slow_on_timescale
def test_an_open_incident_holds_by_itself_and_a_hold_of_it_until_a_day_after_it_closed(any_live_db: str) -> None:
    # The incident opened 50 days ago, so that from day 51 on batches stay while it is open. Closed 40 days ago, a hold
    # of it keeps the days 51 to 39: older and younger ones go.
    def kept() -> list[int]:
        retain(any_live_db, NOW)
        with closing(opened(any_live_db)) as connection:
            rows = connection.execute("select committed_at from batch order by committed_at").fetchall()
        return [(NOW - row["committed_at"]).days for row in rows]

    with closing(opened(any_live_db)) as connection:
        commit_batches(connection, [53, 52, 51, 45, 39, 37, 31, 1])
        connection.execute(
            "insert into incident (incident_id, basin_id, opened_at, worst, state) values ('i-1', 'b', %s, 2, %s)",
            (NOW - 50 * DAY, OF_A_PLACE),
        )
    assert kept() == [51, 45, 39, 37, 31, 1]
    (by_itself,) = list_holds(any_live_db, NOW)
    assert (by_itself.hold_id, by_itself.incident_id, by_itself.held_to) == (None, "i-1", NOW + 10 * DAY)
    number = place_hold(any_live_db, Wanted("asked for by the district", "li", "i-1"), NOW)
    with closing(opened(any_live_db)) as connection:
        connection.execute("update incident set closed_at = %s", (NOW - 40 * DAY,))
    assert kept() == [51, 45, 39, 1]
    (held,) = list_holds(any_live_db, NOW)
    assert (held.held_from, held.held_to) == (NOW - 51 * DAY, NOW - 39 * DAY)
    assert release_holds(any_live_db, "li", NOW, hold_id=None, incident_id="i-1") == [number]
    assert kept() == [1]
    assert list_holds(any_live_db, NOW) == []
    assert [each.released_by for each in list_holds(any_live_db, NOW, released_too=True)] == ["li"]


@slow_on_timescale
def test_what_ails_the_system_holds_nothing_and_a_place_no_longer_than_stated_unless_by_name(any_live_db: str) -> None:
    """A roster of one person, or a dead sensor that nobody replaces, is an incident that stands for years."""
    with closing(opened(any_live_db)) as connection:
        commit_batches(connection, [90, 45, 1])
        ailing = '{"alarms": [{"subject": "system/roster-gap-step-1"}, {"subject": "device/gauge-7"}]}'
        for number, age, state in ((1, 95, ailing), (2, 61, OF_A_PLACE)):
            connection.execute(
                "insert into incident (incident_id, basin_id, opened_at, worst, state) values (%s, %s, %s, 4, %s)",
                (f"i-{number}", f"b{number}", NOW - age * DAY, state),
            )
        assert [each.steps for each in retain_on(connection, NOW - 5 * DAY)] == [1]  # 56 days open: day 45 stays
        told = connection.execute("select undercroft_long_holds(%s) as words", (NOW - 5 * DAY,)).fetchall()
        assert told == [{"words": "i-2, open since 2026-05-01, holds until 2026-06-30"}]
        told = connection.execute("select undercroft_long_holds(%s) as words", (NOW,)).fetchall()
        assert told == [{"words": "i-2, open since 2026-05-01, holds nothing any more since 2026-06-30"}]
    assert list_holds(any_live_db, NOW) == []
    place_hold(any_live_db, Wanted("inquest", "li", "i-2"), NOW)
    assert retain(any_live_db, NOW) == []
    with closing(opened(any_live_db)) as connection:
        told = connection.execute("select undercroft_long_holds(%s) as words", (NOW,)).fetchall()
        assert told[0] == {"words": "hold 1 of i-2 from 2026-04-30 on"}
    release_holds(any_live_db, "li", NOW, hold_id=1, incident_id=None)
    assert [each.steps for each in retain(any_live_db, NOW)] == [1]


def test_retention_goes_every_hour_and_a_database_that_is_away_waits_for_the_next(live_db: str) -> None:
    # NOW is half past nine: the day of NOW - 30 d ends to be kept at midnight, 14.5 hours and so 15 rounds later.
    with closing(opened(live_db)) as connection:
        commit_batches(connection, [31, 30])
    clock, said, waits = FakeClock(NOW), list[str](), list[float]()

    def is_over_after(wait_s: float) -> bool:
        waits.append(wait_s)
        clock.advance(timedelta(seconds=wait_s))
        return len(waits) == 16

    retain_hourly(live_db, clock, lambda words: said.append(f"{len(waits)} {words}"), is_over_after)
    assert said == [
        "0 retention batch: 1 steps dropped, 2026-05-31 to 2026-06-01",
        "15 retention batch: 1 steps dropped, 2026-06-01 to 2026-06-02",
    ]
    assert waits == [3600.0] * 16
    said.clear()
    retain_hourly("postgresql://nobody@127.0.0.1:1/nothing", clock, said.append, lambda _: True)
    assert len(said) == 1
    assert said[0].startswith("retention put off for an hour: database: connection failed")


@slow_on_timescale
def test_an_exercise_has_no_retention(any_db: str) -> None:
    with closing(opened(any_db)) as connection:
        store(connection, [(1, NOW - 2000 * DAY, 1.0, 1)])
        commit_batches(connection, [2000])
        assert retain_on(connection, NOW) == []
        assert held_days(connection) == [2000]


@pytest.mark.slow
def test_plain_tables_are_converted_when_the_extension_appears(
    timescale_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [(1, NOW + timedelta(minutes=m), float(m), 1) for m in range(30)]
    with bare_database(timescale_url) as url:
        with monkeypatch.context() as patched:  # a server that does not have it yet
            patched.setattr(timescale, "_offer_extension", lambda _: False)
            migrate_database(url, Mode.EXERCISE)
        with closing(opened(url)) as connection:
            store(connection, rows)
            before = connection.execute("select * from rollup_10m order by bucket").fetchall()
            connection.execute("create extension timescaledb")
        made = migrate_database(url, Mode.EXERCISE)
        assert made == [
            "hypertables",
            "retention of timescaledb",
            "rollups of timescaledb",
            "views of grafana",
            "policies",
        ]
        with closing(opened(url)) as connection:
            assert connection.execute("select * from rollup_10m order by bucket").fetchall() == before
            assert connection.execute("select count(*) as n from observation").fetchone() == {"n": 30}
            tables = connection.execute(
                "select hypertable_name from timescaledb_information.hypertables"
                " where hypertable_schema = 'public' order by 1"
            ).fetchall()
            assert [row["hypertable_name"] for row in tables] == ["assessment", "observation_packed", "tick"]
        assert migrate_database(url, Mode.EXERCISE) == []


def test_an_owner_who_is_no_superuser_keeps_plain_tables_beside_an_extension_that_is_there(timescale_url: str) -> None:
    with bare_database(timescale_url) as url, closing(opened(url)) as connection:
        connection.execute("create role undercroft_test_owner")
        try:
            connection.execute("set role undercroft_test_owner")
            assert not timescale._offer_extension(connection)
        finally:
            connection.execute("reset role")
            connection.execute("drop role undercroft_test_owner")


@pytest.mark.parametrize("keep", ["-5 days", "5 minutes", "6 days 23:59"])
def test_nothing_is_kept_for_less_than_a_week(exercise_db: str, keep: str) -> None:
    with closing(opened(exercise_db)) as connection:
        for relation in ("tick", "assessment", "batch", "dead_letter"):
            with pytest.raises(Exception, match="kept_for_7_days_at_least"):
                connection.execute("update retention_class set keep = %s where relation = %s", (keep, relation))
        connection.execute("update retention_class set keep = '7 days' where relation = 'batch'")
        connection.execute("update retention_class set keep = null where relation = 'tick'")
