"""SenML JSON packs, RFC 8428. Pure.

Resolution (section 4.6): base name + name, base time + time, base unit where the record has none, base value + value.
Times below 2**28 s are relative to now, which is the time of receipt (section 4.5.3); such a message delivered again is
known by its delivery (`undercroft.store.receipts`). Devices with a clock should send absolute times.
A base value applies to ``v`` only. A base field that cannot be read makes every record unreadable that needs it, until
the next one of its kind: what follows must not be taken for another device's, or another time's. Sums (``s``), strings
(``vs``) and data (``vd``) are not readings.
"""

from __future__ import annotations

import math
import re
from typing import Any

from ingest.decode_native import MAX_KEYS, MAX_PROBE_LENGTH, MAX_READINGS, load_json
from ingest.foreign.parts import Part, Parts
from ingest.reading import Fault
from ingest.reasons import Reason
from ingest.repeated_keys import TWICE
from ingest.timestamps import MAX_EPOCH_MS
from undercroft.errors import PayloadInvalid

RELATIVE_BELOW_S = 2**28
"""A resolved time below this is relative to now. RFC 8428 section 4.5.3. [s]"""

VERSION = 10
_MAX_NAME = 255
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-:./_]*", re.ASCII)
_BASE_KEYS = frozenset({"bn", "bt", "bu", "bv", "bs", "bver"})
_VALUE_KEYS = ("v", "vb", "vs", "vd")
"""One of them at most; a sum ``s`` may stand beside it, or alone (section 4.3)."""


def decode_senml(payload: bytes, received_us: int, device: str | None = None) -> Parts:
    """Decode a SenML pack.

    Parameters
    ----------
    payload : bytes
        A JSON array of records.
    received_us : int
        What relative times refer to. [µs since 1970]
    device : str, optional
        The device, where the topic names it: the whole name is then the field. Otherwise the name up to its last
        ``/`` or ``:`` is the device, and the rest the field.

    Raises
    ------
    PayloadInvalid
        If it is no array of records, or of a later version of SenML.
    """
    records = load_json(payload)
    if type(records) is not list:
        raise PayloadInvalid(Reason.NOT_OBJECT, f"a SenML pack is a JSON array, not {type(records).__name__}")
    if not records:
        raise PayloadInvalid(Reason.NO_READINGS, "the pack is empty")
    if len(records) > MAX_READINGS:
        raise PayloadInvalid(Reason.TOO_MANY_READINGS, f"{len(records)} records, at most {MAX_READINGS}")
    pack = _Pack(received_us, device)
    for record in records:
        pack.add(record)
    if not pack.parts and not pack.faults:
        raise PayloadInvalid(Reason.NO_READINGS, "no record has a value")
    return Parts(pack.parts, pack.faults, pack.by_receipt)


class _Broken(Exception):
    """A record that cannot be resolved."""

    def __init__(self, reason: Reason, detail: str) -> None:
        self.fault = Fault(reason, detail)

    @classmethod
    def type_of(cls, key: str, value: object) -> _Broken:
        """Say that a field is not of its type, or there twice."""
        if value is TWICE:
            return cls(Reason.REPEATED_KEY, f"{key!r} is there twice")
        return cls(Reason.WRONG_TYPE, f"{key} is a JSON {type(value).__name__}")


