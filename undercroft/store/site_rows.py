"""A site spread over the columns of its tables: for each statement, one array per column."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from undercroft.model import Severity
from undercroft.quantities import quantity_of
from undercroft.site.model import Depot, Device, Entrance, SensorDef, Site, Space
from undercroft.site.places import depth_zero_level_m, devices_of, places_of

Columns = dict[str, list[Any]]
"""Parameter name -> one value per row."""

ONLINE = SensorDef(quantity="online")
"""Every device has this sensor beside its own: whether it is connected."""


def _columns(names: str, rows: list[tuple[Any, ...]]) -> Columns:
    keys = names.split()
    return {key: [row[column] for row in rows] for column, key in enumerate(keys)}


def basin_columns(site: Site) -> Columns:
    """Return the columns of ``basin``."""
    return _columns("basin_id name_zh name_en", [(b.id, b.name_zh, b.name_en) for b in site.basins])


def place_columns(site: Site) -> Columns:
    """Return the columns of ``place``; a depot belongs to no basin."""
    return _columns(
        "place_id place_kind name_zh name_en street basin_id lat lon",
        [
            (p.id, kind, p.name_zh, p.name_en, p.street, getattr(p, "basin", None), p.lat, p.lon)
            for kind, p in places_of(site)
        ],
    )


def _space_detail(space: Space) -> str:
    keep = {"catchment_m2", "open_ramp_m2", "storage", "exposure", "pumps"}
    return json.dumps(space.model_dump(mode="json", include=keep), sort_keys=True)


def space_columns(site: Site) -> Columns:
    """Return the columns of ``space``."""
    return _columns(
        "space_id kind floor_level_m ceiling_height_m detail",
        [(s.id, s.kind.value, s.floor_level_m, s.ceiling_height_m, _space_detail(s)) for s in site.spaces],
    )


def _entrance_row(space: Space, entrance: Entrance) -> tuple[Any, ...]:
    barrier = entrance.barrier
    return (
        space.id,
        entrance.id,
        entrance.name_zh,
        entrance.name_en,
        entrance.width_m,
        entrance.crest_level_m,
        entrance.roadway_level_m,
        entrance.barrier_needed,
        barrier.height_m if barrier else None,
        barrier.leakage_grade.value if barrier else None,
        barrier.deploy_min if barrier else None,
    )


def entrance_columns(site: Site) -> Columns:
    """Return the columns of ``entrance``."""
    return _columns(
        "space_id entrance_id name_zh name_en width_m crest_level_m roadway_level_m barrier_needed"
        " barrier_height_m barrier_leakage_grade barrier_deploy_min",
        [_entrance_row(space, entrance) for space in site.spaces for entrance in space.entrances],
    )


def device_columns(site: Site) -> Columns:
    """Return the columns of ``device``."""
    return _columns(
        "device_id place_id interval_dry_s interval_wet_s",
        [(d.id, place.id, d.interval_dry_s, d.interval_wet_s) for place, d in devices_of(site)],
    )


def _with_online(device: Device) -> Iterator[SensorDef]:
    yield from device.sensors
    yield ONLINE


def sensor_columns(site: Site) -> Columns:
    """Return the columns of ``sensor``, the automatic ``online`` included, in the order of the file."""
    rows = []
    for place, device in devices_of(site):
        for sensor in _with_online(device):
            quantity = quantity_of(sensor.quantity)
            unit = quantity.unit if quantity else ""
            zero_level_m = depth_zero_level_m(place, sensor)
            rows.append((device.id, sensor.at or "", sensor.quantity, unit, place.id, sensor.entrance, zero_level_m))
    return _columns("device_id at quantity unit place_id entrance_id zero_level_m", rows)


def stock_columns(site: Site) -> Columns:
    """Return the columns of ``stock``: what was there at the start."""
    holders: tuple[Space | Depot, ...] = (*site.spaces, *site.depots)
    return _columns(
        "place_id item quantity", [(place.id, stock.item, stock.quantity) for place in holders for stock in place.stock]
    )


def requirement_columns(site: Site) -> Columns:
    """Return the columns of ``requirement``."""
    return _columns(
        "space_id entrance_id item quantity",
        [(s.id, need.entrance or "", need.item, need.quantity) for s in site.spaces for need in s.requirements],
    )


def threshold_set_columns(site: Site) -> Columns:
    """Return the columns of ``threshold_set``."""
    return _columns(
        "threshold_set_id author source valid_from",
        [(s.id, s.author, s.source, s.valid_from) for s in site.threshold_sets],
    )


def threshold_columns(site: Site) -> Columns:
    """Return the columns of ``threshold``."""
    return _columns(
        "threshold_set_id rule kind space_id severity value unit source",
        [
            (
                owner.id,
                row.rule,
                row.kind.value if row.kind else None,
                row.space,
                Severity[row.severity.upper()].value,
                row.value,
                row.unit,
                row.source,
            )
            for owner in site.threshold_sets
            for row in owner.rows
        ],
    )
