"""What a device is about to send, and its bytes. Written by hand: a run makes some 170,000 of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Value:
    """One quantity with its value as JSON text."""

    at: str | None
    quantity: str
    text: str


@dataclass(frozen=True, slots=True)
class Sent:
    """One message of a device: all its values of one instant.

    Attributes
    ----------
    observed_s : int
        The device's time, seconds since 1970. [s]
    """

    device: str
    observed_s: int
    values: tuple[Value, ...]


def burst_of(buffered: Sequence[Sent]) -> bytes:
    """Return one message of what a device has kept over several instants, oldest first.

    Examples
    --------
    >>> burst_of([Sent("d", 0, (Value(None, "rain_total_mm", "1.0"),))])
    b'{"readings":[{"observed_at":"1970-01-01T00:00:00Z","rain_total_mm":1.0}]}'
    """
    return f'{{"readings":[{",".join(reading for sent in buffered for reading in _readings(sent))}]}}'.encode()


def payload_of(sent: Sent) -> bytes:
    """Return the message: one reading object, or a list of them where a device serves several probes.

    Examples
    --------
    >>> payload_of(Sent("d", 0, (Value(None, "water_depth_m", "0.120"), Value(None, "pump_running", "true"))))
    b'{"observed_at":"1970-01-01T00:00:00Z","water_depth_m":0.120,"pump_running":true}'
    """
    readings = _readings(sent)
    return (readings[0] if len(readings) == 1 else f'{{"readings":[{",".join(readings)}]}}').encode()


def _readings(sent: Sent) -> list[str]:
    head = f'{{"observed_at":"{time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(sent.observed_s))}"'
    groups: dict[str | None, list[str]] = {}
    for value in sent.values:
        groups.setdefault(value.at, []).append(f'"{value.quantity}":{value.text}')
    return [
        f"{head},{','.join(fields)}}}" if at is None else f'{head},"at":"{at}",{",".join(fields)}}}'
        for at, fields in groups.items()
    ]
