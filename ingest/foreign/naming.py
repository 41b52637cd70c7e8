"""Which device a foreign message is of, even where nothing else of it can be read, so that its letter is found."""

from __future__ import annotations

from ingest.decode_native import load_object
from ingest.foreign.lorawan import CHIRPSTACK_DEVICE, TTN_DEVICE
from ingest.foreign.parts import value_at
from ingest.foreign.sl651_frame import parse_frame
from undercroft.errors import PayloadInvalid
from undercroft.site.model import DecoderKind

_DEVICE_FIELDS = {DecoderKind.CHIRPSTACK: CHIRPSTACK_DEVICE, DecoderKind.TTN: TTN_DEVICE}


def named_in(kind: DecoderKind, payload: bytes, device_field: str | None) -> str | None:
    """Return the device that a payload names before anything that may be wrong with it; None where it names none."""
    try:
        if kind is DecoderKind.SL651:
            return parse_frame(payload).station
        if kind in _DEVICE_FIELDS:
            name = value_at(load_object(payload), device_field or _DEVICE_FIELDS[kind])
            return name if isinstance(name, str) and name else None
    except PayloadInvalid:
        return None
    return None
