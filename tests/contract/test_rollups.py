"""Rollups: the same rows with and without TimescaleDB, the newest bucket and late rows included."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from tests.contract.readings import run_jobs, store
from undercroft.model import Mode
from undercroft.store import migrate as migrating
from undercroft.store.connection import Connection, connect
from undercroft.store.databases import migrate_database
from undercroft.store.migrate import Migration
from undercroft.store.sql import sql

START = datetime(2023, 9, 7, 16, 0, tzinfo=UTC)
LEVELS = ("rollup_1m", "rollup_10m", "rollup_1h", "rollup_1d")


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


# By hand: minute 0 holds 1.0 and 3.0 good; minute 1 holds 2.0 suspect and 99.0 failed; minute 61 holds 5.0.
READINGS = [(7, at(0), 1.0, 1), (7, at(0.5), 3.0, 1), (7, at(1), 2.0, 3), (7, at(1.5), 99.0, 4), (7, at(61), 5.0, 1)]
FIELDS = "bucket, min_value, max_value, total, last_value, usable, readings, worst_quality"


def rows_of(url: str, relation: str) -> list[tuple[object, ...]]:
    with closing(connect(url, application_name="tests")) as connection:
        found = connection.execute(f"select {FIELDS} from {relation} order by bucket".encode()).fetchall()  # noqa: S608
        return [tuple(row.values()) for row in found]


def test_minutes_hours_and_days_are_those_counted_by_hand(any_db: str) -> None:
    with closing(connect(any_db, application_name="tests")) as connection:
        store(connection, READINGS)
        connection.commit()
    assert rows_of(any_db, "rollup_1m") == [
        (at(0), 1.0, 3.0, 4.0, 3.0, 2, 2, 1),
        (at(1), 2.0, 2.0, 2.0, 2.0, 1, 2, 4),
        (at(61), 5.0, 5.0, 5.0, 5.0, 1, 1, 1),
    ]
    assert rows_of(any_db, "rollup_10m") == [
        (at(0), 1.0, 3.0, 6.0, 2.0, 3, 4, 4),
        (at(60), 5.0, 5.0, 5.0, 5.0, 1, 1, 1),
    ]
    assert rows_of(any_db, "rollup_1h") == [
        (at(0), 1.0, 3.0, 6.0, 2.0, 3, 4, 4),
        (at(60), 5.0, 5.0, 5.0, 5.0, 1, 1, 1),
    ]
    assert rows_of(any_db, "rollup_1d") == [
        (datetime(2023, 9, 7, tzinfo=UTC), 1.0, 5.0, 11.0, 5.0, 4, 5, 4),
    ]


def test_readings_are_counted_by_their_flag(any_db: str) -> None:
    with closing(connect(any_db, application_name="tests")) as connection:
        store(connection, [(7, at(m), 1.0, flag) for m, flag in enumerate((1, 1, 1, 2, 2, 3, 4, 4, 4, 9))])
        connection.commit()
        for level in LEVELS[1:]:  # ten minutes in one bucket
            counted = connection.execute(
                f"select good, not_evaluated, suspect, failed, missing, readings from grafana.{level}".encode()  # noqa: S608
            ).fetchall()
            assert [tuple(row.values()) for row in counted] == [(3, 2, 1, 3, 1, 10)], level


def test_a_bucket_of_failed_readings_only_has_no_value_but_is_counted(any_db: str) -> None:
    with closing(connect(any_db, application_name="tests")) as connection:
        store(connection, [(7, at(0), 99.0, 4)])
        connection.commit()
    assert rows_of(any_db, "rollup_1h") == [(at(0), None, None, None, None, 0, 1, 4)]


def test_refresh_changes_nothing_and_late_rows_and_the_newest_bucket_are_there(any_db: str) -> None:
    with closing(connect(any_db, application_name="tests", autocommit=True)) as connection:
        store(connection, READINGS)
        before = {level: rows_in(connection, level) for level in LEVELS}
        run_jobs(connection, *LEVELS)
        assert {level: rows_in(connection, level) for level in LEVELS} == before
        # A late reading in the first bucket, which is refreshed already: 7.0 is its new highest.
        store(connection, [(7, at(0.25), 7.0, 1)], batch_id=2)
        run_jobs(connection, *LEVELS)
        # And one newer than all the others, which nothing has refreshed: the newest bucket.
        connection.execute(
            "insert into observation (sensor_id, observed_at, value, quality, received_at, batch_id)"
            " values (7, date_trunc('minute', now()), 8, 1, now(), 3)"
        )
        for level in LEVELS:
            after = rows_in(connection, level)
            assert after[0]["max_value"] == 7.0, level
            assert after[0]["readings"] == before[level][0]["readings"] + 1, level  # type: ignore[operator]
            assert after[-1]["last_value"] == 8.0, level


DROPS_ROLLUPS = """
drop materialized view rollup_1d; drop materialized view rollup_1h; drop materialized view rollup_10m;
drop materialized view rollup_1m; delete from store_object;
"""


@pytest.mark.slow
def test_buckets_without_readings_survive_an_upgrade_that_makes_rollups_anew(
    timescale_live_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A migration drops the rollups, as 0090 did; a year and more ago the readings are gone, their buckets are not."""
    with closing(connect(timescale_live_db, application_name="tests", autocommit=True)) as connection:
        row = connection.execute("select date_trunc('day', now()) as today").fetchone()
        assert row is not None
        days = [row["today"] - timedelta(days=age) for age in (700, 10)]
        store(connection, [(7, day + timedelta(minutes=m), 1.0 + m, 1) for day in days for m in (0, 3)])
        for level in LEVELS:
            connection.execute(f"call refresh_continuous_aggregate('{level}', null, null)".encode())
        connection.execute("call undercroft_retain(now())")
        assert connection.execute("select count(*) as n from observation").fetchone() == {"n": 2}
        before = {level: rows_in(connection, level) for level in LEVELS}
        assert [len(before[level]) for level in LEVELS] == [2, 2, 2, 2]  # a minute is kept 400 days, the others longer
    upgrade = Migration(9999, "9999_drops_rollups", DROPS_ROLLUPS)
    known = migrating.migrations()
    keeping = {each.version for each in [*known, upgrade] if each.drops_rollups}
    assert keeping == {40, 90, 9999}  # no other one waits for a copy
    monkeypatch.setattr(migrating, "migrations", lambda: [*known, upgrade])
    assert migrate_database(timescale_live_db, Mode.LIVE)[0] == upgrade.name
    with closing(connect(timescale_live_db, application_name="tests", autocommit=True)) as connection:
        run_jobs(connection, *LEVELS)
        assert {level: rows_in(connection, level) for level in LEVELS} == before
        left = connection.execute("select relname from pg_class where relname like 'kept\\_%'").fetchall()
        assert left == []


