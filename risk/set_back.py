"""The clock was set back: what the engine remembers of later than now is moved before it, and it says so. Pure.

The tick log may go back: a machine boots with its clock hours ahead, ticks, and is set right (docs/decisions/0037).
Nothing may then wait until the clock has caught up. Let ``last`` be the time of the tick before, ``now`` the new one,
and ``b`` the newest time in the memory before ``now``. Every time ``t`` from ``now`` on becomes

    max(t - (last - now), b)

What was remembered under the wrong clock so keeps its distance to the newest tick, nothing comes before what is older,
and the order of any two times stays. An end that lies ahead (shelving, out of service, a report) has as long to go as
it had. A row of samples moves as one, so that what fell or rose within ten minutes did not do so at once.

An act that carries a time from after its tick was entered under the wrong clock: it counts as done at the tick, as a
reading does (`risk.evidence`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

import numpy as np

from risk.arrays import NEVER_US, IntArray, iso, to_us
from risk.conditions import KIND, Conditions
from risk.state import EngineState, array_fields
from risk.thresholds import CLOCK_AHEAD_S, CLOCK_TOLD_S
from risk.warnings import Act

CONDITION = "clock-set-back"
SUBJECT = f"system/{CONDITION}"
AUTHOR = "engine"
ROWS_OF_SAMPLES = frozenset({"ring_us", "sure_us", "curve_us", "sure_curve_us"})
_DICTS = {
    "warnings": "", "reports": "", "conditions": "", "stand_ins": "", "departed": "", "rain_kept": "",
    "moved_us": "at_us", "out_of_service": "until_us",
}  # fmt: skip
"""What the memory keeps by name, and where its entries are times themselves, what they are."""
_Any = TypeVar("_Any")


def set_back(state: EngineState, now_us: int) -> None:
    """Move every time of the memory that does not lie before a tick to before it, in place. [µs since 1970]

    Parameters
    ----------
    state : EngineState
        As the tick before left it; ``state.tick_us`` is that tick's time, and is not moved.
    now_us : int
        Time of the new tick, earlier than that.
    """
    moved = _Moved(now_us, state.tick_us - now_us + 1, max(_times_before(state, now_us), default=NEVER_US))
    for entry in array_fields():
        if entry.metadata["fill"] == NEVER_US:
            times = getattr(state, entry.name)
            times[...] = moved.rows(times) if entry.name in ROWS_OF_SAMPLES else moved.each(times)
    for name, entries in _DICTS.items():
        kept: dict[Any, Any] = getattr(state, name)
        setattr(state, name, {key: moved.within(value, entries) for key, value in kept.items()})


class _Moved:
    """The move by which the clock was set back."""

    def __init__(self, now_us: int, by_us: int, least_us: int) -> None:
        self._now_us, self._by_us, self._least_us = now_us, by_us, least_us

    def each(self, times: IntArray) -> IntArray:
        """Return times, those from now on moved."""
        return np.where(times >= self._now_us, np.maximum(times - self._by_us, self._least_us), times)

    def rows(self, times: IntArray) -> IntArray:
        """Return rows of times, oldest first, moved with their distances; the older ones only as far as they must."""
        late = times >= self._now_us
        if not late.any():
            return times
        newest = times.max(axis=1, keepdims=True)
        found = np.where(late, times - (newest - self.each(newest)), times)
        first = np.where(late, found, 2**62).min(axis=1, keepdims=True)
        early = ~late & (times != NEVER_US)
        last = np.where(early, times, NEVER_US).max(axis=1, keepdims=True)
        overlap = np.where(late.any(axis=1, keepdims=True), np.maximum(last - first, 0), 0)
        return np.where(early, found - overlap, found)

    def within(self, value: _Any, name: str) -> _Any:
        """Return an entry of the memory with its times moved."""
        changed: Any = value
        if isinstance(value, int) and name.endswith("_us"):
            changed = int(self.each(np.array(value, np.int64)))
        elif isinstance(value, dict):
            changed = {key: self.within(inner, name) for key, inner in value.items()}
        elif is_dataclass(value) and not isinstance(value, type):
            inner = {entry.name: getattr(value, entry.name) for entry in fields(value)}
            changed = replace(value, **{key: self.within(known, key) for key, known in inner.items()})
        return changed  # type: ignore[no-any-return]


def _times_before(state: EngineState, now_us: int) -> Iterator[int]:
    """Yield times of the memory that lie before a tick, the newest among them."""
    for entry in array_fields():
        if entry.metadata["fill"] == NEVER_US:
            times = getattr(state, entry.name)
            before = times[times < now_us]
            if before.size:
                yield int(before.max())
    for name, entries in _DICTS.items():
        yield from (at for value in getattr(state, name).values() for at in _times(value, entries) if at < now_us)


def _times(value: object, name: str) -> Iterator[int]:
    if isinstance(value, int) and name.endswith("_us"):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _times(inner, name)
    elif is_dataclass(value) and not isinstance(value, type):
        for entry in fields(value):
            yield from _times(getattr(value, entry.name), entry.name)


def told_of_clock(conditions: Conditions, before_us: int, now_us: int, up_to: int) -> list[Act]:
    """Return what the engine tells of its own clock: that it was set back, or an hour later that this is over."""
    alarm = conditions.get(SUBJECT)
    known = None if alarm is None else alarm.told.get(CONDITION)
    by_s = (before_us - now_us) / 1e6
    if before_us != NEVER_US and by_s > 0:
        shown, unit = (by_s, "s") if by_s < 120.0 else (by_s / 60.0, "min")
        body = {"is_active": True, "value": round(shown, 1), "unit": unit, "back_s": by_s}
        body |= {"is_worse": True} if known is not None and by_s > known.body["back_s"] else {}
    elif known is not None and now_us - known.told_us >= CLOCK_TOLD_S.value * 1e6:
        body = {"is_active": False}
    else:
        return []
    return [Act(up_to, KIND, SUBJECT, AUTHOR, now_us, body)]


def not_ahead(acts: Iterable[Act], tick_us: int) -> tuple[Act, ...]:
    """Return acts of which none is over a minute ahead of the tick that takes it; what it says until when moves along.

    Examples
    --------
    Entered eight hours ahead, counts for one: it counts for one from the tick.

    >>> hour = 3_600_000_000
    >>> body = {"expires_at": "1970-01-01T09:00:00+00:00"}
    >>> act, = not_ahead([Act(1, "field_report", "space/s", "Li", 8 * hour, body)], 0)
    >>> act.acted_us, act.body["expires_at"]
    (0, '1970-01-01T01:00:00.000000Z')
    """
    latest_us = tick_us + int(CLOCK_AHEAD_S.value * 1e6)
    return tuple(act if act.acted_us <= latest_us else _at_tick(act, tick_us) for act in acts)


def _at_tick(act: Act, tick_us: int) -> Act:
    until = act.body.get("expires_at")
    if not isinstance(until, str):
        return replace(act, acted_us=tick_us)
    try:
        moved = iso(to_us(datetime.fromisoformat(until)) - (act.acted_us - tick_us))
    except (ValueError, TypeError, OverflowError):  # not a time: whoever reads it takes the default
        return replace(act, acted_us=tick_us)
    return replace(act, acted_us=tick_us, body={**act.body, "expires_at": moved})
