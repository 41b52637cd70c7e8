"""Virtual sensors: what each device of a site reads in the simulated world, and when it reports.

A device reports all its sensors in one message: every ``interval_dry_s`` while dry and every ``interval_wet_s``
while wet, both rounded up to minutes, at a second of the minute that is its own. Levels are told in millimetres,
rain in tipping-bucket steps of 0.1 mm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor

from simulators.chance import drawn
from simulators.payload import Sent, Value
from simulators.world import Switches, Water
from undercroft.errors import SiteInvalid
from undercroft.quantities import STOCK_PREFIX, BarrierState
from undercroft.site.model import Device, Gauge, SensorDef, Site, Space
from undercroft.site.places import depth_zero_level_m, devices_of, is_canary

WET_RAIN_MM = 2.0
WET_RAIN_MIN = 5
WET_LEVEL_M = 0.02
WET_HOLD_MIN = 15
"""Wet: 2 mm in 5 min, a level of 2 cm, or a warning in force (domain note 6.2), and 15 min after the last of them."""

PUMP_CURRENT_A = 12.0
SEAL_BAR = 1.2
BATTERY_V = 3.6

Reader = Callable[[Water, Switches], str]
"""Reads one sensor as JSON text."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One sensor of a device; ``watches`` says whose change it reports at once, if anyone's."""

    at: str | None
    quantity: str
    read: Reader
    watches: tuple[str, int, int] | None

    def value(self, water: Water, switches: Switches) -> Value:
        """Measure."""
        return Value(self.at, self.quantity, self.read(water, switches))


@dataclass(frozen=True, slots=True)
class VirtualDevice:
    """A device with its probes, its place in the arrays of the world, and its rhythm.

    Attributes
    ----------
    space, gauge : int or None
        Where it stands: number of the space, or of the gauge site.
    phase_s : int
        Second of the minute at which it measures, 1 to 59. [s]
    dry_min, wet_min, first_min : int
        Intervals, and how long before the run its last dry report would have been. [min]
    """

    id: str
    topic: str
    space: int | None
    gauge: int | None
    probes: tuple[Probe, ...]
    phase_s: int
    dry_min: int
    wet_min: int
    first_min: int

    def measure(self, observed_s: int, water: Water, switches: Switches) -> Sent:
        """Read every probe."""
        return Sent(self.id, observed_s, tuple(probe.value(water, switches) for probe in self.probes))


def virtual_devices(site: Site, seed: int) -> list[VirtualDevice]:
    """Return the devices of a site in the order in which they report within a minute.

    Raises
    ------
    SiteInvalid
        If the simulator has no model for a sensor's quantity.
    """
    spaces = {space.id: number for number, space in enumerate(site.spaces)}
    gauges = {gauge.id: number for number, gauge in enumerate(site.gauges)}
    found = []
    for place, device in devices_of(site):
        if is_canary(device):
            continue  # it speaks for the chain, and live only
        dry_min = max(1, ceil(device.interval_dry_s / 60))
        found.append(
            VirtualDevice(
                id=device.id,
                topic=f"exercise/v1/{site.district.id}/{place.id}/{device.id}",
                space=spaces.get(place.id),
                gauge=gauges.get(place.id),
                probes=tuple(_probe(site, place, device, sensor) for sensor in device.sensors),
                phase_s=1 + int(59 * drawn("phase", seed, device.id)),
                dry_min=dry_min,
                wet_min=max(1, ceil(device.interval_wet_s / 60)),
                first_min=int(dry_min * drawn("dry", seed, device.id)),
            )
        )
    return sorted(found, key=lambda device: device.phase_s)


def _probe(site: Site, place: Space | Gauge, device: Device, sensor: SensorDef) -> Probe:
    if isinstance(place, Gauge):
        number = next(n for n, gauge in enumerate(site.gauges) if gauge.id == place.id)
        found = _gauge_reader(number, place, sensor)
    else:
        number = next(n for n, space in enumerate(site.spaces) if space.id == place.id)
        found = _space_reader(number, place, sensor)
    if found is None:
        raise SiteInvalid(f"device {device.id}: the simulator has no model for {sensor.quantity} here")
    read, watches = found
    return Probe(sensor.at, sensor.quantity, read, watches)


