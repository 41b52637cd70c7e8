"""What the engine remembers between ticks: arrays by sensor, gauge and space, and nothing else.

Every field states its axis, type and first value, so that a new state, a state carried over to a changed site, and a
snapshot need no second list. Axes: S sensors, L level sensors, G rain sensors, N spaces.
Times are microseconds since 1970, `NEVER_US` for never; NaN is "not known yet".
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import Field, dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from risk.arrays import NEVER_US, BoolArray, FloatArray, IntArray, SiteArrays
from risk.conditions import Conditions
from risk.sensors import ONLINE, RAIN_ROLES, SensorSpec
from risk.supplies.stock import Holding, listed_stock
from risk.warnings import RainWarning, with_moved

FAMILIES = (
    "depth", "freeboard", "rise", "rain", "warning", "barrier", "pump", "forecast", "leak", "blind", "report",
    "stand_in", "float",
)  # fmt: skip
"""Families of rules, in the order of every family axis. A new family in an alarm is told again."""

DEPTH, FREEBOARD, RISE, RAIN, WARNING, BARRIER, PUMP, FORECAST, LEAK, BLIND, REPORT, STAND_IN, FLOAT = range(
    len(FAMILIES)
)

SIGNATURES = 5 ** len(FAMILIES)
"""More than the greatest ``written_signature`` of levels alone: a family is a digit of base 5."""

RISE_SLOTS = 6
"""Samples kept for the rise rate, at least 50 s apart: 5 minutes at one a minute."""

GOOD_SLOTS = 32
"""Good samples kept of a level sensor, at least 50 s apart: half an hour at one a minute (`risk.past.present`)."""

RAIN_SLOTS = 150
"""Points kept of a gauge's cumulative curve, every other at least 50 s apart: 62 minutes."""

STANDS = 6
"""Earlier stands kept of a rain counter (`risk.counters`)."""

Small = NDArray[np.int8]


def _axis(axis: str, dtype: type[np.generic], fill: float, trailing: tuple[int, ...] = ()) -> dict[str, Any]:
    return {"axis": axis, "dtype": dtype, "fill": fill, "trailing": trailing}


@dataclass(frozen=True, slots=True)
class FieldReport:
    """What a person saw: a depth [m] or the code of a barrier state; see `risk.reports.key_of`.

    ``reporter`` tells people apart, and is empty where only a name is known.
    """

    value: float
    by: str
    author: str
    observed_us: int
    expires_us: int
    note: str
    reporter: str = ""


@dataclass(frozen=True, slots=True)
class StoodIn:
    """The worst that stood in for a space since it went blind, and the last; see `risk.standin`.

    ``rule, value, sensor, entrance, observed_us`` are of the worst; ``confirmed`` is the severity that two readings in
    a row said, ``last_*`` the last one.
    """

    severity: int
    confirmed: int
    rule: str
    value: float
    sensor: str
    entrance: str
    observed_us: int
    last_severity: int
    last_us: int
    last_sensor: str


@dataclass(frozen=True, slots=True)
class RainKept:
    """Rain of gauges that an import took from a space: 5, 10 and 60 minutes [mm], sensor and time; `risk.rain_kept`."""

    mm_5min: float
    mm_10min: float
    mm_60min: float
    sensor: str
    said_us: int

    @property
    def mm(self) -> tuple[float, float, float]:
        """The depths, by window. [mm]"""
        return self.mm_5min, self.mm_10min, self.mm_60min


@dataclass(frozen=True, slots=True)
class Departed:
    """The alarm of a space that left the site, as it stood then; severity 0 and not latched: nothing is left to end."""

    events: int
    occurrence: int
    severity: int
    peak: int
    raised_us: int
    acknowledged: bool
    latched: bool


