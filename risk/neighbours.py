"""Which sensors stand near each space, nearest first. Worked out for a space when it is first asked for."""

from __future__ import annotations

from functools import cached_property
from math import cos, radians

import numpy as np

from risk.arrays import FloatArray, IntArray, SiteArrays
from risk.sensors import LEVEL
from risk.supplies.route import EARTH_RADIUS_KM
from risk.thresholds import STAND_IN_RAIN_M
from undercroft.site.places import places_of


class Neighbours:
    """The sensors near each space of one site version."""

    def __init__(self, arrays: SiteArrays) -> None:
        self._arrays = arrays
        self._water: dict[int, IntArray] = {}
        self._rain: dict[int, IntArray] = {}

    def water(self, space: int) -> IntArray:
        """Return the level sensors that may stand in for a space: see `risk.standin`."""
        if space not in self._water:
            self._water[space] = self._nearest(space, self._water_of(space))
        return self._water[space]

    def rain(self, space: int) -> IntArray:
        """Return the rain sensors that may stand in for a space: those of its basin, then others near it."""
        if space not in self._rain:
            arrays, basin = self._arrays, self._arrays.spaces[space].basin
            own = np.array([arrays.sensors[s].basin == basin for s in arrays.g_sensor.tolist()], np.bool_)
            others = self._nearest(space, arrays.g_sensor[~own])
            near = [s for s in others.tolist() if self.distance_m(space, s) <= STAND_IN_RAIN_M.value]
            ordered = [*self._nearest(space, arrays.g_sensor[own]).tolist(), *near]
            self._rain[space] = np.array(ordered, np.int64)
        return self._rain[space]

    def distance_m(self, space: int, sensor: int) -> float:
        """Return the distance from a space to a sensor's place. [m]"""
        return float(np.hypot(*(self._at_m[sensor] - self._space_at_m[space])))

    def zero_m(self, sensor: int) -> float:
        """Return the level over the datum at which a sensor of a gauge site reads 0. [m]"""
        return self._arrays.sensors[sensor].zero_level_m or 0.0

    @cached_property
    def names(self) -> dict[str, tuple[str, str]]:
        """English and Chinese name of every place."""
        return {place.id: (place.name_en, place.name_zh) for _, place in places_of(self._arrays.site)}

    def _nearest(self, space: int, sensors: IntArray) -> IntArray:
        away = self._at_m[sensors] - self._space_at_m[space]
        return sensors[np.argsort(np.hypot(away[:, 0], away[:, 1]), kind="stable")]

    def _water_of(self, space: int) -> IntArray:
        arrays, place = self._arrays, self._arrays.spaces[space]
        sensors: IntArray = self._levels_by_basin.get(place.basin, np.zeros(0, np.int64))
        found = sensors[arrays.s_space[sensors] != space]
        road = (arrays.s_space[found] >= 0) & (arrays.s_entrance[found] < 0)
        if place.kind != "underpass":
            return np.asarray(found[~road], np.int64)
        of_road = np.array([arrays.spaces[s].kind == "underpass" for s in arrays.s_space[found].tolist()], np.bool_)
        return np.asarray(found[~road | of_road], np.int64)

    @cached_property
    def _levels_by_basin(self) -> dict[str, IntArray]:
        arrays = self._arrays
        found: dict[str, list[int]] = {}
        for sensor in np.flatnonzero(arrays.s_role == LEVEL).tolist():
            found.setdefault(arrays.sensors[sensor].basin, []).append(sensor)
        return {basin: np.array(sensors, np.int64) for basin, sensors in found.items()}

    @cached_property
    def _place_at_m(self) -> dict[str, tuple[float, float]]:
        """Metres east and north of the first space: a plane will do within a district."""
        first = self._arrays.spaces[0]
        degree_m = EARTH_RADIUS_KM * 1000.0 * radians(1.0)
        wide = degree_m * cos(radians(first.lat))
        return {
            place.id: ((place.lon - first.lon) * wide, (place.lat - first.lat) * degree_m)
            for _, place in places_of(self._arrays.site)
        }

    @cached_property
    def _at_m(self) -> FloatArray:
        at = self._place_at_m
        return np.array([at[sensor.place] for sensor in self._arrays.sensors], np.float64).reshape(-1, 2)

    @cached_property
    def _space_at_m(self) -> FloatArray:
        at = self._place_at_m
        return np.array([at[space.id] for space in self._arrays.spaces], np.float64)
