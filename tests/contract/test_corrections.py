"""What people look at has the flag that stands now: a person's correction, and what a later sample showed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashboards.build import all_dashboards
from dashboards.dashboard import PLACE
from dashboards.macros import fill
from tests.contract.readings import run_jobs, store
from undercroft.errors import BadInput
from undercroft.quality import Quality, QualityTest
from undercroft.site import load_site, sample_site_path
from undercroft.store.connection import Connection, connect
from undercroft.store.quality import Correction, flag_readings, undo_flag
from undercroft.store.site import import_site
from undercroft.store.sql import sql

START = datetime(2023, 9, 7, 16, 0, tzinfo=UTC)
NOW = START + timedelta(days=1)
DEVICE, QUANTITY, PLACE_ID = "cp-01-inside-level", "water_depth_m", "cp-01"
LEVELS = ("rollup_1m", "rollup_10m", "rollup_1h", "rollup_1d")
INSTANT = timedelta(microseconds=1)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


@pytest.fixture
def connection(any_db: str) -> Iterator[Connection]:
    """Seven readings by hand, in stored rollups where the database has them.

    Minute 0 holds 1.0 and 3.0 good, minute 1 holds 2.0 suspect and 99.0 failed, minutes 60 to 62 hold 5.0, 4.2, 6.0.
    """
    with closing(connect(any_db, application_name="tests", autocommit=True)) as made:
        import_site(made, load_site(sample_site_path()), "test", START)
        rows = [(0, 1.0, 1), (0.5, 3.0, 1), (1, 2.0, 3), (1.5, 99.0, 4), (60, 5.0, 1), (61, 4.2, 1), (62, 6.0, 1)]
        number = sensor_id(made)
        store(made, [(number, at(minute), value, quality) for minute, value, quality in rows])
        run_jobs(made, *LEVELS)
        yield made


def sensor_id(connection: Connection) -> int:
    row = connection.execute(
        "select sensor_id from sensor where device_id = %s and quantity = %s", (DEVICE, QUANTITY)
    ).fetchone()
    assert row is not None
    return int(row["sensor_id"])


def correct(connection: Connection, since: datetime, until: datetime, quality: Quality = Quality.FAIL) -> int:
    correction = Correction(DEVICE, "", QUANTITY, since, until, quality, "Li", "cleaned the gauge")
    return flag_readings(connection, correction, NOW, NOW)[0]


def buckets(connection: Connection, level: str = "rollup_1m") -> dict[datetime, tuple[object, ...]]:
    """Min, max, mean, last, usable, readings, worst flag, and counts of the flags 1, 2, 3, 4 and 9."""
    found = connection.execute(
        "select bucket, min_value, max_value, mean_value, last_value, usable, readings, worst_quality,"  # noqa: S608
        f" good, not_evaluated, suspect, failed, missing from grafana.{level} order by bucket".encode()
    ).fetchall()
    return {row["bucket"]: tuple(row.values())[1:] for row in found}


def panel(connection: Connection, name: str, interval_ms: int) -> list[tuple[Any, ...]]:
    """Rows of a panel that shows one space where its board does."""
    board, query = next((board, each) for board in all_dashboards() for each in board.queries() if each.name == name)
    variables = {PLACE: [PLACE_ID]} if board.one_space else {}
    text = fill(query.sql, START - timedelta(days=1), NOW, interval_ms=interval_ms, variables=variables)
    return [tuple(row.values()) for row in connection.execute(text.encode())]


def test_without_flags_a_bucket_is_the_stored_one(connection: Connection) -> None:
    assert buckets(connection) == {
        at(0): (1.0, 3.0, 2.0, 3.0, 2, 2, 1, 2, 0, 0, 0, 0),
        at(1): (2.0, 2.0, 2.0, 2.0, 1, 2, 4, 0, 0, 1, 1, 0),
        at(60): (5.0, 5.0, 5.0, 5.0, 1, 1, 1, 1, 0, 0, 0, 0),
        at(61): (4.2, 4.2, 4.2, 4.2, 1, 1, 1, 1, 0, 0, 0, 0),
        at(62): (6.0, 6.0, 6.0, 6.0, 1, 1, 1, 1, 0, 0, 0, 0),
    }


def test_a_corrected_reading_leaves_its_buckets_and_no_other(connection: Connection) -> None:
    before = buckets(connection)
    stored = connection.execute("select * from rollup_1m order by bucket").fetchall()
    number = correct(connection, at(0.5), at(0.5))
    assert buckets(connection) == before | {at(0): (1.0, 1.0, 1.0, 1.0, 1, 2, 4, 1, 0, 0, 1, 0)}
    assert buckets(connection, "rollup_10m")[at(0)] == (1.0, 2.0, 1.5, 2.0, 2, 4, 4, 1, 0, 1, 2, 0)
    assert buckets(connection, "rollup_1h")[at(0)] == (1.0, 2.0, 1.5, 2.0, 2, 4, 4, 1, 0, 1, 2, 0)
    # 1.0, 2.0, 5.0, 4.2 and 6.0 stay: 18.2 in all
    day = buckets(connection, "rollup_1d")[datetime(2023, 9, 7, tzinfo=UTC)]
    assert day[:2] + day[3:] == (1.0, 6.0, 6.0, 5, 7, 4, 4, 0, 1, 2, 0)
    assert day[2] == pytest.approx(18.2 / 5)
    assert connection.execute("select * from rollup_1m order by bucket").fetchall() == stored
    undo_flag(connection, number, "Wu", "wrong gauge", NOW)
    assert buckets(connection) == before


def test_a_correction_over_a_whole_bucket_takes_it_out_or_believes_it(connection: Connection) -> None:
    before = buckets(connection)
    correct(connection, at(60), at(62) - INSTANT)
    assert buckets(connection) == before | {
        at(60): (None, None, None, None, 0, 1, 4, 0, 0, 0, 1, 0),
        at(61): (None, None, None, None, 0, 1, 4, 0, 0, 0, 1, 0),
    }
    correct(connection, at(60), at(61) - INSTANT, Quality.MISSING)
    correct(connection, at(61), at(63) - INSTANT, Quality.SUSPECT)
    correct(connection, at(1), at(2) - INSTANT, Quality.GOOD)
    assert buckets(connection) == before | {
        at(1): (2.0, 99.0, 50.5, 99.0, 2, 2, 1, 2, 0, 0, 0, 0),
        at(60): (None, None, None, None, 0, 1, 9, 0, 0, 0, 0, 1),
        at(61): (4.2, 4.2, 4.2, 4.2, 1, 1, 3, 0, 0, 1, 0, 0),
        at(62): (6.0, 6.0, 6.0, 6.0, 1, 1, 3, 0, 0, 1, 0, 0),
    }


def test_a_correction_over_midnight_touches_both_days(connection: Connection) -> None:
    before, after = datetime(2023, 9, 7, 23, 59, tzinfo=UTC), datetime(2023, 9, 9, 0, 1, tzinfo=UTC)
    store(connection, [(sensor_id(connection), moment, 7.0, 1) for moment in (before, after)])
    correct(connection, before, after - INSTANT)
    assert [buckets(connection)[moment][10] for moment in (before, after)] == [1, 0]
    correct(connection, before, after)
    assert [buckets(connection)[moment][10] for moment in (before, after)] == [1, 1]


def say_spike(connection: Connection, *minutes: float) -> None:
    """As ingest does once the next sample is there."""
    said = {"quality": 3, "quality_tests": int(QualityTest.SPIKE), "reason": "a spike", "batch_id": 1}
    known = {"sensor_ids": [sensor_id(connection)] * len(minutes), "observed_at": [at(minute) for minute in minutes]}
    connection.execute(sql("insert_later_flags"), said | known)


def flags(connection: Connection, interval_ms: int) -> dict[str, float]:
    """What the panel counts in all, by the mark of each flag."""
    counted: dict[str, float] = {}
    for _, name, readings in panel(connection, "flags", interval_ms):
        counted[name[0]] = counted.get(name[0], 0) + readings
    return counted


def test_what_a_later_sample_showed_is_in_readings_counts_and_the_worst_flag(connection: Connection) -> None:
    before = buckets(connection)
    say_spike(connection, 61)
    correct(connection, at(60), at(60))
    assert buckets(connection) == before | {
        at(60): (None, None, None, None, 0, 1, 4, 0, 0, 0, 1, 0),
        at(61): (4.2, 4.2, 4.2, 4.2, 1, 1, 3, 0, 0, 1, 0, 0),
    }
    told = connection.execute(
        "select quality, quality_at_arrival from grafana.observation where value = 4.2"
    ).fetchall()
    assert told == [{"quality": 3, "quality_at_arrival": 1}]


def test_counts_know_the_flags_of_later_samples_at_every_level(connection: Connection) -> None:
    store(connection, [(sensor_id(connection), at(63), 4.0, 2)])
    run_jobs(connection, *LEVELS)
    say_spike(connection, 0, 1, 1.5, 61, 63)  # good, suspect before, failed, good, not evaluated
    correct(connection, at(0.5), at(0.5), Quality.SUSPECT)
    # of the first hour 1.0, 3.0 (corrected) and 2.0 are suspect, 99.0 failed;
    # of the other 5.0 and 6.0 are good, 4.2 and 4.0 suspect
    counts = {level: [row[7:] for row in buckets(connection, level).values()] for level in LEVELS}
    assert counts["rollup_1m"][3:] == [(0, 0, 1, 0, 0), (1, 0, 0, 0, 0), (0, 0, 1, 0, 0)]
    assert counts["rollup_10m"] == counts["rollup_1h"] == [(0, 0, 3, 1, 0), (2, 0, 2, 0, 0)]
    assert counts["rollup_1d"] == [(2, 0, 5, 1, 0)]


@pytest.mark.parametrize("flavour", ["timescale"])  # a plain database keeps no rollups
def test_a_later_flag_of_a_reading_that_no_rollup_counts_yet_moves_nothing(connection: Connection) -> None:
    before = buckets(connection)
    store(connection, [(sensor_id(connection), at(1.25), 2.5, 1)])
    say_spike(connection, 1.25)
    assert buckets(connection)[at(1)][7:] == before[at(1)][7:] == (0, 0, 1, 1, 0)
    run_jobs(connection, *LEVELS)
    assert buckets(connection)[at(1)][7:] == (0, 0, 2, 1, 0)


@pytest.mark.parametrize("interval_ms", [600_000, 3_600_000, 86_400_000])
def test_the_panel_of_flags_counts_what_a_later_sample_showed(connection: Connection, interval_ms: int) -> None:
    assert flags(connection, interval_ms) == {"●": 5, "◐": 1, "✖": 1}
    say_spike(connection, 61, 1, 1.5)  # good, suspect before, failed: only the first is counted otherwise
    assert flags(connection, interval_ms) == {"●": 4, "◐": 2, "✖": 1}
    correct(connection, at(61), at(61), Quality.GOOD)  # a person's word stands before every test
    assert flags(connection, interval_ms) == {"●": 5, "◐": 1, "✖": 1}


@pytest.mark.parametrize("flavour", ["timescale"])  # a plain database keeps no rollups
def test_a_bucket_whose_readings_are_gone_stays(connection: Connection) -> None:
    before = buckets(connection, "rollup_10m")
    correct(connection, at(60), at(61))
    connection.execute("delete from observation_packed where observed_at = %s", (at(62),))
    assert buckets(connection, "rollup_10m") == before


def test_panels_show_the_flag_that_stands(connection: Connection) -> None:
    correct(connection, at(1.5), at(1.5), Quality.GOOD)
    correct(connection, at(62), at(62))
    for interval_ms in (1_000, 60_000):
        drawn = {row[0]: row[2] for row in panel(connection, "space_depth", interval_ms)}
        assert max(value for value in drawn.values() if value is not None) == 99.0
        assert drawn.get(at(62)) is None
    assert [row for row in panel(connection, "flags", 600_000) if row[0] == at(60)] == [
        (at(60), "● 可信 Good", 2.0),
        (at(60), "✖ 错误 Fail", 1.0),
    ]


@pytest.mark.parametrize(
    ("since", "until", "told"),
    [
        (at(62), NOW + timedelta(days=3650), "still to come"),
        (at(70), at(80), "no reading"),
    ],
)
def test_a_correction_of_nothing_or_of_what_is_to_come_is_refused(
    connection: Connection, since: datetime, until: datetime, told: str
) -> None:
    with pytest.raises(BadInput, match=told):
        correct(connection, since, until)
    assert (
        connection.execute("select from quality_flag union all select from act where kind = 'quality_flag'").fetchall()
        == []
    )


def test_a_reading_of_a_clock_that_is_ahead_can_be_corrected(connection: Connection) -> None:
    ahead = NOW + timedelta(minutes=1)
    store(connection, [(sensor_id(connection), ahead, 9.0, 1)])
    correct(connection, ahead, ahead)
    assert buckets(connection)[ahead.replace(second=0)][10] == 1