@dataclass(slots=True)
class EngineState:
    """The engine's memory. `risk.engine.tick` uses it up: the arrays are changed in place.

    Sensors (S)
        ``order_us, observed_us, value, quality``: the newest reading as it came; ``x`` the same on the scale where
        more is worse (depth over ground, 1 for a barrier that is not closed). ``held``: the value the rules use; a
        good reading sets it, a doubtful one may only raise it. ``held_before``: before the newest instant, for
        conflicts. ``evidence_us``: newest good or doubtful reading, by the device's clock; ``evidence_tick_us``: tick
        at which one came last; ``good_us``: newest instant with a good one.
        ``good_run``: good readings in a row, up to 3; ``good_tick_us``: tick at which the last of them came.
        ``left_us``: when a barrier last left ``deployed``; ``denied_us``: when its switch last said that it does not
        close, never once a good word says otherwise.
        ``let_down``: good words in a row by which a float switch hangs down, up to 3; ``lifted_part``: has had a part
        in the open alarm of its space.
    Level sensors (L)
        ``ring_*``: samples for the rise rate, ``sure_*``: the good ones alone, for longer; ``last_*``: three samples,
        see `risk.rise`; ``spell_*``: the wet spell that runs, by good samples, see `risk.past.spells`; ``rate``
        [m/min]; ``implicated``: has had a part in the open alarm of its space.
    Rain sensors (G)
        ``total_mm, curve_*``: own cumulative curve; ``sure_total_mm, sure_curve_*``: that of good readings alone,
        ``sure_rain`` the last of them; ``stood_*, apart_*, stands_*``: last reading that can be, what a counter showed
        that did not fit, earlier stands (`risk.counters`), of good readings ``sure_*``; ``acc_mm``: 5, 10 and 60
        minutes up to the newest sample;
        ``wet_us``: last word of 2 mm in 5 min or more, ``rained_us``: since when each word has said so.
    ``library``: version of the flood library in force, 0 for none. ``conditions``: the alarms of devices and of the
    system, by subject. ``stock``: supplies by place and item, as the site file and the movements since leave them;
    ``moved_us``: when each last moved or was counted by a person.
    ``stand_ins``: what stood in for spaces that are silent, by space.
    ``departed``: alarms of spaces that left the site, see `risk.departed`. ``out_of_service``: until when, by device.
    ``rain_kept``: by space, rain of gauges that it has no longer.
    Spaces (N)
        ``ahead_*``: what the last nowcast says and of which tick it is, orange and red, see `risk.ahead.Nowcast`;
        ``derived_last``: severities of the derived families at the last three touched ticks. ``orange_min, red_min,
        closed_bits``: the forecast and the barriers it was made with. ``met, met_us``: the last times to orange and
        red and the last probability of orange that met their limits, and the tick that made them. ``alarm_*``: the
        alarm; ``stood_down_us, stood_down_seq, stood_down_tick_us``: when a person ended it, the act's place in the
        commit order and the tick that took it, until new evidence comes; ``stood_down_on``: the most that each family
        has said at every tick since.
        ``blind``: fell silent in rain, and was not heard since.
        ``written_*``: what the last assessment said. ``shortage``: of supplies, see `risk.shortage`.
    """

    site_commit_seq: int
    tick_seq: int
    tick_us: int
    up_to: int
    nowcast_id: int
    library: int
    warnings: dict[str, RainWarning]
    reports: dict[str, FieldReport]
    conditions: Conditions
    stock: dict[Holding, float]
    moved_us: dict[Holding, int]
    stand_ins: dict[str, StoodIn]
    departed: dict[str, Departed]
    out_of_service: dict[str, int]
    rain_kept: dict[str, RainKept]

    order_us: IntArray = field(metadata=_axis("S", np.int64, NEVER_US))
    observed_us: IntArray = field(metadata=_axis("S", np.int64, NEVER_US))
    value: FloatArray = field(metadata=_axis("S", np.float64, np.nan))
    quality: Small = field(metadata=_axis("S", np.int8, 9))
    x: FloatArray = field(metadata=_axis("S", np.float64, np.nan))
    held: FloatArray = field(metadata=_axis("S", np.float64, np.nan))
    held_before: FloatArray = field(metadata=_axis("S", np.float64, np.nan))
    evidence_us: IntArray = field(metadata=_axis("S", np.int64, NEVER_US))
    evidence_tick_us: IntArray = field(metadata=_axis("S", np.int64, NEVER_US))
    good_us: IntArray = field(metadata=_axis("S", np.int64, NEVER_US))
    known_us: IntArray = field(metadata=_axis("S", np.int64, NEVER_US))
    spacing_us: IntArray = field(metadata=_axis("S", np.int64, 2**62))
    good_run: Small = field(metadata=_axis("S", np.int8, 0))
    good_tick_us: IntArray = field(metadata=_axis("S", np.int64, NEVER_US))
    running_us: IntArray = field(metadata=_axis("S", np.int64, NEVER_US))
    left_us: IntArray = field(metadata=_axis("S", np.int64, NEVER_US))
    denied_us: IntArray = field(metadata=_axis("S", np.int64, NEVER_US))
    let_down: Small = field(metadata=_axis("S", np.int8, 0))
    lifted_part: BoolArray = field(metadata=_axis("S", np.bool_, 0))

    ring_us: IntArray = field(metadata=_axis("L", np.int64, NEVER_US, (RISE_SLOTS,)))
    ring_m: FloatArray = field(metadata=_axis("L", np.float64, np.nan, (RISE_SLOTS,)))
    sure_us: IntArray = field(metadata=_axis("L", np.int64, NEVER_US, (GOOD_SLOTS,)))
    sure_m: FloatArray = field(metadata=_axis("L", np.float64, np.nan, (GOOD_SLOTS,)))
    spell_us: IntArray = field(metadata=_axis("L", np.int64, NEVER_US))
    spell_wet_us: IntArray = field(metadata=_axis("L", np.int64, NEVER_US))
    spell_peak_m: FloatArray = field(metadata=_axis("L", np.float64, 0.0))
    last_us: IntArray = field(metadata=_axis("L", np.int64, NEVER_US, (3,)))
    last_m: FloatArray = field(metadata=_axis("L", np.float64, -np.inf, (3,)))
    rate: FloatArray = field(metadata=_axis("L", np.float64, 0.0))
    last_rate: FloatArray = field(metadata=_axis("L", np.float64, -np.inf, (3,)))
    implicated: BoolArray = field(metadata=_axis("L", np.bool_, 0))

    total_mm: FloatArray = field(metadata=_axis("G", np.float64, 0.0))
    curve_us: IntArray = field(metadata=_axis("G", np.int64, NEVER_US, (RAIN_SLOTS,)))
    curve_mm: FloatArray = field(metadata=_axis("G", np.float64, 0.0, (RAIN_SLOTS,)))
    sure_rain: FloatArray = field(metadata=_axis("G", np.float64, np.nan))
    sure_total_mm: FloatArray = field(metadata=_axis("G", np.float64, 0.0))
    sure_curve_us: IntArray = field(metadata=_axis("G", np.int64, NEVER_US, (RAIN_SLOTS,)))
    sure_curve_mm: FloatArray = field(metadata=_axis("G", np.float64, 0.0, (RAIN_SLOTS,)))
    acc_mm: FloatArray = field(metadata=_axis("G", np.float64, 0.0, (3,)))
    last_acc_mm: FloatArray = field(metadata=_axis("G", np.float64, -np.inf, (3, 3)))
    wet_us: IntArray = field(metadata=_axis("G", np.int64, NEVER_US))
    stood_us: IntArray = field(metadata=_axis("G", np.int64, NEVER_US))
    stood_words: Small = field(metadata=_axis("G", np.int8, 0))
    apart_mm: FloatArray = field(metadata=_axis("G", np.float64, np.nan))
    apart_us: IntArray = field(metadata=_axis("G", np.int64, NEVER_US))
    stands_mm: FloatArray = field(metadata=_axis("G", np.float64, np.nan, (STANDS,)))
    stands_us: IntArray = field(metadata=_axis("G", np.int64, NEVER_US, (STANDS,)))
    stands_words: Small = field(metadata=_axis("G", np.int8, 0, (STANDS,)))
    sure_stood_us: IntArray = field(metadata=_axis("G", np.int64, NEVER_US))
    sure_stood_words: Small = field(metadata=_axis("G", np.int8, 0))
    sure_apart_mm: FloatArray = field(metadata=_axis("G", np.float64, np.nan))
    sure_apart_us: IntArray = field(metadata=_axis("G", np.int64, NEVER_US))
    sure_stands_mm: FloatArray = field(metadata=_axis("G", np.float64, np.nan, (STANDS,)))
    sure_stands_us: IntArray = field(metadata=_axis("G", np.int64, NEVER_US, (STANDS,)))
    sure_stands_words: Small = field(metadata=_axis("G", np.int8, 0, (STANDS,)))
    rained_us: IntArray = field(metadata=_axis("G", np.int64, NEVER_US))
    busy_us: IntArray = field(metadata=_axis("G", np.int64, NEVER_US))

    derived_last: Small = field(metadata=_axis("N", np.int8, 0, (len(FAMILIES), 3)))
    orange_min: FloatArray = field(metadata=_axis("N", np.float64, np.nan))
    red_min: FloatArray = field(metadata=_axis("N", np.float64, np.nan))
    met: FloatArray = field(metadata=_axis("N", np.float64, np.nan, (3,)))
    met_us: IntArray = field(metadata=_axis("N", np.int64, NEVER_US, (3,)))
    ahead_us: IntArray = field(metadata=_axis("N", np.int64, NEVER_US))
    ahead_min: FloatArray = field(metadata=_axis("N", np.float64, np.nan, (2, 3)))
    ahead_p: FloatArray = field(metadata=_axis("N", np.float64, np.nan, (2, 3)))
    ahead_members: FloatArray = field(metadata=_axis("N", np.float64, np.nan, (2, 3)))
    ahead_floods: NDArray[np.int32] = field(metadata=_axis("N", np.int32, 0))
    ahead_order_min: FloatArray = field(metadata=_axis("N", np.float64, np.nan, (2,)))
    shortage: FloatArray = field(metadata=_axis("N", np.float64, 0.0))
    closed_bits: IntArray = field(metadata=_axis("N", np.int64, -1))
    blind: BoolArray = field(metadata=_axis("N", np.bool_, 0))
    alarm_severity: Small = field(metadata=_axis("N", np.int8, 0))
    alarm_peak: Small = field(metadata=_axis("N", np.int8, 0))
    alarm_families: NDArray[np.int32] = field(metadata=_axis("N", np.int32, 0))
    alarm_occurrence: NDArray[np.int32] = field(metadata=_axis("N", np.int32, 0))
    alarm_events: IntArray = field(metadata=_axis("N", np.int64, 0))
    alarm_raised_us: IntArray = field(metadata=_axis("N", np.int64, NEVER_US))
    alarm_below_us: IntArray = field(metadata=_axis("N", np.int64, NEVER_US))
    alarm_acked: BoolArray = field(metadata=_axis("N", np.bool_, 0))
    alarm_latched: BoolArray = field(metadata=_axis("N", np.bool_, 0))
    alarm_shelved_us: IntArray = field(metadata=_axis("N", np.int64, NEVER_US))
    stood_down_us: IntArray = field(metadata=_axis("N", np.int64, NEVER_US))
    stood_down_seq: IntArray = field(metadata=_axis("N", np.int64, 0))
    stood_down_tick_us: IntArray = field(metadata=_axis("N", np.int64, NEVER_US))
    stood_down_on: Small = field(metadata=_axis("N", np.int8, 0, (len(FAMILIES),)))
    written_signature: IntArray = field(metadata=_axis("N", np.int64, -1))
    written_score: FloatArray = field(metadata=_axis("N", np.float64, -100.0))
    due_us: IntArray = field(metadata=_axis("N", np.int64, NEVER_US))


