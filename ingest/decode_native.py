"""The native payload: one reading object, or ``{"readings": [...]}``. Pure: bytes in, readings out.

A part that cannot be read is a `Fault`, and the parts beside it count; only a message without any
structure raises `PayloadInvalid`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any

import orjson

from ingest.reading import Decoded, Fault, shown
from ingest.reasons import Reason
from ingest.repeated_keys import TWICE, mark_repeated, may_repeat, quoted_in
from ingest.timestamps import timestamp_us
from undercroft.errors import PayloadInvalid
from undercroft.model import Reading
from undercroft.quantities import BARRIER_STATE_BY_WORD, QUANTITIES, STOCK_PREFIX

MAX_PAYLOAD_BYTES = 262_144
"""The brokers are told to refuse more (``message_size_limit``)."""
MAX_READINGS = 2_000
"""Reading objects in a pack: a day and a third, minute by minute."""
MAX_KEYS = 64
"""Keys in a reading object."""
MAX_MAGNITUDE = 1e12
MAX_SEQ = 2**32 - 1
MAX_PROBE_LENGTH = 40
MAX_PERIOD_S = 86_400.0
MAX_QUANTITY_LENGTH = 46
"""``stock_`` and an item; what is longer is no quantity, and is not remembered."""

_ABSENT = object()
_NO_PERIODS: Mapping[str, float] = {}
_META_KEYS = frozenset({"observed_at", "seq", "at", "period_s"})
_NEEDS_PERIOD = "rain_depth_mm"
_PLAIN_NUMBERS = frozenset(
    name for name, quantity in QUANTITIES.items() if quantity.value_type == "number" and name != _NEEDS_PERIOD
)
_reading = partial(tuple.__new__, Reading)
"""`Reading` of its parts, in half of the time."""
_STOCK_ITEM = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


def decode_native(payload: bytes, periods_s: Mapping[str, float] = _NO_PERIODS) -> Decoded:
    """Decode a message of an observation or event topic.

    Parameters
    ----------
    periods_s : mapping
        Period of the rain depth by probe that the site file states; another in a message is a fault. [s]

    Raises
    ------
    PayloadInvalid
        If nothing of it can be used; ``reason`` is a `Reason`.

    Examples
    --------
    >>> decode_native(b'{"observed_at": 1500, "water_depth_m": 0.12}').readings[0].value
    0.12
    """
    body = _parse(payload)
    if type(body) is not dict:
        raise _no_object(body)
    readings: list[Reading] = []
    faults: list[Fault] = []
    decode = _decode_pack if "readings" in body else _decode_reading
    quoted = decode(body, readings, faults, periods_s)
    if payload.count(b'"') != 2 * quoted and mark_repeated(payload, body):  # `may_repeat`, without its call
        readings, faults = [], []
        decode(body, readings, faults, periods_s)
        _note_periods(body, faults)
    return Decoded(readings, faults)


def _decode_pack(
    body: dict[str, Any], readings: list[Reading], faults: list[Fault], periods_s: Mapping[str, float]
) -> int:
    """Decode a pack, and count the keys and strings that were met (`ingest.repeated_keys`)."""
    quoted = 1
    for entry in _pack_of(body, faults):
        if type(entry) is dict:
            quoted += _decode_reading(entry, readings, faults, periods_s)
        else:
            faults.append(Fault(Reason.NOT_OBJECT, f"a reading is a JSON {type(entry).__name__}"))
    return quoted


def _note_periods(body: dict[str, Any], faults: list[Fault]) -> None:
    """Note a ``period_s`` that stands twice where no rain asks for it, too."""
    entries = body.get("readings", [body])
    faults += [_twice("period_s") for entry in entries if type(entry) is dict and entry.get("period_s") is TWICE]


def decode_status(payload: bytes) -> tuple[bool, list[Fault]]:
    """Decode a message of a status topic: ``{"online": true or false}``; a key beside it is a fault.

    Raises
    ------
    PayloadInvalid
        If it says no state.

    Examples
    --------
    >>> decode_status(b'{"online": false}')
    (False, [])
    """
    body = load_object(payload)
    online = body.get("online")
    if online is TWICE:
        raise PayloadInvalid(Reason.REPEATED_KEY, "'online' is there twice")
    if type(online) is not bool:
        raise PayloadInvalid(Reason.WRONG_TYPE, "online is not JSON true or false")
    faults = [_twice(key) for key, value in body.items() if value is TWICE]
    unknown = [key for key, value in body.items() if key != "online" and value is not TWICE]
    if unknown:
        faults.append(Fault(Reason.UNKNOWN_QUANTITY, _names(unknown)))
    return online, faults


def load_object(payload: bytes) -> dict[str, Any]:
    """Parse one JSON object in UTF-8.

    Raises
    ------
    PayloadInvalid
        If the payload is too large, not UTF-8, not JSON, holds a number that is not finite, or is not an object.
    """
    body = load_json(payload)
    if type(body) is not dict:
        raise _no_object(body)
    return body


def _no_object(body: object) -> PayloadInvalid:
    return PayloadInvalid(Reason.NOT_OBJECT, f"the payload is a JSON {type(body).__name__}")


def load_json(payload: bytes) -> Any:
    """Parse one JSON value in UTF-8; under a key that stands twice in its object is `TWICE`.

    Raises
    ------
    PayloadInvalid
        If the payload is too large, not UTF-8, not JSON, or holds a number that is not finite.
    """
    value = _parse(payload)
    if may_repeat(payload, quoted_in(value)):
        mark_repeated(payload, value)
    return value


def _parse(payload: bytes) -> Any:
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise PayloadInvalid(Reason.TOO_LARGE, f"over {MAX_PAYLOAD_BYTES} bytes")
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise _why_not_json(payload, str(error)) from None


def _pack_of(body: dict[str, Any], faults: list[Fault]) -> list[object]:
    entries = body["readings"]
    if entries is TWICE:
        raise PayloadInvalid(Reason.REPEATED_KEY, "'readings' is there twice")
    if type(entries) is not list:
        raise PayloadInvalid(Reason.NOT_OBJECT, "readings is not a list")
    if not entries:
        raise PayloadInvalid(Reason.NO_READINGS, "readings is empty")
    if len(entries) > MAX_READINGS:
        raise PayloadInvalid(Reason.TOO_MANY_READINGS, f"{len(entries)} readings, at most {MAX_READINGS}")
    if len(body) > 1:
        faults.append(Fault(Reason.UNKNOWN_QUANTITY, "beside readings: " + _names(k for k in body if k != "readings")))
    return entries


def _decode_reading(
    body: dict[str, Any], readings: list[Reading], faults: list[Fault], periods_s: Mapping[str, float]
) -> int:
    """Decode one reading object, and count the keys and strings that were met."""
    quoted = len(body)
    if quoted > MAX_KEYS:
        faults.append(Fault(Reason.TOO_MANY_READINGS, f"{quoted} keys in a reading, at most {MAX_KEYS}"))
        return quoted
    at = body.get("at", "")
    if type(at) is not str or len(at) > MAX_PROBE_LENGTH:
        faults.append(_twice("at") if at is TWICE else Fault(Reason.WRONG_TYPE, "at is not the name of a probe"))
        return quoted
    observed_at = body.get("observed_at", _ABSENT)
    if observed_at is _ABSENT:
        faults.append(Fault(Reason.NO_TIMESTAMP, "observed_at is absent"))
        return quoted
    try:
        observed_us = timestamp_us(observed_at)
    except PayloadInvalid as error:
        is_twice = observed_at is TWICE
        faults.append(_twice("observed_at") if is_twice else Fault(Reason(error.reason), error.detail))
        return quoted
    quoted += (type(observed_at) is str) + ("at" in body)
    seq = _seq_of(body, faults) if "seq" in body else None
    found = len(readings) + len(faults)
    for key, value in body.items():
        if key in _META_KEYS:
            continue
        if key in _PLAIN_NUMBERS and type(value) is float and -MAX_MAGNITUDE <= value <= MAX_MAGNITUDE:
            readings.append(_reading((observed_us, at, key, value, seq)))  # what nearly every reading is
            continue
        quoted += type(value) is str
        number, fault = _value_of(key, value, body)
        if key == _NEEDS_PERIOD and fault is None and body["period_s"] != periods_s.get(at, body["period_s"]):
            stated = f"{periods_s[at]:g}, as the site file states, not {body['period_s']:g}"
            fault = Fault(Reason.NO_PERIOD, f"{key} needs period_s {stated}")
        if fault is None:
            readings.append(Reading(observed_us, at, key, number, seq))
        else:
            faults.append(fault)
    if len(readings) + len(faults) == found:
        faults.append(Fault(Reason.NO_READINGS, "a reading without any quantity"))
    return quoted


def _twice(key: str) -> Fault:
    return Fault(Reason.REPEATED_KEY, f"{_names([key])} is there twice")


def _seq_of(body: dict[str, Any], faults: list[Fault]) -> int | None:
    seq = body["seq"]
    if type(seq) is int and 0 <= seq <= MAX_SEQ:
        return seq
    faults.append(_twice("seq") if seq is TWICE else Fault(Reason.OUT_OF_RANGE_SEQ, f"seq is {shown(seq)}"))
    return None


def _value_of(key: str, value: object, body: dict[str, Any]) -> tuple[float, Fault | None]:
    if value is TWICE:
        return 0.0, _twice(key)
    value_type = _value_type(key)
    if value_type == "number":
        return _number_of(key, value, body)
    fault = None
    number = 0.0
    if value_type == "boolean":
        if type(value) is bool:
            number = float(value)
        else:
            fault = Fault(Reason.WRONG_TYPE, f"{key} is not JSON true or false")
    elif value_type == "barrier_state":
        if type(value) is str and value in BARRIER_STATE_BY_WORD:
            number = float(BARRIER_STATE_BY_WORD[value])
        else:
            fault = Fault(Reason.WRONG_TYPE, f"{key} is none of {', '.join(BARRIER_STATE_BY_WORD)}")
    else:
        fault = Fault(Reason.UNKNOWN_QUANTITY, _names([key]))
    return number, fault


def _number_of(key: str, value: object, body: dict[str, Any]) -> tuple[float, Fault | None]:
    fault = None
    number = 0.0
    if type(value) is not float and type(value) is not int:
        fault = Fault(Reason.WRONG_TYPE, f"{key} is a JSON {type(value).__name__}, not a number")
    elif not -MAX_MAGNITUDE <= value <= MAX_MAGNITUDE:
        fault = Fault(Reason.OUT_OF_MAGNITUDE, f"{key} is {value!r}")
    elif key == _NEEDS_PERIOD and body.get("period_s") is TWICE:
        fault = _twice("period_s")
    elif key == _NEEDS_PERIOD and not _has_period(body):
        fault = Fault(Reason.NO_PERIOD, f"{key} needs period_s, above 0 and at most {MAX_PERIOD_S:.0f}")
    else:
        number = float(value)
    return number, fault


def _value_type(key: str) -> str | None:
    return _known_value_type(key) if len(key) <= MAX_QUANTITY_LENGTH else None


@lru_cache(maxsize=1024)
def _known_value_type(key: str) -> str | None:
    if key == "online":  # has a topic of its own
        return None
    found = QUANTITIES.get(key)
    if found is not None:
        return found.value_type
    is_stock = key.startswith(STOCK_PREFIX) and _STOCK_ITEM.fullmatch(key.removeprefix(STOCK_PREFIX))
    return "number" if is_stock else None


def _has_period(body: dict[str, Any]) -> bool:
    period_s = body.get("period_s")
    return (type(period_s) is float or type(period_s) is int) and 0 < period_s <= MAX_PERIOD_S


def _names(keys: Any) -> str:
    return ", ".join(repr(key[:MAX_PROBE_LENGTH]) for key in keys)[:400]


class _NotFinite(ValueError):
    """JSON as Python's ``json`` writes it: NaN or Infinity."""


def _refuse_constant(name: str) -> float:
    raise _NotFinite(name)


def _why_not_json(payload: bytes, message: str) -> PayloadInvalid:
    """Find the reason for a payload that orjson refused."""
    try:
        text = payload.decode()
    except UnicodeDecodeError as error:
        return PayloadInvalid(Reason.NOT_UTF8, f"byte {error.start} is not UTF-8")
    if "is infinity" in message:
        return PayloadInvalid(Reason.NOT_FINITE, message)
    try:
        json.loads(text, parse_constant=_refuse_constant, parse_int=float)
    except _NotFinite as error:
        return PayloadInvalid(Reason.NOT_FINITE, f"the payload holds {error}")
    except (ValueError, RecursionError):
        pass  # what is wrong with it is in `message` already
    return PayloadInvalid(Reason.NOT_JSON, message)
