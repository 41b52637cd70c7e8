"""Readings for the contract tests, written by the statement that ingest uses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from undercroft.store.connection import Connection
from undercroft.store.sql import sql

Row = tuple[int, datetime, float, int]
"""``sensor_id, observed_at, value, quality``."""


def store(connection: Connection, rows: Sequence[Row], batch_id: int = 1) -> None:
    """Insert readings, known ones left as they are."""
    connection.execute(
        sql("insert_observations"),
        {
            "sensor_ids": [row[0] for row in rows],
            "observed_at": [row[1] for row in rows],
            "values": [row[2] for row in rows],
            "qualities": [row[3] for row in rows],
            "serials": [None for _ in rows],
            "quality_tests": [0 for _ in rows],
            "received_ms": [int(row[1].timestamp() * 1000) for row in rows],
            "batch_id": batch_id,
        },
    )


def run_jobs(connection: Connection, *relations: str) -> None:
    """Run the refresh jobs of these rollups, finest first; nothing to do without TimescaleDB."""
    if connection.execute("select from pg_extension where extname = 'timescaledb'").fetchone() is None:
        return
    for relation in relations:
        job = connection.execute(
            "select job_id from timescaledb_information.jobs j"
            " join timescaledb_information.continuous_aggregates c"
            "   on c.materialization_hypertable_name = (select table_name from _timescaledb_catalog.hypertable"
            "        where id = (j.config ->> 'mat_hypertable_id')::int)"
            " where j.proc_name = 'policy_refresh_continuous_aggregate' and c.view_name = %s",
            (relation,),
        ).fetchone()
        assert job is not None, relation
        connection.execute("call run_job(%s)", (job["job_id"],))
