"""A moment to ask panels of: a small site, and a panel's query over a range that ends there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

from dashboards.macros import fill
from dashboards.queries import query
from undercroft.store.connection import Connection, connect

END = datetime(2026, 7, 1, 6, 30, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)

SITE = """
insert into basin (basin_id, name_zh, name_en) values ('b', 'b', 'b');
insert into place (place_id, place_kind, name_zh, name_en, street, basin_id, lat, lon) values
    ('p', 'space', 'p', 'p', 'north', 'b', 22.5, 114),
    ('q', 'space', 'q', 'q', 'south', 'b', 22.5, 114);
insert into space (space_id, kind, floor_level_m, ceiling_height_m, detail)
values ('p', 'car_park', 0, 3, '{}'), ('q', 'mall', 0, 3, '{}');
insert into entrance (space_id, entrance_id, name_zh, name_en, crest_level_m, roadway_level_m, width_m, barrier_needed,
    barrier_height_m, barrier_deploy_min)
values ('p', 'e', 'e', 'e', 1, 0, 3, true, 1, 10), ('q', 'e', 'e', 'e', 1, 0, 3, true, 1, 10);
insert into device (device_id, place_id, interval_dry_s, interval_wet_s) values ('d', 'p', 600, 60);
insert into sensor (device_id, quantity, unit, place_id, entrance_id, zero_level_m)
values ('d', 'rain_total_mm', 'mm', 'p', null, 0), ('d', 'barrier_state', 'state', 'p', 'e', null)
"""


def each_alone(url: str, checks: Iterable[Callable[[Connection], None]]) -> None:
    """Make each check on a site of its own; one database for all, since making one takes longest."""
    with closing(connect(url, application_name="tests", autocommit=True)) as connection:
        for check in checks:
            with connection.transaction(force_rollback=True):
                for statement in SITE.split(";\n"):
                    connection.execute(statement.encode())
                check(connection)


def asked(
    connection: Connection, name: str, since: datetime, until: datetime, **chosen: list[str]
) -> list[dict[str, Any]]:
    return connection.execute(fill(query(name).sql, since, until, variables=chosen).encode()).fetchall()


def one(connection: Connection, name: str, until: datetime, **chosen: list[str]) -> dict[str, Any]:
    (row,) = asked(connection, name, until - 6 * HOUR, until, **chosen)
    return row
