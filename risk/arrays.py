"""A site as arrays over spaces, entrances and sensors, so that a tick is arithmetic.

Spaces are in order of id, sensors in order of key; database ids appear nowhere. Level sensors are turned to one scale:
``y``, the water depth over the ground at the sensor (roadway of its entrance, floor of its space).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from risk.left import NOTHING, Left
from risk.segments import Segments
from risk.sensors import BARRIER, LEVEL, MAINS, ONLINE, PUMP, RAIN_ROLES, STOCK, SensorSpec, sensors_of
from risk.thresholds import YELLOW, ThresholdTable, last_change, next_change, thresholds_at
from undercroft.site.model import Entrance, Site, Space
from undercroft.site.places import places_of

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NEVER_US = -(2**62)
"""An instant before every other: nothing was seen yet. [µs since 1970]"""


def to_us(instant: datetime) -> int:
    """Return microseconds since 1970."""
    delta = instant - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def from_us(instant_us: int) -> datetime:
    """Return the instant, UTC."""
    seconds, micro = divmod(int(instant_us), 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=micro)


@lru_cache(maxsize=4096)
def iso(instant_us: int) -> str | None:
    """Return an instant as RFC 3339 in UTC, or None for never."""
    return None if instant_us == NEVER_US else from_us(instant_us).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class EntranceRef:
    """An entrance and the index of its space."""

    space: int
    entrance: Entrance


@dataclass(frozen=True)
class SiteArrays:
    """What the tick needs to know of a site. Made by `from_site`; never changed.

    Level sensors (axis L) are sorted by (family, space, entrance, key); ``l_family`` is 0 where depth itself decides
    (inside, and anywhere in an underpass) and 1 where freeboard at an entrance does. ``left`` are sensors and entrances
    that the site no longer has: they have rows like any other, and no name in ``sensor_index``.
    """

    site: Site
    left: Left
    thresholds: ThresholdTable
    valid_from_us: int
    valid_until_us: int
    spaces: tuple[Space, ...]
    basins: tuple[str, ...]
    entrances: tuple[EntranceRef, ...]
    sensors: tuple[SensorSpec, ...]
    devices: tuple[str, ...]
    basin_of_space: IntArray
    e_space: IntArray
    e_position: IntArray
    e_crest_m: FloatArray
    e_roadway_m: FloatArray
    e_width_m: FloatArray
    e_barrier_top_m: FloatArray
    e_needed: BoolArray
    s_role: NDArray[np.int8]
    s_left: BoolArray
    s_space: IntArray
    s_entrance: IntArray
    s_device: IntArray
    s_slot: IntArray
    s_offset: FloatArray
    s_limit_dry_us: IntArray
    s_limit_wet_us: IntArray
    s_period_us: IntArray
    l_sensor: IntArray
    l_space: IntArray
    l_entrance: IntArray
    l_family: NDArray[np.int8]
    g_sensor: IntArray
    g_basin: IntArray
    l_family_space: Segments = field(repr=False)
    space_index: dict[str, int] = field(repr=False)
    sensor_index: dict[str, int] = field(repr=False)

    @property
    def n_spaces(self) -> int:
        """Number of spaces."""
        return len(self.spaces)

    @cached_property
    def basin_names(self) -> frozenset[str]:
        """Basins that the site has."""
        return frozenset({basin.id for basin in self.site.basins} | {space.basin for space in self.spaces})

    @cached_property
    def row_by_key(self) -> dict[str, int]:
        """Row of each sensor by its key, the left ones too, where the site has no other of that key."""
        return {self.sensors[row].key: int(row) for row in np.flatnonzero(self.s_left)} | self.sensor_index

    @cached_property
    def street_names(self) -> frozenset[str]:
        """Streets of which the site has a place."""
        return frozenset(place.street for _, place in places_of(self.site))

    @cached_property
    def spaces_by_area(self) -> dict[tuple[str, str], IntArray]:
        """Spaces of each ``("basin", name)`` and each ``("street", name)``."""
        found: dict[tuple[str, str], list[int]] = {}
        for row, space in enumerate(self.spaces):
            for area in (("basin", space.basin), ("street", space.street)):
                found.setdefault(area, []).append(row)
        return {area: _ints(rows) for area, rows in found.items()}

    @cached_property
    def s_online(self) -> IntArray:
        """Sensors that are the broker's word on their device."""
        return np.flatnonzero(self.s_role == ONLINE)

    @cached_property
    def is_level(self) -> BoolArray:
        """Which are level sensors, those of gauge sites too. Shape (S,)."""
        return np.asarray(self.s_role == LEVEL)

    @cached_property
    def is_switch(self) -> BoolArray:
        """Which are barrier switches of entrances. Shape (S,)."""
        return np.asarray((self.s_role == BARRIER) & (self.s_entrance >= 0))

    @cached_property
    def is_pump(self) -> BoolArray:
        """Which tell whether a pump runs. Shape (S,)."""
        return np.asarray(self.s_role == PUMP)

    @cached_property
    def n_barriers_needed(self) -> IntArray:
        """How many entrances of each space should have a barrier."""
        return np.bincount(self.e_space[self.e_needed], minlength=self.n_spaces)

    @cached_property
    def n_level_sensors(self) -> IntArray:
        """How many level sensors each space has."""
        return np.bincount(self.l_space, minlength=self.n_spaces)

    @cached_property
    def s_stock(self) -> IntArray:
        """Sensors that count supplies."""
        return np.flatnonzero(self.s_role == STOCK)

    @cached_property
    def s_mains(self) -> IntArray:
        """Sensors of spaces that tell whether there is mains power."""
        return np.flatnonzero((self.s_role == MAINS) & (self.s_space >= 0))

    @cached_property
    def s_switch(self) -> IntArray:
        """Barrier switches of entrances."""
        return np.flatnonzero(self.is_switch)

    @cached_property
    def s_switch_entrance(self) -> IntArray:
        """Entrance of each barrier switch."""
        return self.s_entrance[self.s_switch]

    @cached_property
    def e_switches(self) -> IntArray:
        """How many switches the barrier of each entrance has; -1 where there is no barrier or no switch."""
        switches = np.bincount(self.s_switch_entrance, minlength=len(self.entrances))
        return np.where(np.isfinite(self.e_barrier_top_m) & (switches > 0), switches, -1)

    @cached_property
    def s_stale_intervals(self) -> FloatArray:
        """Missed intervals after which each sensor is stale: by its space, the kind of it, or for all. Shape (S,)."""
        find = self.thresholds.value
        of_space = [find("blind", space.id, space.kind, YELLOW) for space in self.spaces]
        elsewhere = self.thresholds.by_kind["blind", None, YELLOW].value
        return np.array([*of_space, elsewhere])[self.s_space]

    @cached_property
    def s_stale_us(self) -> IntArray:
        """Age at which each sensor is stale at its dry pace. [µs]"""
        return np.floor(self.s_stale_intervals * self.s_limit_dry_us).astype(np.int64)

    def stale_us(self, intervals: FloatArray | float) -> IntArray:
        """Return the greatest age at which each sensor is still fresh at its dry pace. [µs]"""
        if intervals is self.s_stale_intervals:
            return self.s_stale_us
        return np.floor(intervals * self.s_limit_dry_us).astype(np.int64)

    @cached_property
    def outside_by_entrance(self) -> tuple[IntArray, Segments]:
        """Level sensors that watch an entrance, sorted by it, and their runs."""
        rows = np.flatnonzero(self.l_outside)
        rows = rows[np.argsort(self.l_entrance[rows], kind="stable")]
        return rows, Segments.of(self.l_entrance[rows], len(self.entrances))

    @cached_property
    def l_outside(self) -> BoolArray:
        """Level sensors that watch an entrance."""
        return self.l_entrance >= 0

    @cached_property
    def l_primary(self) -> BoolArray:
        """Level sensors without which a space is blind: at the entrances, and inside where an entrance has none.

        Water comes from outside, so a silent entrance blinds; what comes in where nobody measures is seen inside alone.
        In an underpass the road itself is the primary place.
        """
        underpass = np.array([space.kind == "underpass" for space in self.spaces])[self.l_space]
        unwatched = np.ones(len(self.entrances), np.bool_)
        unwatched[self.l_entrance[self.l_outside]] = False
        unseen = np.ones(self.n_spaces, np.bool_)
        unseen[self.l_space[self.l_outside]] = False
        unseen[self.e_space[unwatched]] = True
        has_inside = np.zeros(self.n_spaces, np.bool_)
        has_inside[self.l_space[~self.l_outside]] = True
        inside = np.where(underpass, has_inside[self.l_space], unseen[self.l_space])
        outside = ~underpass | ~inside
        return np.asarray(np.where(self.l_outside, outside, inside), np.bool_)

    @classmethod
    def from_site(cls, site: Site, instant: datetime, left: Left = NOTHING) -> SiteArrays:
        """Return the arrays of a site, and what was left behind, with the thresholds in force at an instant."""
        spaces = tuple(sorted(site.spaces, key=lambda space: space.id))
        space_index = {space.id: index for index, space in enumerate(spaces)}
        gone: dict[str, list[Entrance]] = {}
        for space_id, entrance in left.entrances:
            gone.setdefault(space_id, []).append(entrance)
        of_space = [(*space.entrances, *gone.get(space.id, ())) for space in spaces]
        entrances = tuple(EntranceRef(i, entrance) for i, found in enumerate(of_space) for entrance in found)
        entrance_index = {(ref.space, ref.entrance.id): index for index, ref in enumerate(entrances)}
        basins = tuple(sorted({basin.id for basin in site.basins} | {space.basin for space in spaces}))
        sensors, is_left = _with_left(sensors_of(site), left)
        devices = tuple(sorted({sensor.device for sensor in sensors}))
        device_index = {device: index for index, device in enumerate(devices)}
        s_space = _ints(space_index.get(sensor.place, -1) for sensor in sensors)
        s_entrance = _ints(
            entrance_index.get((int(i), sensor.entrance or ""), -1) for i, sensor in zip(s_space, sensors, strict=True)
        )
        role = np.array([sensor.role for sensor in sensors], np.int8)
        levels = _level_order(spaces, sensors, s_space, s_entrance)
        gauges = [index for index, sensor in enumerate(sensors) if sensor.role in RAIN_ROLES]
        slot = np.full(len(sensors), -1, np.int64)
        slot[levels[:, 3]] = np.arange(len(levels))
        slot[gauges] = np.arange(len(gauges))
        since, change = last_change(site, instant), next_change(site, instant)
        e_barrier = [ref.entrance.barrier for ref in entrances]
        e_crest = _floats(ref.entrance.crest_level_m for ref in entrances)
        return cls(
            site=site,
            left=left,
            thresholds=thresholds_at(site, instant),
            valid_from_us=NEVER_US if since is None else to_us(since),
            valid_until_us=2**62 if change is None else to_us(change),
            spaces=spaces,
            basins=basins,
            entrances=entrances,
            sensors=sensors,
            devices=devices,
            basin_of_space=_ints(basins.index(space.basin) for space in spaces),
            e_space=_ints(ref.space for ref in entrances),
            e_position=_ints(position for found in of_space for position in range(len(found))),
            e_crest_m=e_crest,
            e_roadway_m=_floats(ref.entrance.roadway_level_m for ref in entrances),
            e_width_m=_floats(ref.entrance.width_m for ref in entrances),
            e_barrier_top_m=e_crest + _floats(np.nan if barrier is None else barrier.height_m for barrier in e_barrier),
            e_needed=np.array([ref.entrance.barrier_needed for ref in entrances], np.bool_),
            s_role=role,
            s_left=is_left,
            s_space=s_space,
            s_entrance=s_entrance,
            s_device=_ints(device_index[sensor.device] for sensor in sensors),
            s_slot=slot,
            s_offset=_floats(
                _offset(sensor, spaces, s_space[i], s_entrance[i], entrances) for i, sensor in enumerate(sensors)
            ),
            s_limit_dry_us=_ints(int(sensor.interval_dry_s * 1e6) for sensor in sensors),
            s_limit_wet_us=_ints(int(sensor.interval_wet_s * 1e6) for sensor in sensors),
            s_period_us=_ints(int((sensor.period_s or 0.0) * 1e6) for sensor in sensors),
            l_sensor=levels[:, 3],
            l_space=levels[:, 1],
            l_entrance=levels[:, 2],
            l_family=levels[:, 0].astype(np.int8),
            g_sensor=np.array(gauges, np.int64),
            g_basin=_ints(basins.index(sensors[index].basin) for index in gauges),
            l_family_space=Segments.of(levels[:, 0] * len(spaces) + levels[:, 1], 2 * len(spaces)),
            space_index=space_index,
            sensor_index={sensor.key: index for index, sensor in enumerate(sensors) if not is_left[index]},
        )


