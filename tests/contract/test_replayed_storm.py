"""A storm played through MQTT, ingest and engine; its database copied to TimescaleDB; every panel asked on both."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from datetime import datetime
from typing import Any

import pytest

from dashboards.house import MARKS
from dashboards.macros import fill
from dashboards.queries import query
from tests.contract.test_dashboard_queries import _same, all_queries
from undercroft.store.connection import Connection, connect

COPIED = (
    "site_version", "basin", "place", "space", "entrance", "device", "sensor", "stock", "requirement", "threshold_set",
    "threshold", "act", "batch", "observation", "observation_conflict", "tick", "assessment", "alarm", "alarm_event",
    "dead_letter", "system_condition",
)  # fmt: skip
EMPTY = {
    "alarm_shifts", "annotation_acts", "annotation_orders", "conditions", "conflicts", "dead_letters", "exercise_acts",
    "flood_libraries", "notifications_now", "orders_now", "reports_due", "rewind_late", "stock_counted",
    "stock_movements", "warnings",
}  # fmt: skip
"""Nobody is on duty in a demonstration and nobody acts, nothing is late or unreadable, no sensor counts stock,
no library of floods is built."""
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
    """Return the rows of every query; of the map's those of all its layers."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    layers = [query("map_spaces").with_parameters({"shape": str(mark.value)}) for mark in MARKS["level"]]
    for each in [*(each for each in all_queries() if each.name != "map_spaces"), *layers]:
        rows = connection.execute(fill(each.sql, since, until).encode()).fetchall()
        found.setdefault(each.name, []).extend(tuple(row.values()) for row in rows)
    return found


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
        plain, timescale = (answers(database, row["since"], row["until"]) for database in (source, target))
    for name, rows in plain.items():
        assert len(rows) == len(timescale[name]), name
        for ours, theirs in zip(rows, timescale[name], strict=True):
            assert all(_same(a, b) for a, b in zip(ours, theirs, strict=True)), (name, ours, theirs)
    empty = {name for name, rows in timescale.items() if not rows}
    assert empty == EMPTY, f"more: {sorted(empty - EMPTY)}, fewer: {sorted(EMPTY - empty)}"
