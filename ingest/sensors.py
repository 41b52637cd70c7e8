"""Which sensor a reading belongs to, by topic, probe and quantity. Immutable; a new site version is a new directory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ingest.foreign.decoder import ForeignDecoder
from ingest.reading import Fault
from ingest.reasons import Reason
from ingest.topics import DeviceTopic, Kind, RunClockTopic, device_named, foreign_topic, parse_topic
from undercroft.errors import PayloadInvalid
from undercroft.model import Mode, Reading
from undercroft.quantities import QUANTITIES, quantity_of
from undercroft.store.sensors import SensorRow, SensorTable
from undercroft.topic_filters import filter_matches

ONLINE = "online"
_MAX_ROUTES = 20_000
_MAX_REMEMBERED_BYTES = 300
"""Of a topic: with `_MAX_ROUTES` some 20 MB, whatever is published."""


@dataclass(frozen=True, slots=True)
class DeviceEntry:
    """A device of the site data."""

    device_id: str
    place_id: str
    sensors: dict[tuple[str, str], int]
    """``(at, quantity)`` -> position in `Directory.sensor_ids`."""
    probes: frozenset[str]
    periods_s: Mapping[str, float] = field(default_factory=dict)
    """Period of its rain depth by probe, where the site file states one. [s]"""

    def missing(self, reading: Reading) -> Fault:
        """Say why a reading of this device has no sensor."""
        if reading.at and reading.at not in self.probes:
            return Fault(Reason.UNKNOWN_PROBE, f"{self.device_id} has no probe {reading.at!r}")
        if not reading.at and any(quantity == reading.quantity for _, quantity in self.sensors):
            return Fault(Reason.UNKNOWN_PROBE, f"{reading.quantity} of {self.device_id} needs at")
        return Fault(Reason.UNKNOWN_SENSOR, f"{self.device_id} does not measure {reading.quantity!r}")

    def position(self, reading: Reading) -> int | None:
        """Find the sensor of a reading; what is the device's own (battery, mains) may come with any probe."""
        found = self.sensors.get((reading.at, reading.quantity))
        if found is None and reading.at in self.probes:
            found = self.sensors.get(("", reading.quantity))
        return found


@dataclass(frozen=True, slots=True)
class Route:
    """Where the messages of one topic go."""

    kind: Kind | None
    """None: the run clock."""
    device: DeviceEntry | None
    fault: Fault | None = None
    """Why they are all dead letters."""
    decoder: ForeignDecoder | None = None
    """Reads them, and names their devices."""
    foreign_topic: str = ""
    named: str | None = None
    """The device that the topic names, of the site or not."""

    @property
    def has_state(self) -> bool:
        """The device has a sensor for its own state."""
        return self.device is not None and ("", ONLINE) in self.device.sensors


