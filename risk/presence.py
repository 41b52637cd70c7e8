"""What devices say of themselves on their status topic, told to the engine as conditions. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from risk.conditions import KIND
from risk.warnings import Act

OFFLINE = "offline"
ONLINE_SUFFIX = ":online"
"""End of the key of the sensor under which ingest stores a device's status."""


def devices_by_status(sensor_keys: Mapping[int, str]) -> dict[int, str]:
    """Return the device of every status sensor, by the number of the sensor."""
    return {
        sensor_id: key.removesuffix(ONLINE_SUFFIX)
        for sensor_id, key in sensor_keys.items()
        if key.endswith(ONLINE_SUFFIX)
    }


def presence_acts(
    said: Iterable[tuple[int, int, float]],
    devices: Mapping[int, str],
    commit_seq: int,
    heard_us: Callable[[int], int],
) -> list[Act]:
    """Return a condition for each device that spoke within a tick: what it said last counts, whatever the order.

    Parameters
    ----------
    said : iterable of (sensor number, observed [microseconds since 1970], value)
        Status readings of a tick, 1 for online; other sensors are passed over.
    heard_us : callable
        When a sensor, by number, had spoken last before the tick: what is older is history. [microseconds since 1970]
    """
    newest: dict[str, tuple[int, float]] = {}
    for sensor_id, observed_us, value in said:
        if sensor_id in devices and observed_us >= heard_us(sensor_id):
            device = devices[sensor_id]
            # Of two at one instant the worse counts.
            newest[device] = max(newest.get(device, (observed_us, value)), (observed_us, value), key=_worse)
    return [
        Act(commit_seq, KIND, f"device/{device}/{OFFLINE}", device, observed_us, {"is_active": value == 0})
        for device, (observed_us, value) in sorted(newest.items())
    ]


def _worse(said: tuple[int, float]) -> tuple[int, float]:
    observed_us, value = said
    return observed_us, -value