@pytest.mark.slow
def test_what_is_kept_may_change_and_policies_may_go_astray_and_the_rollups_stay(timescale_live_db: str) -> None:
    """Kept shorter, then longer again: no refresh may reach behind what was dropped meanwhile."""
    keep = "update retention_class set keep = %s where relation in ('observation_packed', 'rollup_1m')"
    kept_for_ever = ("rollup_1h", "rollup_1d")
    with closing(connect(timescale_live_db, application_name="tests", autocommit=True)) as connection:
        now = connection.execute("select date_trunc('day', now()) as today").fetchone()
        assert now is not None
        store(connection, [(7, now["today"] - timedelta(days=age), 1.0 + age, 1) for age in (300, 150, 10)])
        for level in LEVELS:
            connection.execute(f"call refresh_continuous_aggregate('{level}', null, null)".encode())
        before = {level: rows_in(connection, level) for level in kept_for_ever}
        assert [len(rows) for rows in before.values()] == [3, 3]
        for days in ("90 days", "400 days"):
            connection.execute(keep, (days,))
            connection.execute("call undercroft_retain(now())")
            assert connection.execute("select count(*) as n from observation").fetchone() == {"n": 1}
            run_jobs(connection, *LEVELS)
            assert {level: rows_in(connection, level) for level in kept_for_ever} == before, days
            assert connection.execute(sql("inspect_policies").encode()).fetchall() == []
        with pytest.raises(Exception, match="kept_for_7_days_at_least"):
            connection.execute(keep, ("6 days",))
        connection.execute(
            'select alter_job(job_id, config => config || \'{"start_offset": "398 days"}\')'
            " from timescaledb_information.jobs where hypertable_name = 'rollup_10m' and proc_name like '%refresh%'"
        )
        connection.execute(
            "select delete_job(job_id) from timescaledb_information.jobs"
            " where proc_name in ('undercroft_retain_job', 'undercroft_unstick_job')"
            " or config ->> 'relation' = 'tick' or hypertable_name in ('rollup_1m', 'rollup_1h')"
        )
        assert [row["name"] for row in connection.execute(sql("inspect_policies").encode())] == [
            "rollup_10m: refresh reaches behind what was dropped",
            "rollup_1h: policy_refresh_continuous_aggregate", "rollup_1m: policy_refresh_continuous_aggregate",
            "tick: undercroft_compress_job", "undercroft_retain_job", "undercroft_unstick_job",
        ]  # fmt: skip
    assert migrate_database(timescale_live_db, Mode.LIVE) == ["policies"]
    with closing(connect(timescale_live_db, application_name="tests", autocommit=True)) as connection:
        assert connection.execute(sql("inspect_policies").encode()).fetchall() == []
        run_jobs(connection, *LEVELS)
        assert {level: rows_in(connection, level) for level in kept_for_ever} == before
        connection.execute("delete from store_object where name like 'rollups%'")
    assert "rollups of timescaledb" in migrate_database(timescale_live_db, Mode.LIVE)  # made anew, the old ones kept
    with closing(connect(timescale_live_db, application_name="tests", autocommit=True)) as connection:
        run_jobs(connection, *LEVELS)
        assert {level: rows_in(connection, level) for level in kept_for_ever} == before


