"""TimescaleDB where it is, plain tables and views where it is not: the difference is made here, once.

`settle` runs after the migrations, each time: it makes what does not yet fit. Rollups and the views of schema
``grafana`` are made again when their text changed, so that a migration never has to care for them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.resources import files

from undercroft.store.connection import Connection, translated_errors
from undercroft.store.sql import sql

EXTENSION = "timescaledb"
LEAST_VERSION = (2, 20)
JOBS = ("unstick", "compress")
GRAFANA_VIEWS = ("grafana_views", "grafana_flags", "grafana_places")


def settle(connection: Connection) -> list[str]:
    """Make hypertables, rollups, policies and Grafana's views; return what was made now."""
    with translated_errors(), connection.transaction():
        made = []
        if _offer_extension(connection):
            made.append("extension timescaledb")
        timescale = is_timescale(connection)
        if timescale and not _has_hypertables(connection):
            _drop_rollups(connection)
            connection.execute(_text("hypertables"))
            made.append("hypertables")
        flavour = EXTENSION if timescale else "plain"
        steps = "retention_timescale" if timescale else "retention_plain"
        if _is_changed(connection, f"retention of {flavour}", "retention", steps):
            connection.execute(_text("retention"))
            connection.execute(_text(steps))
            made.append(f"retention of {flavour}")
        rollups = "rollup_timescale" if timescale else "rollup_plain"
        if _is_changed(connection, f"rollups of {flavour}", rollups):
            keep_old_rollups(connection)
            _drop_rollups(connection)
            connection.execute(_text(rollups))
            made.append(f"rollups of {flavour}")
        if timescale:
            connection.execute(_text("rollup_put_back"))
        if not _has_views(connection) or _is_changed(connection, "views of grafana", *GRAFANA_VIEWS):
            drop_views(connection)
            for text in GRAFANA_VIEWS:
                connection.execute(_text(text))
            _is_changed(connection, "views of grafana", *GRAFANA_VIEWS)
            made.append("views of grafana")
        connection.execute(_text("grafana_grants"))
        if timescale and (
            _is_changed(connection, "policies", "policies", *JOBS, *_classes(connection)) or _lacks_policies(connection)
        ):
            for text in (*JOBS, "policies"):
                connection.execute(_text(text))
            made.append("policies")
        return made


def drop_views(connection: Connection) -> None:
    """Drop Grafana's views, so that a migration may change what they show; `settle` makes them again."""
    with translated_errors():
        connection.execute("drop schema if exists grafana cascade")


def keep_old_rollups(connection: Connection) -> None:
    """Put aside, before rollups are dropped, the buckets that no reading is left for; `settle` puts them back."""
    with translated_errors():
        connection.execute(_text("rollup_keep"))


def is_timescale(connection: Connection) -> bool:
    """Tell whether this database has the extension."""
    return _exists(connection, "select from pg_extension where extname = %(name)s", name=EXTENSION)


def stop_workers(connection: Connection) -> None:
    """Let nothing run by itself in this database until `start_workers`; it needs the right to restore."""
    with translated_errors():
        connection.execute("select _timescaledb_functions.stop_background_workers()")


def start_workers(connection: Connection) -> None:
    """Let jobs run by themselves; after a restore in a transaction of its own, or they find it still going on."""
    with translated_errors():
        connection.execute("select _timescaledb_functions.restart_background_workers()")


def delete_jobs_of(connection: Connection, groups: Sequence[str]) -> list[str]:
    """Delete jobs that a member of these groups made, where a superuser asks; return them."""
    is_superuser = "select from pg_roles where rolname = current_user and rolsuper"
    if not is_timescale(connection) or not _exists(connection, is_superuser):
        return []
    with translated_errors():
        rows = connection.execute(sql("delete_jobs_of_services").encode(), {"names": list(groups)}).fetchall()
    return [str(row["name"]) for row in rows]


def extension_version(connection: Connection) -> str | None:
    """Return the version of the extension in this database, None without it."""
    with translated_errors():
        row = connection.execute("select extversion from pg_extension where extname = %s", (EXTENSION,)).fetchone()
    return None if row is None else str(row["extversion"])


def _offer_extension(connection: Connection) -> bool:
    """Create the extension where the server has it loaded and lets us; True when it was created now."""
    may = (
        "select from pg_available_extensions where name = %(name)s and installed_version is null"
        " and exists (select from pg_settings"
        " where name = 'shared_preload_libraries' and setting like '%%timescaledb%%')"
        " and (select rolsuper from pg_roles where rolname = current_user)"
    )
    if not _exists(connection, may, name=EXTENSION):
        return False
    connection.execute("create extension timescaledb")
    return True


def _has_hypertables(connection: Connection) -> bool:
    return _exists(
        connection, "select from timescaledb_information.hypertables where hypertable_name = 'observation_packed'"
    )


def _has_views(connection: Connection) -> bool:
    return _exists(connection, "select from pg_views where schemaname = 'grafana'")


def _drop_rollups(connection: Connection) -> None:
    drop_views(connection)
    found = connection.execute(
        "select relname, relkind from pg_class where relnamespace = 'public'::regnamespace"
        " and relname = any(array['rollup_1d', 'rollup_1h', 'rollup_10m', 'rollup_1m'])"
        " order by array_position(array['rollup_1d', 'rollup_1h', 'rollup_10m', 'rollup_1m'], relname::text)"
    ).fetchall()
    aggregates = set()
    if is_timescale(connection):
        rows = connection.execute("select view_name from timescaledb_information.continuous_aggregates")
        aggregates = {row["view_name"] for row in rows}
    for row in found:
        kind = "materialized view" if row["relname"] in aggregates else "view"
        connection.execute(f"drop {kind} {row['relname']}".encode())
    connection.execute("drop function if exists undercroft_bucket(interval, timestamptz)")


def _lacks_policies(connection: Connection) -> bool:
    """Tell whether the doctor would miss one; what somebody stopped stays so."""
    lacking = [str(row["name"]) for row in connection.execute(sql("inspect_policies").encode())]
    return any(not name.endswith("(stopped)") for name in lacking)


def _classes(connection: Connection) -> list[str]:
    rows = connection.execute("select relation, keep, step, mode from retention_class, deployment order by relation")
    return [repr(tuple(row.values())) for row in rows]


def _is_changed(connection: Connection, name: str, *parts: str) -> bool:
    """Tell whether an object is to be made again, and note it as made; a part is a text's name, or a text."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update((_text(part) if part in _NAMES else part.encode()) + b"\0")
    row = connection.execute(
        "insert into store_object (name, sha256) values (%(name)s, %(sha256)s)"
        " on conflict (name) do update set sha256 = excluded.sha256, applied_at = now()"
        " where store_object.sha256 <> excluded.sha256 returning name",
        {"name": name, "sha256": digest.hexdigest()},
    ).fetchone()
    return row is not None


def _exists(connection: Connection, query: str, **values: object) -> bool:
    with translated_errors():
        return connection.execute(query.encode(), values or None).fetchone() is not None


_FOLDER = files("undercroft.store") / "objects"
_NAMES = frozenset(path.name.removesuffix(".sql") for path in _FOLDER.iterdir() if path.name.endswith(".sql"))


def _text(name: str) -> bytes:
    return (_FOLDER / f"{name}.sql").read_bytes()