def array_fields() -> tuple[Field[Any], ...]:
    """Return the fields of the state that are arrays."""
    return tuple(entry for entry in fields(EngineState) if "axis" in entry.metadata)


def place_key(spec: SensorSpec, *versions: SiteArrays) -> Hashable:
    """Return what a sensor stands for: itself where it is. What it said elsewhere is not said of its new place.

    Whether a device is online goes with the device. Rain is said of a basin: a gauge that is renamed, or whose basin
    is, between two ``versions`` of a site stands for the same.
    """
    if spec.role == ONLINE:
        return spec.key
    if versions and spec.role in RAIN_ROLES:
        return spec.key, spec.basin if all(spec.basin in arrays.basin_names for arrays in versions) else ""
    return spec.key, spec.place, spec.entrance


def sensor_keys(arrays: SiteArrays, *versions: SiteArrays) -> list[Hashable]:
    """Return what each sensor stands for."""
    return [place_key(spec, *versions) for spec in arrays.sensors]


def axis_keys(arrays: SiteArrays, *versions: SiteArrays) -> dict[str, list[Hashable]]:
    """Return what each row of each axis stands for; it survives a change of the site from one version to the other."""
    keys = sensor_keys(arrays, *versions)
    return {
        "S": keys,
        "L": [(keys[s], int(arrays.s_space[s] >= 0)) for s in arrays.l_sensor],
        "G": [keys[s] for s in arrays.g_sensor],
        "N": [space.id for space in arrays.spaces],
    }