@pytest.mark.slow
def test_a_refresh_that_was_killed_holds_up_no_later_one(timescale_live_db: str) -> None:
    """TimescaleDB writes the range of a refresh down before it works on it; here it is written as by one that died."""
    with closing(connect(timescale_live_db, application_name="tests", autocommit=True)) as connection:
        connection.execute("call refresh_continuous_aggregate('rollup_1m', null, null)")
        connection.execute(
            "insert into _timescaledb_catalog.continuous_aggs_materialization_ranges"
            " select mat_hypertable_id, %s, %s from _timescaledb_catalog.continuous_agg"
            " where user_view_name = 'rollup_1m'",
            [int(moment.timestamp() * 1e6) for moment in (START, START + timedelta(days=1))],
        )
        store(connection, READINGS)
        assert connection.execute("select undercroft_unstick() as n").fetchone() == {"n": 1}
        connection.execute("call refresh_continuous_aggregate('rollup_1m', null, null)")
        stored = connection.execute(
            "select format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name) as name"
            " from timescaledb_information.continuous_aggregates where view_name = 'rollup_1m'"
        ).fetchone()
        assert stored is not None
        assert connection.execute(f"select count(*) as n from {stored['name']}".encode()).fetchone() == {"n": 3}  # noqa: S608
        assert connection.execute("select undercroft_unstick() as n").fetchone() == {"n": 0}


def rows_in(connection: Connection, level: str) -> list[dict[str, object]]:
    return connection.execute(f"select * from {level} order by bucket".encode()).fetchall()  # noqa: S608