_Found = tuple[Reader, tuple[str, int, int] | None] | None


def _gauge_reader(number: int, gauge: Gauge, sensor: SensorDef) -> _Found:
    zero_m = depth_zero_level_m(gauge, sensor) or 0.0
    match sensor.quantity:
        case "water_depth_m":
            return (lambda water, _: _metres(float(water.gauge_depth_m[number]))), None
        case "water_level_m":
            return (lambda water, _: _metres(zero_m + float(water.gauge_depth_m[number]))), None
    return _anywhere_reader(sensor)


def _space_reader(number: int, space: Space, sensor: SensorDef) -> _Found:  # noqa: PLR0911 - one line per quantity
    entrance = next((k for k, e in enumerate(space.entrances) if e.id == sensor.entrance), None)
    match sensor.quantity:
        case "water_depth_m":
            zero_m = depth_zero_level_m(space, sensor) or 0.0
            return _depth_reader(number, zero_m, outside=entrance is not None), None
        case "water_level_m":
            return _level_reader(number, outside=entrance is not None), None
        case "barrier_state" if entrance is not None:
            return (lambda _, s: f'"{s.barriers[number, entrance].word}"'), ("barrier", number, entrance)
        case "barrier_seal_bar" if entrance is not None:
            return (lambda _, s: _seal(s.barriers[number, entrance])), None
        case "pump_running" | "pump_current_a":
            return _pump_reader(number, space, sensor)
        case "mains_power":
            return (lambda _, s: _boolean(bool(s.mains[number]))), ("mains", number, 0)
    return _anywhere_reader(sensor, space)


def _anywhere_reader(sensor: SensorDef, space: Space | None = None) -> _Found:
    match sensor.quantity:
        case "rain_total_mm":
            return (lambda water, _: f"{floor(water.rain_total_mm * 10 + 1e-6) / 10:.1f}"), None
        case "rain_intensity_mm_h":
            return (lambda _, s: f"{s.rain_mm_h:.1f}"), None
        case "battery_v":
            return (lambda _water, _switches: f"{BATTERY_V}"), None
        case "door_open":
            return (lambda _water, _switches: "false"), None
        case quantity if quantity.startswith(STOCK_PREFIX) and space is not None:
            item = quantity.removeprefix(STOCK_PREFIX)
            held = f"{sum(stock.quantity for stock in space.stock if stock.item == item):g}"
            return (lambda _water, _switches: held), None
    return None


def _depth_reader(number: int, zero_m: float, *, outside: bool) -> Reader:
    if outside:
        return lambda water, _: _metres(float(water.street_level_m[number]) - zero_m)
    return lambda water, _: _metres(float(water.inside_level_m[number]) - zero_m)


def _level_reader(number: int, *, outside: bool) -> Reader:
    if outside:
        return lambda water, _: f"{water.street_level_m[number]:.3f}"
    return lambda water, _: f"{water.inside_level_m[number]:.3f}"


def _pump_reader(number: int, space: Space, sensor: SensorDef) -> _Found:
    ids = [k for k, pump in enumerate(space.pumps) if pump.id == sensor.at] or list(range(len(space.pumps)))

    def running(switches: Switches) -> int:
        return sum(switches.pumps[number, k] for k in ids)

    if sensor.quantity == "pump_running":
        return (lambda _, s: _boolean(running(s) > 0)), ("pump", number, 0)
    return (lambda _, s: f"{PUMP_CURRENT_A * running(s):.1f}"), None


def _metres(depth_m: float) -> str:
    return f"{max(0.0, depth_m):.3f}"


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _seal(state: BarrierState) -> str:
    return f"{SEAL_BAR if state is BarrierState.DEPLOYED else 0.0}"
