"""A decoder of the site data at work: which format, which device, which quantity. Pure."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from ingest.decode_native import MAX_MAGNITUDE, MAX_PROBE_LENGTH
from ingest.foreign.lorawan import decode_chirpstack, decode_ttn
from ingest.foreign.naming import named_in
from ingest.foreign.parts import NO_VALUE, Part, Parts
from ingest.foreign.senml import decode_senml
from ingest.foreign.sl651 import decode_sl651
from ingest.reading import Fault, shown
from ingest.reasons import Reason
from ingest.repeated_keys import TWICE
from undercroft.errors import PayloadInvalid
from undercroft.model import Reading
from undercroft.quantities import BARRIER_STATE_BY_WORD, quantity_of
from undercroft.site.model import Decoder, DecoderKind, FieldMap


class Told(NamedTuple):
    """A reading of a device of the site data."""

    device_id: str
    reading: Reading


class Translated(NamedTuple):
    """What a foreign message holds, in the words of the site data."""

    told: list[Told]
    faults: list[Fault]
    by_receipt: bool
    """A time of it is relative to the receipt of the message."""


class ForeignDecoder:
    """Reads the messages of one ``[[decoder]]``."""

    def __init__(self, definition: Decoder) -> None:
        self.definition = definition
        self._devices = {entry.key.lower(): entry.device for entry in definition.devices}
        self._fields = {entry.field: entry for entry in definition.fields}
        self._ignored = frozenset(definition.ignore)
        self._mapped_words = frozenset(name.split(".", maxsplit=1)[0] for name in self._fields)

    @property
    def may_say_no_time(self) -> bool:
        """Its messages may have times relative to their receipt."""
        return self.definition.kind is DecoderKind.SENML

    def decode(self, topic: str, payload: bytes, received_us: int) -> Translated:
        """Decode a message.

        Parameters
        ----------
        topic : str
            As the foreign network published it.
        payload : bytes
            Of the decoder's kind.
        received_us : int
            What relative times refer to. [µs since 1970]

        Raises
        ------
        PayloadInvalid
            If nothing of it can be used.
        """
        found = self._parts(topic, payload, received_us)
        told: list[Told] = []
        faults = list(found.faults)
        for part in found.parts:
            mapping = self._mapping(part, faults)
            if mapping is None:
                continue
            value, fault = _value(part, mapping)
            if fault is not None:
                faults.append(fault)
                continue
            reading = Reading(part.observed_us, mapping.at or "", mapping.quantity, value, part.seq)
            told.append(Told(self._device_id(part.device), reading))
        return Translated(_numbered_once(told), faults, found.by_receipt)

    def names(self, topic: str, payload: bytes, received_us: int) -> frozenset[str]:
        """Return the devices that topic or payload name, also of a message that cannot be used."""
        named: set[str | None] = {named_in(self.definition.kind, payload, self.definition.device_field)}
        with suppress(PayloadInvalid):  # what is wrong is told by `decode`
            named.add(self._device_of(topic))
            named |= {part.device for part in self._parts(topic, payload, received_us).parts}
        return frozenset(self._device_id(name)[:MAX_PROBE_LENGTH] for name in named if name is not None)

    def _parts(self, topic: str, payload: bytes, received_us: int) -> Parts:
        definition = self.definition
        by_kind: dict[DecoderKind, Callable[[], Parts]] = {
            DecoderKind.SENML: lambda: decode_senml(payload, received_us, self._device_of(topic)),
            DecoderKind.CHIRPSTACK: lambda: decode_chirpstack(payload, definition.device_field),
            DecoderKind.TTN: lambda: decode_ttn(payload, definition.device_field),
            DecoderKind.SL651: lambda: decode_sl651(payload),
        }
        return by_kind[definition.kind]()

    def _device_of(self, topic: str) -> str | None:
        level = self.definition.device_level
        if level is None:
            return None
        levels = topic.split("/")
        if level > len(levels) or not levels[level - 1]:
            raise PayloadInvalid(Reason.NO_DEVICE, f"the topic has no level {level}")
        return levels[level - 1]

    def _device_id(self, key: str) -> str:
        return self._devices.get(key.lower(), key.lower())

    def _mapping(self, part: Part, faults: list[Fault]) -> FieldMap | None:
        found = self._fields.get(part.field)
        if found is None:
            is_other_bit = part.of is not None and part.of in self._mapped_words
            name = part.of or part.field
            if name not in self._ignored and part.field not in self._ignored and not is_other_bit:
                faults.append(Fault(Reason.UNKNOWN_FIELD, f"{name[:MAX_PROBE_LENGTH]!r} of {_short(part.device)}"))
        elif found.unit is not None and part.unit != found.unit:
            said = "no unit" if part.unit is None else repr(part.unit[:MAX_PROBE_LENGTH])
            faults.append(Fault(Reason.WRONG_UNIT, f"{found.field!r} of {_short(part.device)} has {said}"))
            found = None
        return found


def _numbered_once(told: list[Told]) -> list[Told]:
    """Leave the serial number to the newest readings: one at two times says that a device repeats itself."""
    newest_us = max((reading.observed_us for _, reading in told), default=0)
    return [
        Told(device_id, reading if reading.observed_us == newest_us else reading._replace(seq=None))
        for device_id, reading in told
    ]


def _short(device: str) -> str:
    return repr(device[:MAX_PROBE_LENGTH])


def _value(part: Part, mapping: FieldMap) -> tuple[float, Fault | None]:
    if part.value is NO_VALUE:
        return 0.0, Fault(Reason.NO_VALUE, f"{mapping.field!r} of {_short(part.device)} has no value")
    if part.value is TWICE:
        return 0.0, Fault(Reason.REPEATED_KEY, f"{mapping.field!r} of {_short(part.device)} is there twice")
    quantity = quantity_of(mapping.quantity)
    kind = "number" if quantity is None else quantity.value_type
    value = part.value
    if kind == "number" and (type(value) is float or type(value) is int):
        return _scaled(value, mapping)
    if kind == "boolean" and (type(value) is bool or (type(value) in {int, float} and value in {0, 1})):
        return float(bool(value) != mapping.invert), None
    if kind == "barrier_state" and isinstance(value, str) and value in BARRIER_STATE_BY_WORD:
        return float(BARRIER_STATE_BY_WORD[value]), None
    detail = f"{mapping.field!r} is {shown(value)!r}, which is no {kind.replace('_', ' ')}"
    return 0.0, Fault(Reason.WRONG_TYPE, detail)


def _scaled(value: float, mapping: FieldMap) -> tuple[float, Fault | None]:
    scaled = value * mapping.scale + mapping.offset
    if not -MAX_MAGNITUDE <= scaled <= MAX_MAGNITUDE:
        return 0.0, Fault(Reason.OUT_OF_MAGNITUDE, f"{mapping.field!r} is {shown(value)}")
    return float(scaled), None
