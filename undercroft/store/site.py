"""Site data in the database: imported all or nothing, read back whole or as sensors."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from undercroft.errors import BadInput
from undercroft.site.document import canonical_json, site_from_document, site_sha256
from undercroft.site.model import DEFAULT_TIMEZONE, Site
from undercroft.site.taken_away import taken_away
from undercroft.store import site_rows as rows
from undercroft.store.commit import take_commit_seq
from undercroft.store.connection import Connection, translated_errors
from undercroft.store.site_standing import StandsOn, standing_on
from undercroft.store.sql import sql


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did.

    Attributes
    ----------
    changed : bool
        False when the newest version in the database is this very site.
    commit_seq : int
        Place of the version in the commit order; of the newest one when nothing changed.
    counts : dict of str to int
        Rows by table in the site now in force, of those the file states.
    """

    changed: bool
    commit_seq: int
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class SensorRow:
    """One sensor in service; ``at`` is empty for a device with one probe."""

    sensor_id: int
    device_id: str
    at: str
    quantity: str
    place_id: str
    entrance_id: str | None
    zero_level_m: float | None
    unit: str


def import_site(
    connection: Connection, site: Site, author: str, imported_at: datetime, *, anyway: bool = False
) -> ImportResult:
    """Make the site file the site in force: all of it, or nothing.

    Tables are brought up to date, what vanished is retired, and sensors keep their ids. Stock already known is left
    alone, since movements own it. The same site again changes nothing.

    Parameters
    ----------
    connection : Connection
        Outside a transaction; inside one the import is committed with it.
    site : Site
        A checked site, see `undercroft.site.load_site`.
    author : str
        Who imports it.
    imported_at : datetime
        When, aware; also the time at which vanished rows are retired.
    anyway : bool
        Also where alarms, water, reports, warnings or devices out of service stand on what it takes away; what did is
        kept in the audit.

    Returns
    -------
    ImportResult

    Raises
    ------
    StandsOn
        If something stands on what it takes away; nothing is changed.
    StoreUnavailable, StoreRejected
        If PostgreSQL refuses; nothing stays.
    """
    sha256 = site_sha256(site)
    with translated_errors(), connection.transaction():
        connection.execute(sql("lock_site_import"))
        newest = connection.execute(sql("newest_site_version")).fetchone()
        if newest is not None and newest["sha256"] == sha256:
            return ImportResult(False, newest["commit_seq"], _counts(site))
        stands = _stands_on(connection, newest, site, imported_at)
        if stands and not anyway:
            raise StandsOn(stands)
        if stands:
            told = {"at": imported_at, "author": author, "detail": json.dumps({"anyway": stands}, ensure_ascii=False)}
            connection.execute(sql("audit_site_import"), told)
        _bring_up_to_date(connection, site, imported_at)
        commit_seq = take_commit_seq(connection)
        version = {
            "commit_seq": commit_seq,
            "sha256": sha256,
            "author": author,
            "imported_at": imported_at,
            "document": canonical_json(site),
        }
        connection.execute(sql("insert_site_version"), version)
        connection.execute(sql("place_sensors"), {"commit_seq": commit_seq})
        connection.execute(sql("number_left_places"), {"commit_seq": commit_seq})
        _insert_thresholds(connection, site, commit_seq)
    return ImportResult(True, commit_seq, _counts(site))


def stands_on(connection: Connection, site: Site, at: datetime) -> list[str]:
    """Return what stands on what an import of this site would take away now, one per line."""
    with translated_errors(), connection.transaction():
        return _stands_on(connection, connection.execute(sql("newest_site_version")).fetchone(), site, at)


def _stands_on(connection: Connection, newest: dict[str, Any] | None, site: Site, at: datetime) -> list[str]:
    if newest is None:
        return []
    return standing_on(connection, taken_away(site_from_document(newest["document"]), site), at)


_COLUMNS: dict[str, Callable[[Site], rows.Columns]] = {
    "basin": rows.basin_columns,
    "place": rows.place_columns,
    "space": rows.space_columns,
    "entrance": rows.entrance_columns,
    "device": rows.device_columns,
    "sensor": rows.sensor_columns,
    "stock": rows.stock_columns,
    "requirement": rows.requirement_columns,
    "threshold_set": rows.threshold_set_columns,
    "threshold": rows.threshold_columns,
}


def _counts(site: Site) -> dict[str, int]:
    return {table: len(next(iter(columns(site).values()))) for table, columns in _COLUMNS.items()}


def _bring_up_to_date(connection: Connection, site: Site, imported_at: datetime) -> None:
    def run(name: str, parameters: dict[str, Any]) -> None:
        connection.execute(sql(name), {**parameters, "retired_at": imported_at})

    basins, places, devices = rows.basin_columns(site), rows.place_columns(site), rows.device_columns(site)
    entrances, sensors = rows.entrance_columns(site), rows.sensor_columns(site)
    run("upsert_basins", basins)
    run("retire_basins", {"kept": basins["basin_id"]})
    run("upsert_places", places)
    run("retire_places", {"kept": places["place_id"]})
    run("upsert_spaces", rows.space_columns(site))
    run("upsert_entrances", entrances)
    run("retire_entrances", entrances)
    run("upsert_devices", devices)
    run("retire_devices", {"kept": devices["device_id"]})
    run("leave_places", sensors)
    run("update_sensors", sensors)
    run("insert_sensors", sensors)
    run("retire_sensors", sensors)
    run("insert_initial_stock", rows.stock_columns(site))
    run("delete_requirements", {})
    run("insert_requirements", rows.requirement_columns(site))


def _insert_thresholds(connection: Connection, site: Site, commit_seq: int) -> None:
    for name, columns in (
        ("insert_threshold_sets", rows.threshold_set_columns(site)),
        ("insert_thresholds", rows.threshold_columns(site)),
    ):
        connection.execute(sql(name), {**columns, "commit_seq": commit_seq})


def district_timezone(connection: Connection) -> str:
    """Return the name of the district's time zone; before the first site the default."""
    with translated_errors():
        row = connection.execute(sql("site_timezone").encode()).fetchone()
    return str((row and row["timezone"]) or DEFAULT_TIMEZONE)


def latest_site(connection: Connection) -> tuple[int, Site]:
    """Return the newest site and its place in the commit order.

    Raises
    ------
    BadInput
        If no site was imported yet.
    """
    with translated_errors():
        row = connection.execute(sql("newest_site_version")).fetchone()
    return _version(row)


def site_at(connection: Connection, commit_seq: int) -> tuple[int, Site]:
    """Return the site in force at a point of the commit order, with the number it came in at.

    Raises
    ------
    BadInput
        If no site had been imported by then.
    """
    with translated_errors():
        row = connection.execute(sql("site_version_at"), {"commit_seq": commit_seq}).fetchone()
    return _version(row)


def _version(row: dict[str, Any] | None) -> tuple[int, Site]:
    if row is None:
        raise BadInput("this database has no site yet: run `undercroft site import FILE` first")
    return row["commit_seq"], site_from_document(row["document"])


def sensors(connection: Connection) -> list[SensorRow]:
    """Return the sensors in service, by id."""
    with translated_errors():
        return [SensorRow(**row) for row in connection.execute(sql("sensors"))]