@dataclass(slots=True)
class Directory:
    """The sensors of one site version."""

    mode: Mode
    site_seq: int
    district: str | None
    devices: dict[str, DeviceEntry]
    sensor_ids: np.ndarray[tuple[int], np.dtype[np.int32]]
    least: np.ndarray[tuple[int], np.dtype[np.float64]]
    most: np.ndarray[tuple[int], np.dtype[np.float64]]
    device_of: np.ndarray[tuple[int], np.dtype[np.int32]]
    """By sensor id: position of its device in ``devices``."""
    decoders: tuple[ForeignDecoder, ...] = ()
    _routes: dict[bytes, Route] = field(default_factory=dict)

    @property
    def decoder_topics(self) -> tuple[str, ...]:
        """Topic filters of the decoders."""
        return tuple(decoder.definition.topic for decoder in self.decoders)

    def route(self, topic: bytes) -> Route:
        """Return where a topic leads; answers of topics of a usual length are remembered."""
        found = self._routes.get(topic)
        if found is None:
            found = self._find(topic)
            if len(topic) <= _MAX_REMEMBERED_BYTES:
                if len(self._routes) >= _MAX_ROUTES:
                    self._routes.clear()
                self._routes[topic] = found
        return found

    def names(self, topic: bytes, payload: bytes, received_us: int) -> tuple[str | None, tuple[str, ...]]:
        """Return the device of the site that a letter counts for, if it is one, and all that topic or payload name."""
        route = self.route(topic)
        named: Iterable[str] = () if route.named is None else (route.named,)
        if route.decoder is not None:
            named = route.decoder.names(route.foreign_topic, payload, received_us)
        names = tuple(sorted(named))
        known = [name for name in names if name in self.devices]
        return known[0] if len(known) == 1 else None, names

    def _find(self, topic: bytes) -> Route:
        foreign = foreign_topic(topic, self.mode, self.district)
        for decoder in self.decoders if foreign is not None else ():
            if filter_matches(decoder.definition.topic, foreign or ""):
                return Route(Kind.OBSERVATION, None, None, decoder, foreign or "")
        try:
            parsed = parse_topic(topic, self.mode)
        except PayloadInvalid as error:
            return Route(None, None, Fault(Reason(error.reason), error.detail), named=device_named(topic, self.mode))
        if parsed.district != self.district:
            fault = Fault(Reason.TOPIC_MISMATCH, f"the site is district {self.district}")
            if isinstance(parsed, RunClockTopic):
                return Route(None, None, fault)
            return Route(parsed.kind, None, fault, named=parsed.device)
        if isinstance(parsed, RunClockTopic):
            return Route(None, None)
        return self._device_route(parsed)

    def _device_route(self, topic: DeviceTopic) -> Route:
        device = self.devices.get(topic.device)
        if device is None:
            fault = Fault(Reason.UNKNOWN_DEVICE, f"no device {topic.device!r} in the site data")
            return Route(topic.kind, None, fault, named=topic.device)
        if device.place_id != topic.place:
            fault = Fault(Reason.TOPIC_MISMATCH, f"{topic.device} is at {device.place_id}, not {topic.place}")
            return Route(topic.kind, device, fault, named=topic.device)
        return Route(topic.kind, device, named=topic.device)


def build_directory(mode: Mode, table: SensorTable) -> Directory:
    """Index the sensors of a site version."""
    devices: dict[str, tuple[str, dict[tuple[str, str], int]]] = {}
    sensor_ids: list[int] = []
    ranges: list[tuple[float, float]] = []
    for row in table.rows:
        sensors = devices.setdefault(row.device_id, (row.place_id, {}))[1]
        if row.sensor_id is None:
            continue
        sensors[row.at, row.quantity] = len(sensor_ids)
        sensor_ids.append(row.sensor_id)
        ranges.append(_range_of(row))
    limits = np.array(ranges, dtype=np.float64).reshape(-1, 2)
    device_of = np.zeros(max(sensor_ids, default=0) + 1, dtype=np.int32)
    for number, (_, sensors) in enumerate(devices.values()):
        device_of[[sensor_ids[position] for position in sensors.values()]] = number
    return Directory(
        mode,
        table.site_seq,
        table.district,
        {
            device_id: DeviceEntry(
                device_id,
                place_id,
                sensors,
                frozenset(at for at, _ in sensors if at),
                _periods_s(device_id, sensors, table.rain_periods_s) if table.rain_periods_s else {},
            )
            for device_id, (place_id, sensors) in devices.items()
        },
        np.array(sensor_ids, dtype=np.int32),
        limits[:, 0],
        limits[:, 1],
        device_of,
        tuple(ForeignDecoder(definition) for definition in table.decoders),
    )


def _periods_s(
    device_id: str, sensors: Mapping[tuple[str, str], int], stated_s: Mapping[tuple[str, str], float]
) -> dict[str, float]:
    """Return the period of a device's rain depth by every probe with which it may come (`DeviceEntry.position`)."""
    probes = {at for at, _ in sensors} | {""}
    own = {at: at if (at, "rain_depth_mm") in sensors else "" for at in probes}
    return {at: stated_s[device_id, of] for at, of in own.items() if (device_id, of) in stated_s}


def _range_of(row: SensorRow) -> tuple[float, float]:
    """Return what a sensor can say: what its quantity can be, and of a level no less than a depth over its ground."""
    quantity = quantity_of(row.quantity)
    if quantity is None:
        return -np.inf, np.inf
    if quantity.name == "water_level_m" and row.ground_m is not None:
        return round(row.ground_m + QUANTITIES["water_depth_m"].least, 6), quantity.most
    return quantity.least, quantity.most
