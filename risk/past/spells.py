"""Wet spells of level sensors: when one begins and ends, the same in the engine's memory and in stored readings.

A spell begins with a good reading of at least 1 cm, at the dry reading before it where that is at most 10 minutes
older. It ends when there was none of 1 cm for 30 minutes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from risk.arrays import NEVER_US, FloatArray, IntArray
from risk.past.library import PastFlood
from risk.state import EngineState

SPELL_DEPTH_M = 0.01
GAP_US = 30 * 60_000_000
BEFORE_US = 10 * 60_000_000
LEAST_SAMPLES = 4
"""Of a flood worth remembering."""
LEAST_PEAK_M = 0.02


def follow_spells(
    state: EngineState, levels: IntArray, at_us: IntArray, before_us: IntArray, depth_m: FloatArray
) -> None:
    """Take one good sample each of some level sensors into their spells.

    Parameters
    ----------
    before_us : ndarray
        Time of the good sample before, `NEVER_US` for none. [µs since 1970]
    """
    start, last, peak = state.spell_us[levels], state.spell_wet_us[levels], state.spell_peak_m[levels]
    wet = depth_m >= SPELL_DEPTH_M
    over = (start != NEVER_US) & (at_us - last >= GAP_US)
    begins = wet & (over | (start == NEVER_US))
    close = (before_us != NEVER_US) & (at_us - before_us <= BEFORE_US)
    start = np.where(begins, np.where(close, before_us, at_us), np.where(over & ~wet, NEVER_US, start))
    state.spell_us[levels] = start
    state.spell_wet_us[levels] = np.where(wet, at_us, last)
    state.spell_peak_m[levels] = np.where(begins, depth_m, np.where(start == NEVER_US, 0.0, np.maximum(peak, depth_m)))


def finished_floods(sensor: str, samples: Iterable[tuple[int, float]], until_us: int) -> Iterator[PastFlood]:
    """Yield the floods of one sensor that have ended by a time, from its good readings in order of time.

    One that still runs at ``until_us`` is left out: what followed its moments is not known.

    Parameters
    ----------
    samples : iterable of (int, float)
        Time [µs since 1970] and depth over ground [m].
    until_us : int
        Readings after it do not exist. [µs since 1970]
    """
    spell: list[tuple[int, float]] = []
    wet_us, before = NEVER_US, (NEVER_US, 0.0)
    for at_us, depth_m in samples:
        if at_us > until_us:
            break
        if spell and at_us - wet_us >= GAP_US:
            yield from _flood(sensor, spell, wet_us)
            spell = []
        if depth_m >= SPELL_DEPTH_M:
            if not spell and before[0] != NEVER_US and at_us - before[0] <= BEFORE_US:
                spell.append(before)
            wet_us = at_us
        if spell or depth_m >= SPELL_DEPTH_M:
            spell.append((at_us, depth_m))
        before = (at_us, depth_m)
    if spell and until_us - wet_us >= GAP_US:
        yield from _flood(sensor, spell, wet_us)


def _flood(sensor: str, spell: list[tuple[int, float]], wet_us: int) -> Iterator[PastFlood]:
    """Yield a spell up to the first dry sample after its last wet one, if it is worth remembering."""
    last = next((k for k, (at_us, _) in enumerate(spell) if at_us > wet_us), len(spell) - 1)
    kept = spell[: last + 1]
    if len(kept) < LEAST_SAMPLES or max(depth for _, depth in kept) < LEAST_PEAK_M:
        return
    start = kept[0][0]
    times = tuple(round((at - start) / 1e6) for at, _ in kept)
    yield PastFlood(sensor, start, times, tuple(max(round(1000.0 * depth), 0) for _, depth in kept))