def fresh_state(arrays: SiteArrays, site_commit_seq: int) -> EngineState:
    """Return the state before the first tick."""
    sizes = {axis: len(keys) for axis, keys in axis_keys(arrays).items()}
    values = {
        entry.name: np.full(
            (sizes[entry.metadata["axis"]], *entry.metadata["trailing"]),
            entry.metadata["fill"],
            entry.metadata["dtype"],
        )
        for entry in array_fields()
    }
    return EngineState(
        site_commit_seq, 0, NEVER_US, 0, 0, 0, {}, {}, {}, listed_stock(arrays.site), {}, {}, {}, {}, {}, **values
    )


def carried_over(state: EngineState, old: SiteArrays, new: SiteArrays, site_commit_seq: int) -> EngineState:
    """Return the state for another version of the site: what both know keeps its memory, the rest starts fresh.

    A level sensor whose ground changed keeps its held value as it was measured then, until its next reading. What a
    sensor that was taken out had last said stays with the place; see `risk.replaced`. The last nowcast stands until the
    next, the simple forecast is worked out anew.
    """
    result = fresh_state(new, site_commit_seq)
    result.tick_seq, result.tick_us, result.up_to = state.tick_seq, state.tick_us, state.up_to
    result.library, result.nowcast_id = state.library, state.nowcast_id
    result.warnings = with_moved(state.warnings, old, new)
    result.conditions = dict(state.conditions)
    result.stock |= state.stock  # once a holding is known, only movements change it
    result.moved_us = dict(state.moved_us)
    result.out_of_service = dict(state.out_of_service)
    result.reports = {key: report for key, report in state.reports.items() if key.split("/")[0] in new.space_index}
    result.stand_ins = {name: stood for name, stood in state.stand_ins.items() if name in new.space_index}
    before, after = axis_keys(old, old, new), axis_keys(new, old, new)
    for axis, keys in after.items():
        position = {key: index for index, key in enumerate(before[axis])}
        pairs = [(position[key], index) for index, key in enumerate(keys) if key in position]
        if not pairs:
            continue
        source, target = np.array(pairs, np.int64).T
        for entry in array_fields():
            if entry.metadata["axis"] == axis:
                getattr(result, entry.name)[target] = getattr(state, entry.name)[source]
    result.closed_bits[:] = -1
    return result


def forget_forecasts(state: EngineState) -> None:
    """Have every forecast worked out again at the next tick: the site or its thresholds changed."""
    state.closed_bits[:] = -1
    state.ahead_us[:] = NEVER_US
    state.nowcast_id = 0
