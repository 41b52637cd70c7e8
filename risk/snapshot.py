"""The engine's memory as bytes and back, without loss: a JSON header, then the arrays as they lie in memory."""

from __future__ import annotations

import struct
from dataclasses import asdict
from typing import Any

import numpy as np
import orjson

from risk.arrays import SiteArrays
from risk.conditions import ConditionAlarm
from risk.engine import ENGINE_VERSION
from risk.state import Departed, EngineState, FieldReport, RainKept, StoodIn, array_fields
from risk.warnings import RainWarning
from undercroft.errors import StoreRejected

_HEADER = struct.Struct("<I")


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
    header = read_header(data)
    start = _HEADER.size + _HEADER.unpack_from(data)[0]
    values = {}
    for name, dtype, shape, offset in header["arrays"]:
        count = int(np.prod(shape, dtype=np.int64))
        values[name] = np.frombuffer(data, np.dtype(dtype), count, start + offset).reshape(shape).copy()
    known = {entry.name for entry in array_fields()}
    if set(values) != known or values["order_us"].shape[0] != len(arrays.sensors):
        raise StoreRejected("the engine snapshot does not fit this engine or this site")
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
    arguments = {name: header[name] for name in names} | kept | values
    return EngineState(**arguments)