def _with_left(sensors: tuple[SensorSpec, ...], left: Left) -> tuple[tuple[SensorSpec, ...], BoolArray]:
    """Return the sensors of a site and the left ones by key, and which are left."""
    if not left.sensors:
        return sensors, np.zeros(len(sensors), np.bool_)
    both = [(spec.key, False, spec.place, spec.entrance or "", spec) for spec in sensors]
    both += [(one.spec.key, True, one.spec.place, one.spec.entrance or "", one.spec) for one in left.sensors]
    both.sort(key=lambda entry: entry[:4])
    return tuple(entry[4] for entry in both), np.array([entry[1] for entry in both], np.bool_)


def _ints(values: object) -> IntArray:
    return np.array(list(values), np.int64)  # type: ignore[call-overload]


def _floats(values: object) -> FloatArray:
    return np.array(list(values), np.float64)  # type: ignore[call-overload]


def _level_order(
    spaces: tuple[Space, ...], sensors: tuple[SensorSpec, ...], s_space: IntArray, s_entrance: IntArray
) -> IntArray:
    """Rows (family, space, entrance, sensor) of the level sensors of spaces, sorted."""
    rows = []
    for index, sensor in enumerate(sensors):
        if sensor.role != LEVEL or s_space[index] < 0:
            continue
        by_depth = s_entrance[index] < 0 or spaces[s_space[index]].kind == "underpass"
        rows.append((0 if by_depth else 1, int(s_space[index]), int(s_entrance[index]), index))
    return np.array(sorted(rows), np.int64).reshape(-1, 4)


def _offset(
    sensor: SensorSpec, spaces: tuple[Space, ...], space: int, entrance: int, entrances: tuple[EntranceRef, ...]
) -> float:
    """Return what turns a value of a level sensor into depth over the ground there. [m]"""
    if sensor.role != LEVEL or space < 0:
        return 0.0
    ground = entrances[entrance].entrance.roadway_level_m if entrance >= 0 else spaces[space].floor_level_m
    if sensor.quantity == "water_level_m":
        return -ground
    return 0.0 if sensor.zero_level_m is None else sensor.zero_level_m - ground
