"""A library from a site and its readings, or from a table of floods that were measured elsewhere."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from risk.arrays import FloatArray, SiteArrays
from risk.hindcast.floodnet_csv import KM_PER_DEGREE, Event
from risk.past.library import FloodLibrary, PastFlood, PastSensor, library_of
from risk.past.spells import finished_floods

Samples = Iterable[tuple[int, float]]
"""Time [µs since 1970] and value of good readings, in order of time."""


def site_sensors(arrays: SiteArrays, tidal: frozenset[str]) -> list[PastSensor]:
    """Return the level sensors of a site, placed by their spaces; those named flood with the tide."""
    latitudes = [space.lat for space in arrays.spaces]
    shrink = math.cos(math.radians(sum(latitudes) / len(latitudes))) if latitudes else 1.0
    found = []
    for sensor, space in zip(arrays.l_sensor.tolist(), arrays.l_space.tolist(), strict=True):
        place, key = arrays.spaces[space], arrays.sensors[sensor].key
        found.append(PastSensor(key, place.lon * KM_PER_DEGREE * shrink, place.lat * KM_PER_DEGREE, key in tidal))
    return found


def built(arrays: SiteArrays, tidal: frozenset[str], readings: Callable[[str], Samples], until_us: int) -> FloodLibrary:
    """Return the floods of a site that had ended by a time.

    Parameters
    ----------
    readings : callable
        Good readings of a sensor by its key.
    until_us : int
        What came later does not exist, and a flood that runs then is left out. [µs since 1970]
    """
    sensors = site_sensors(arrays, tidal)
    offset_m: FloatArray = arrays.s_offset
    floods: list[PastFlood] = []
    for sensor in arrays.l_sensor.tolist():
        key, offset = arrays.sensors[sensor].key, float(offset_m[sensor])
        floods += finished_floods(key, ((at, value + offset) for at, value in readings(key)), until_us)
    return library_of(sensors, floods)


def imported(
    arrays: SiteArrays, tidal: frozenset[str], events: Sequence[Event], names: Mapping[str, str], first_us: int
) -> FloodLibrary:
    """Return floods measured elsewhere, for the sensors of a site.

    Parameters
    ----------
    names : mapping
        Sensor of the site by the sensor in the table; floods of others are of sensors that the site has not, and
        stand for floods of their kind.
    first_us : int
        What the clock of the table begins with. [µs since 1970]
    """
    at_site = {sensor.key: sensor for sensor in site_sensors(arrays, tidal)}
    floods, elsewhere = [], {}
    for event in events:
        track = event.track
        key = names.get(event.sensor_id, event.sensor_id)
        if key not in at_site:
            elsewhere[key] = PastSensor(key, math.nan, math.nan, track.tidal)
        elif track.tidal:
            at_site[key] = replace(at_site[key], tidal=True)
        if track.time_s.size > 1:
            floods.append(flood_of(event, key, first_us))
    return library_of([*at_site.values(), *elsewhere.values()], floods)


def flood_of(event: Event, key: str, first_us: int) -> PastFlood:
    """Return a row of a table as a flood of a sensor."""
    track = event.track
    return PastFlood(
        key,
        first_us + round(1e6 * track.started_at_s),
        tuple(round(at) for at in track.time_s.tolist()),
        tuple(max(round(1000.0 * depth), 0) for depth in track.depth_m.tolist()),
    )
