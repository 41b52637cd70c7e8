"""What the measurements publish: readings of the sample district's gauges."""

from __future__ import annotations

from collections.abc import Iterator

from undercroft.site import load_site, sample_site_path
from undercroft.site.places import devices_of

FIRST_MS = 1_782_000_000_000
PACK_READINGS = 50

Messages = Iterator[tuple[str, bytes]]


def targets() -> list[tuple[str, str]]:
    """Topics of the district's gauges, each with the key of its reading."""
    return [
        (f"flood/v1/futian/{place.id}/{device.id}/observation", sensor.quantity)
        for place, device in devices_of(load_site(sample_site_path()))
        for sensor in device.sensors[:1]
        if sensor.quantity in {"water_depth_m", "water_level_m", "rain_total_mm"} and sensor.at is None
    ]


def singles(count: int) -> Messages:
    """Yield messages of one reading each, the gauges in turn, a second apart."""
    gauges = targets()
    for number in range(count):
        topic, quantity = gauges[number % len(gauges)]
        at_ms = FIRST_MS + number // len(gauges) * 1000
        yield topic, b'{"observed_at": %d, "seq": %d, "%s": 0.12}' % (at_ms, number, quantity.encode())


def packs(count: int) -> Messages:
    """Yield messages of `PACK_READINGS` readings each."""
    gauges = targets()
    for number in range(count):
        topic, quantity = gauges[number % len(gauges)]
        first_ms = FIRST_MS + number // len(gauges) * PACK_READINGS * 1000
        readings = b", ".join(
            b'{"observed_at": %d, "%s": 0.12}' % (first_ms + n * 1000, quantity.encode()) for n in range(PACK_READINGS)
        )
        yield topic, b'{"readings": [%s]}' % readings
