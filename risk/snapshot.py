"""The engine's memory as bytes and back, without loss: a JSON header, then the arrays as they lie in memory.

Memory of an earlier version of the engine is carried on by name (`carry_state`, docs/decisions/0047).
"""

from __future__ import annotations

import struct
from dataclasses import asdict
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from risk.arrays import SiteArrays
from risk.conditions import ConditionAlarm
from risk.engine import ENGINE_VERSION
from risk.state import (
    Departed,
    EngineState,
    FieldReport,
    RainKept,
    StoodIn,
    array_fields,
    forget_forecasts,
    fresh_state,
)
from risk.warnings import RainWarning
from undercroft.errors import StoreRejected

MEMORY_SINCE = 17
"""Oldest version of the engine whose memory says by each name what this one's does. A version that gives a name another
meaning, the rows of an axis another order or a dictionary another form raises it to itself; a name that is new, gone or
of another length does not.
"""

_HEADER = struct.Struct("<I")
_BY_FAMILY = {"derived_last", "stood_down_on"}
"""By family of rules: a new family comes last. Other rows are of samples, the newest of them last."""


def dump_state(state: EngineState, arrays: SiteArrays) -> bytes:
    """Return the state as bytes; the site itself is named by its place in the commit order."""
    parts, listed, offset = [], [], 0
    for entry in array_fields():
        array = np.ascontiguousarray(getattr(state, entry.name))
        parts.append(array.tobytes())
        listed.append([entry.name, array.dtype.str, list(array.shape), offset])
        offset += array.nbytes
    header = orjson.dumps(
        {
            "engine_version": ENGINE_VERSION,
            "site_commit_seq": state.site_commit_seq,
            "tick_seq": state.tick_seq,
            "tick_us": state.tick_us,
            "up_to": state.up_to,
            "nowcast_id": state.nowcast_id,
            "library": state.library,
            "warnings": {subject: asdict(warning) for subject, warning in sorted(state.warnings.items())},
            "reports": {key: asdict(report) for key, report in sorted(state.reports.items())},
            "conditions": {subject: alarm.as_json() for subject, alarm in sorted(state.conditions.items())},
            "stock": [[place, item, quantity] for (place, item), quantity in sorted(state.stock.items())],
            "moved_us": [[place, item, moved] for (place, item), moved in sorted(state.moved_us.items())],
            "stand_ins": {name: asdict(stood) for name, stood in sorted(state.stand_ins.items())},
            "out_of_service": dict(sorted(state.out_of_service.items())),
            "rain_kept": {name: asdict(kept) for name, kept in sorted(state.rain_kept.items())},
            "departed": {name: asdict(known) for name, known in sorted(state.departed.items())},
            "left": arrays.left.as_json(),
            "valid_until_us": arrays.valid_until_us,
            "arrays": listed,
        }
    )
    return b"".join((_HEADER.pack(len(header)), header, *parts))


def read_header(data: bytes) -> dict[str, Any]:
    """Return the header: which site, tick and engine version the bytes belong to."""
    (length,) = _HEADER.unpack_from(data)
    header: dict[str, Any] = orjson.loads(data[_HEADER.size : _HEADER.size + length])
    return header


def load_state(data: bytes, arrays: SiteArrays) -> EngineState:
    """Return the state that `dump_state` wrote, for the arrays of the site that its header names.

    Raises
    ------
    StoreRejected
        If the bytes do not fit this engine or this site.
    """
    header, values = read_header(data), _arrays_of(data)
    known = {entry.name for entry in array_fields()}
    if set(values) != known or values["order_us"].shape[0] != len(arrays.sensors):
        raise StoreRejected("the engine snapshot does not fit this engine or this site")
    arguments = _names_of(header) | values
    return EngineState(**arguments)


def is_readable(version: str) -> bool:
    """Tell whether memory of a version of the engine can be carried on."""
    return version.isdigit() and MEMORY_SINCE <= int(version) <= int(ENGINE_VERSION)


def carry_state(data: bytes, arrays: SiteArrays, *, version: str) -> EngineState | None:
    """Return what an earlier version of the engine remembered as this one's memory; None where it cannot be read.

    What this version remembers beyond it begins as before the first tick.
    """
    if not is_readable(version):
        return None
    header, values = read_header(data), _arrays_of(data)
    state = fresh_state(arrays, header["site_commit_seq"])
    for name, value in _names_of(header).items():
        setattr(state, name, value)
    fits = True
    for entry in array_fields():
        if entry.name not in values:
            continue
        was, now = values[entry.name], getattr(state, entry.name)
        if was.shape[:1] != now.shape[:1]:
            return None
        fits &= was.shape == now.shape or not entry.name.startswith("ahead_")
        if was.ndim == now.ndim and was.shape[2:] == now.shape[2:]:
            size = min(was.shape[1], now.shape[1]) if was.ndim > 1 else 0
            part = np.s_[:] if was.ndim == 1 else np.s_[:, :size] if entry.name in _BY_FAMILY else np.s_[:, -size:]
            now[part] = was[part]
    if fits:
        state.closed_bits[:] = -1
    else:
        forget_forecasts(state)
    return state


def _arrays_of(data: bytes) -> dict[str, NDArray[Any]]:
    start = _HEADER.size + _HEADER.unpack_from(data)[0]
    values = {}
    for name, dtype, shape, offset in read_header(data)["arrays"]:
        count = int(np.prod(shape, dtype=np.int64))
        values[name] = np.frombuffer(data, np.dtype(dtype), count, start + offset).reshape(shape).copy()
    return values


def _names_of(header: dict[str, Any]) -> dict[str, Any]:
    """Return everything but the arrays."""
    warnings = {
        subject: RainWarning(**entry | {name: tuple(entry[name]) for name in ("basins", "streets", "spaces")})
        for subject, entry in header["warnings"].items()
    }
    reports = {key: FieldReport(**entry) for key, entry in header["reports"].items()}
    names = ("site_commit_seq", "tick_seq", "tick_us", "up_to", "nowcast_id", "library")
    told = {subject: ConditionAlarm.from_json(entry) for subject, entry in header["conditions"].items()}
    kept: dict[str, Any] = {"warnings": warnings, "reports": reports, "conditions": told}
    kept["stand_ins"] = {name: StoodIn(**entry) for name, entry in header["stand_ins"].items()}
    kept["out_of_service"] = header["out_of_service"]
    kept["rain_kept"] = {name: RainKept(**entry) for name, entry in header["rain_kept"].items()}
    kept["departed"] = {name: Departed(**entry) for name, entry in header["departed"].items()}
    kept["stock"], kept["moved_us"] = (
        {(place, item): value for place, item, value in header[name]} for name in ("stock", "moved_us")
    )
    return {name: header[name] for name in names} | kept
