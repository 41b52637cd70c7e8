"""When devices report: dry or wet, and who is due at a minute."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulators.sensors import WET_HOLD_MIN, WET_LEVEL_M, WET_RAIN_MIN, WET_RAIN_MM, VirtualDevice
from simulators.world import FloatArray

NEVER = -(10**9)


class Rhythm:
    """Keeps who reported last and which places are wet."""

    def __init__(self, devices: Sequence[VirtualDevice], spaces: int, gauges: int) -> None:
        self._devices = devices
        self._spaces = spaces
        self._wet_until = np.full(spaces + gauges, NEVER, dtype=np.int64)
        self._last = [NEVER] * len(devices)

    def note_wetness(self, minute: int, depth_m: FloatArray, *, rain_5_min_mm: float, signal: bool) -> None:
        """Take in what the places see at a minute: the greatest depth at each space, then at each gauge. [m]"""
        wet: NDArray[np.bool_] = (depth_m >= WET_LEVEL_M) | (rain_5_min_mm >= WET_RAIN_MM) | signal
        self._wet_until[wet] = minute + WET_HOLD_MIN

    def due(self, minute: int) -> list[VirtualDevice]:
        """Return the devices that report in a minute, in their order, and remember that they did.

        All report in the first minute asked for; from then on dry ones spread over their interval.
        """
        found = []
        for number, device in enumerate(self._devices):
            last = self._last[number]
            place = device.space if device.space is not None else self._spaces + (device.gauge or 0)
            wet = self._wet_until[place] >= minute
            if minute - last < (device.wet_min if wet else device.dry_min):
                continue
            self._last[number] = minute - device.first_min if last == NEVER and not wet else minute
            found.append(device)
        return found


def rain_in_last_minutes_mm(rates_mm_h: FloatArray, minute: int) -> float:
    """Return the rain of the five minutes up to a minute of the run. [mm]"""
    return float(rates_mm_h[max(0, minute - WET_RAIN_MIN) : minute].sum()) / 60.0