class _Pack:
    """The base fields as they stand, and what was resolved with them."""

    def __init__(self, received_us: int, device: str | None) -> None:
        self.parts: list[Part] = []
        self.faults: list[Fault] = []
        self.by_receipt = False
        self._received_us = received_us
        self._device = device
        self._base: dict[str, Any] = {}

    def add(self, record: object) -> None:
        try:
            fields = _object(record)
            self._take_base(fields)
            self._resolve(fields)
        except _Broken as error:
            self.faults.append(error.fault)

    def _take_base(self, record: dict[str, Any]) -> None:
        for key in sorted(_BASE_KEYS & record.keys()):  # in one order: what comes again must be read the same
            expected = str if key in {"bn", "bu"} else (int, float)
            is_sound = isinstance(record[key], expected) and not isinstance(record[key], bool)
            if not is_sound and key == "bver":
                raise PayloadInvalid(*_Broken.type_of(key, record[key]).fault)
            self._base[key] = record[key] if is_sound else _Broken.type_of(key, record[key])
        if self._base.get("bver", VERSION) > VERSION:
            raise PayloadInvalid(Reason.WRONG_TYPE, f"SenML version {self._base['bver']}, at most {VERSION} is read")
        for key in sorted(_BASE_KEYS & record.keys()):
            self._of_base(key, None)

    def _of_base(self, key: str, otherwise: Any) -> Any:
        """Return a base field; one that could not be read makes every record that needs it unreadable."""
        found = self._base.get(key, otherwise)
        if isinstance(found, _Broken):
            raise _Broken(found.fault.reason, found.fault.detail)
        return found

    def _resolve(self, record: dict[str, Any]) -> None:
        must = [key for key in record if key.endswith("_")]
        if must:  # section 4.4: a name that ends in _ must be understood
            raise _Broken(Reason.UNKNOWN_FIELD, f"{must[0][:MAX_PROBE_LENGTH]!r} must be understood, and is not")
        found = [key for key in _VALUE_KEYS if key in record]
        if not found and "s" in record:
            found = ["s"]
        if not found:
            if record.keys() <= _BASE_KEYS:
                return
            raise _Broken(Reason.NO_READINGS, "a record without a value")
        name = self._name_of(record)
        if len(found) > 1 or found[0] not in {"v", "vb"}:
            raise _Broken(Reason.WRONG_TYPE, f"{name[:_MAX_NAME]} has {', '.join(found)}, not one of v and vb")
        device, field = (self._device, name) if self._device is not None else _split(name)
        unit = record["u"] if "u" in record else self._of_base("bu", None)
        if unit is not None and type(unit) is not str:
            raise _Broken.type_of("u", unit)
        value = self._number(record, "v", "bv") if found[0] == "v" else record["vb"]
        if value is TWICE:
            raise _Broken.type_of("vb", value)
        self.parts.append(Part(device, field, self._time_of(record), value, unit=unit))

    def _name_of(self, record: dict[str, Any]) -> str:
        own = record.get("n", "")
        if type(own) is not str:
            raise _Broken.type_of("n", own)
        name: str = self._of_base("bn", "") + own
        if not name or len(name) > _MAX_NAME or _NAME.fullmatch(name) is None:
            raise _Broken(Reason.NO_DEVICE, f"{name[:MAX_PROBE_LENGTH]!r} is no SenML name")
        return name

    def _number(self, record: dict[str, Any], key: str, base: str) -> float:
        value = record.get(key, 0)
        if type(value) is not int and type(value) is not float:
            raise _Broken.type_of(key, value)
        try:
            total = float(value) + float(self._of_base(base, 0))
        except OverflowError:
            total = math.inf
        if not math.isfinite(total):
            raise _Broken(Reason.OUT_OF_MAGNITUDE, f"{base} + {key} is no finite number")
        return total

    def _time_of(self, record: dict[str, Any]) -> int:
        time_s = self._number(record, "t", "bt")
        if abs(time_s) > MAX_EPOCH_MS / 1000:
            raise _Broken(Reason.BAD_TIMESTAMP, f"bt + t is {time_s!r}")
        time_us = round(time_s * 1_000_000)
        if time_s >= RELATIVE_BELOW_S:
            return time_us
        self.by_receipt = True
        return self._received_us + time_us


def _object(record: object) -> dict[str, Any]:
    if not isinstance(record, dict):
        raise _Broken(Reason.NOT_OBJECT, f"a record is a JSON {type(record).__name__}")
    if len(record) > MAX_KEYS:
        raise _Broken(Reason.TOO_MANY_READINGS, f"{len(record)} keys in a record, at most {MAX_KEYS}")
    return record


def _split(name: str) -> tuple[str, str]:
    cut = max(name.rfind("/"), name.rfind(":"))
    if cut < 1 or cut == len(name) - 1:
        raise _Broken(Reason.NO_DEVICE, f"{name[:MAX_PROBE_LENGTH]!r} does not name device and field")
    return name[:cut], name[cut + 1 :]
