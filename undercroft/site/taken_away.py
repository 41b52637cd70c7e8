"""What a new version of a site no longer has, or has elsewhere: places, entrances, sensors, devices, areas. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from undercroft.site.model import Site
from undercroft.site.places import devices_of, places_of, sensor_key

Where = tuple[str, str]
"""Place and entrance; no entrance: inside, or the gauge site itself."""


@dataclass(frozen=True, slots=True)
class TakenAway:
    """What an import would take away.

    Attributes
    ----------
    spaces, devices, basins, streets : frozenset of str
        Those that are gone.
    entrances : frozenset of (str, str)
        Gone from a space that stays.
    sensors : dict of str to (str, str)
        Place and entrance of sensors that are no longer there, by the key that reasons name them by.
    moved : dict of str to str
        Spaces that stay, in another basin or street, with both in words.
    basin_of : dict of str to str
        Basin of every place before.
    """

    spaces: frozenset[str]
    devices: frozenset[str]
    basins: frozenset[str]
    streets: frozenset[str]
    entrances: frozenset[Where]
    sensors: dict[str, Where]
    moved: dict[str, str]
    basin_of: dict[str, str]


def taken_away(before: Site, after: Site) -> TakenAway:
    """Return what ``after`` has no longer of what ``before`` had."""
    old, new = ({space.id: space for space in site.spaces} for site in (before, after))
    both = sorted(old.keys() & new.keys())
    there = _sensors(after)
    areas = {name: (old[name].basin, old[name].street, new[name].basin, new[name].street) for name in both}
    return TakenAway(
        spaces=frozenset(old.keys() - new.keys()),
        devices=frozenset(_devices(before) - _devices(after)),
        basins=frozenset(_basins(before) - _basins(after)),
        streets=frozenset(_streets(before) - _streets(after)),
        entrances=frozenset(
            (name, entrance.id)
            for name in both
            for entrance in old[name].entrances
            if entrance.id not in {kept.id for kept in new[name].entrances}
        ),
        sensors={key: where for key, where in _sensors(before).items() if there.get(key) != where},
        moved={
            name: f"{basin}, {street} to {new_basin}, {new_street}"
            for name, (basin, street, new_basin, new_street) in areas.items()
            if (basin, street) != (new_basin, new_street)
        },
        basin_of={s.id: s.basin for s in before.spaces} | {g.id: g.basin for g in before.gauges},
    )


def _sensors(site: Site) -> dict[str, Where]:
    return {
        sensor_key(device.id, sensor.at or "", sensor.quantity): (place.id, sensor.entrance or "")
        for place, device in devices_of(site)
        for sensor in device.sensors
    }


def _devices(site: Site) -> set[str]:
    return {device.id for _, device in devices_of(site)}


def _basins(site: Site) -> set[str]:
    return {basin.id for basin in site.basins} | {space.basin for space in site.spaces}


def _streets(site: Site) -> set[str]:
    return {place.street for _, place in places_of(site)}
