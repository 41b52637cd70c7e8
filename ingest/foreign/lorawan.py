"""Uplinks of LoRaWAN network servers as JSON: ChirpStack v4 and The Things Stack v3.

Both carry what the server's own codec made of the frame, as an object; a frame without a codec has none. The devices
have no clock: the time is the network server's at reception. ChirpStack: event ``up`` of the MQTT integration
(chirpstack.io/docs, integrations, events). The Things Stack: "Data formats", uplink messages; the server leaves out
fields that are empty. It marks with ``simulated`` what its console's simulation of uplinks made: no device measured it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ingest.decode_native import MAX_SEQ, load_object
from ingest.foreign.parts import Part, Parts, flattened, value_at
from ingest.reading import Fault, shown
from ingest.reasons import Reason
from ingest.repeated_keys import TWICE
from ingest.timestamps import rfc3339_us
from undercroft.errors import PayloadInvalid


class _Form(NamedTuple):
    device: str
    times: tuple[str, ...]
    """Where the time stands; the first that is there counts."""
    values: str
    seq: str


CHIRPSTACK_DEVICE, TTN_DEVICE = "deviceInfo.devEui", "end_device_ids.device_id"
"""Where the device's name stands, unless the site file says otherwise."""
_CHIRPSTACK = _Form(CHIRPSTACK_DEVICE, ("time",), "object", "fCnt")
_TTN = _Form(
    TTN_DEVICE,
    ("uplink_message.received_at", "received_at"),
    "uplink_message.decoded_payload",
    "uplink_message.f_cnt",
)


def decode_chirpstack(payload: bytes, device_field: str | None = None) -> Parts:
    """Decode a ChirpStack v4 uplink event.

    Raises
    ------
    PayloadInvalid
        If it names no device or no time, or holds no decoded object.
    """
    return _decode(payload, _CHIRPSTACK, device_field)


def decode_ttn(payload: bytes, device_field: str | None = None) -> Parts:
    """Decode an uplink message of The Things Stack v3.

    Raises
    ------
    PayloadInvalid
        If it names no device or no time, holds no decoded payload, or is simulated.
    """
    return _decode(payload, _TTN, device_field)


def _decode(payload: bytes, form: _Form, device_field: str | None) -> Parts:
    body = load_object(payload)
    if _once(body, "simulated") is True:
        raise PayloadInvalid(Reason.SIMULATED, "the network server's console made this uplink up, no device")
    device = _once(body, device_field or form.device)
    if not isinstance(device, str) or not device:
        raise PayloadInvalid(Reason.NO_DEVICE, f"{device_field or form.device} is no name")
    observed_us = _time_of(body, form)
    values = _once(body, form.values)
    if not isinstance(values, dict) or not values:
        raise PayloadInvalid(Reason.NO_READINGS, f"no {form.values}: the network server has no codec for this device")
    leaves = flattened(values)
    faults: list[Fault] = []
    seq = _seq_of(value_at(body, form.seq), form.seq, faults)
    return Parts([Part(device, field, observed_us, value, seq=seq) for field, value in leaves.items()], faults)


def _once(body: dict[str, Any], path: str) -> object:
    value = value_at(body, path)
    if value is TWICE:
        raise PayloadInvalid(Reason.REPEATED_KEY, f"{path!r} is there twice")
    return value


def _time_of(body: dict[str, Any], form: _Form) -> int:
    for path in form.times:
        text = _once(body, path)
        if text is not None:
            if not isinstance(text, str):
                raise PayloadInvalid(Reason.BAD_TIMESTAMP, f"{path} is a JSON {type(text).__name__}")
            return rfc3339_us(text)
    raise PayloadInvalid(Reason.NO_TIMESTAMP, f"{' and '.join(form.times)}: absent")


def _seq_of(seq: object, name: str, faults: list[Fault]) -> int | None:
    if seq is None or (type(seq) is int and 0 <= seq <= MAX_SEQ):
        return seq
    is_twice = seq is TWICE
    detail = f"{name!r} is there twice" if is_twice else f"{name} is {shown(seq)}"
    faults.append(Fault(Reason.REPEATED_KEY if is_twice else Reason.OUT_OF_RANGE_SEQ, detail))
    return None
