"""A storm played through MQTT, ingest and engine; its database copied to TimescaleDB; every panel asked on both."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import pytest

from dashboards.macros import fill
from tests.contract.test_dashboard_queries import _same, all_queries
from undercroft.store.connection import Connection, connect

COPIED = (
    "site_version", "basin", "place", "space", "entrance", "device", "sensor", "stock", "requirement", "threshold_set",
    "threshold", "act", "batch", "observation", "observation_conflict", "tick", "assessment", "alarm", "alarm_event",
)  # fmt: skip
SHOWN = {
    "level_counts",
    "worst_spaces",
    "space_levels",
    "space_freeboard",
    "alarms_open",
    "rates",
    "storm_levels",
    "storm_peaks",
}
PAGE = 5_000


def copy(source: Connection, target: Connection) -> None:
    """Copy the rows of a run, as JSON, a page at a time."""
    for table in COPIED:
        rows = source.execute(f"select row_to_json(t)::text as row from {table} t".encode()).fetchall()  # noqa: S608
        texts = [row["row"] for row in rows]
        for start in range(0, len(texts), PAGE):
            target.execute(
                f"insert into {table} overriding system value"  # noqa: S608
                f" select * from json_populate_recordset(null::{table}, %(rows)s::json)".encode(),
                {"rows": "[" + ",".join(texts[start : start + PAGE]) + "]"},
            )
    target.execute("analyze")


def answers(connection: Connection, since: datetime, until: datetime) -> dict[str, list[tuple[Any, ...]]]:
    return {
        each.name: [tuple(row.values()) for row in connection.execute(fill(each.sql, since, until).encode()).fetchall()]
        for each in all_queries()
    }


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_panels_of_a_replayed_storm(exercise_db: str, timescale_db: str) -> None:
    command = [sys.executable, "-m", "undercroft", "demo", "--speed", "max", "--exit", "--headless"]
    done = subprocess.run(
        command, env={**os.environ, "UNDERCROFT_DATABASE_URL": exercise_db}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    with (
        closing(connect(exercise_db, application_name="tests", autocommit=True)) as source,
        closing(connect(timescale_db, application_name="tests", autocommit=True)) as target,
    ):
        copy(source, target)
        row = source.execute("select min(tick_at) as since, max(tick_at) as until from tick").fetchone()
        assert row is not None
        until = row["until"]
        plain = answers(source, until - timedelta(hours=6), until)
        timescale = answers(target, until - timedelta(hours=6), until)
    for name, rows in plain.items():
        assert len(rows) == len(timescale[name]), name
        for ours, theirs in zip(rows, timescale[name], strict=True):
            assert all(_same(a, b) for a, b in zip(ours, theirs, strict=True)), (name, ours, theirs)
    assert {name for name in SHOWN if not timescale[name]} == set()
