"""How rollups lie compressed: the buckets of a sensor together, those of a form of before in time too."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

from tests.contract.readings import store
from undercroft.store.connection import Connection, connect

START = datetime(2023, 9, 7, 16, tzinfo=UTC)
FORMS = {
    "rollup_1m": {("sensor_id", "bucket")},
    "rollup_10m": {("sensor_id", "bucket")},
    "rollup_1h": {(None, "sensor_id,bucket")},
    "rollup_1d": {(None, "sensor_id,bucket")},
}
"""In ten days a sensor has minutes, and tens of them, that fill a piece of 1,000 rows; hours and days do not."""
COMPRESS = "call undercroft_compress_job(0, jsonb_build_object('relation', %s::text, 'compress_after', '3 days'))"


def forms(connection: Connection, level: str) -> set[tuple[object, ...]]:
    """By what the compressed chunks of a rollup are parted and ordered."""
    found = connection.execute(
        "select nullif(s.segmentby, ''), s.orderby from timescaledb_information.chunk_columnstore_settings s"
        " join timescaledb_information.chunks c on format('%%I.%%I', c.chunk_schema, c.chunk_name)::regclass = s.chunk"
        " where c.hypertable_name = undercroft_hypertable_of(%s) and c.is_compressed",
        (level,),
    )
    return {tuple(row.values()) for row in found}


def rows(connection: Connection, level: str) -> list[tuple[object, ...]]:
    found = connection.execute(f"select * from {level} order by sensor_id, bucket".encode())  # noqa: S608
    return [tuple(row.values()) for row in found]


def test_rollups_are_compressed_by_sensor_and_those_of_before_in_time(timescale_live_db: str) -> None:
    with closing(connect(timescale_live_db, application_name="tests", autocommit=True)) as connection:
        store(connection, [(s, START + timedelta(minutes=m), m / 10, 1) for s in (1, 2) for m in range(0, 3000, 10)])
        for level in FORMS:
            connection.execute(f"call refresh_continuous_aggregate('{level}', null, null)".encode())
        before = {level: rows(connection, level) for level in FORMS}
        for level in FORMS:
            connection.execute(COMPRESS, (level,))
        assert {level: forms(connection, level) for level in FORMS} == FORMS
        for level in FORMS:
            connection.execute(
                f"alter materialized view {level} set"
                " (timescaledb.compress_segmentby = '', timescaledb.compress_orderby = 'bucket desc')".encode()
            )
            connection.execute(COMPRESS, (level,))
        assert {level: forms(connection, level) for level in FORMS} == {
            level: {(None, "bucket DESC")} for level in FORMS
        }
        assert {level: rows(connection, level) for level in FORMS} == before
