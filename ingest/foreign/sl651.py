"""SL 651-2014 reports: test 30, timed 32, threshold 33, hourly 34, by hand 35, and answers 37 and 38. Pure.

Body: serial number 2 | send time 6 | ``F1 F1`` station 5, class 1 | ``F0 F0`` observation time 5 | elements. An element
is an identifier, a descriptor (high five bits: bytes; low three: decimals) and BCD digits; a first byte FF is a minus,
all bytes FF are no value. Times are Beijing time. Fields are the identifiers as two capital hexadecimal digits; ``F4``
is twelve times 5-minute rain in mm, ``F5`` to ``FC`` twelve 5-minute levels 1 to 8 in m, the last at the observation
time; of another length they are nothing, and no element of more than 16 digits is a number. The serial number is the
report's (`ingest.foreign.decoder` leaves it to the newest readings). The bits of the status word are
``45.mains_power`` and so on, each true when its name holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from ingest.foreign.parts import NO_VALUE, Part, Parts
from ingest.foreign.sl651_frame import KEEP_ALIVE, Frame, parse_frame
from ingest.reading import Fault
from ingest.reasons import Reason
from undercroft.errors import PayloadInvalid

REPORTS = frozenset({0x30, 0x32, 0x33, 0x34, 0x35, 0x37, 0x38})
_BEIJING = timedelta(hours=8)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_STEP_US = 300_000_000
_STEPS = 12
_TIME, _STATION, _TEXT, _PICTURE, _STATUS, _TIME_STEP = 0xF0, 0xF1, 0xF2, 0xF3, 0x45, 0x04
_ARRAYS = {0xF4: (1, 0.1)} | dict.fromkeys(range(0xF5, 0xFD), (2, 0.01))
"""Identifier -> bytes of each value, and what one count is. [mm], [m]"""
_MOST_BYTES = 9
"""Of a number: a minus and 16 digits; no element of the standard has as many."""

STATUS_BITS = {
    0: ("mains_power", True),
    1: ("battery_low", False),
    2: ("level_limit", False),
    6: ("level_gauge_fault", False),
    7: ("door_open", True),
    8: ("memory_fault", False),
    10: ("pump_running", True),
}
"""Bit of the status word -> name, and whether the name holds when the bit is 0."""


def decode_sl651(payload: bytes) -> Parts:
    """Decode one up frame. A keep-alive holds no part.

    Raises
    ------
    PayloadInvalid
        If it is no frame, or of a kind that is not read.
    """
    frame = parse_frame(payload)
    if frame.packets != 1:
        detail = f"packet {frame.packet} of {frame.packets}: several packets are not put together"
        raise PayloadInvalid(Reason.UNSUPPORTED_FRAME, detail)
    if frame.function == KEEP_ALIVE:
        return Parts([], [])
    if frame.function not in REPORTS:
        raise PayloadInvalid(Reason.UNSUPPORTED_FRAME, f"function {frame.function:02X} is no report that is read")
    report = _Report(frame)
    try:
        report.read()
    except PayloadInvalid as error:
        if not report.parts:
            raise
        report.faults.append(Fault(Reason(error.reason), error.detail))
    return Parts(report.parts, report.faults)


class _Report:
    """The body of a report, read from the left."""

    def __init__(self, frame: Frame) -> None:
        self.parts: list[Part] = []
        self.faults: list[Fault] = []
        self._station = frame.station
        self._serial = frame.serial
        self._body = frame.body
        self._position = 0
        self._observed_us: int | None = None

    def read(self) -> None:
        """Read the whole body, or as far as its structure can be followed."""
        self._take(8)
        while self._position < len(self._body):
            ident, descriptor = self._take(2)
            if ident == _TIME and descriptor == _TIME:
                self._observed_us = _beijing_us(self._take(5))
            elif ident == _STATION and descriptor == _STATION:
                self._note_station()
            elif ident in {_TEXT, _PICTURE, _TIME_STEP}:
                raise PayloadInvalid(Reason.UNSUPPORTED_FRAME, f"element {ident:02X} is not read, nor what follows it")
            else:
                self._element(ident, descriptor)
        if self._observed_us is None:
            raise PayloadInvalid(Reason.NO_TIMESTAMP, "no observation time, F0 F0")

    def _take(self, count: int) -> bytes:
        taken = self._body[self._position : self._position + count]
        if len(taken) < count:
            raise PayloadInvalid(Reason.BAD_FRAME, f"the body ends inside an element, after {len(self._body)} bytes")
        self._position += count
        return taken

    def _note_station(self) -> None:
        self._station = self._take(5).hex()
        if self._position < len(self._body) and self._body[self._position] != _TIME:
            self._take(1)  # class of the station, which time stamps follow

    def _element(self, ident: int, descriptor: int) -> None:
        raw = self._take(descriptor >> 3)
        name = f"{ident:02X}"
        if not raw:
            raise PayloadInvalid(Reason.BAD_FRAME, f"element {name} has no length")
        if self._observed_us is None:
            raise PayloadInvalid(Reason.NO_TIMESTAMP, f"element {name} before any observation time")
        if ident in _ARRAYS:
            self._array(ident, raw, self._observed_us)
        elif ident == _STATUS:
            for field, holds in _status(raw):
                self._add(field, self._observed_us, NO_VALUE if set(raw) == {0xFF} else holds, of=name)
        elif len(raw) > _MOST_BYTES:
            self.faults.append(Fault(Reason.UNSUPPORTED_FRAME, f"element {name} of {len(raw)} bytes is not read"))
        elif set(raw) == {0xFF}:
            self._add(name, self._observed_us, NO_VALUE)
        else:
            value = _bcd(raw, descriptor & 7)
            if value is None:
                self.faults.append(Fault(Reason.WRONG_TYPE, f"element {name} is {raw.hex()}, not BCD"))
            else:
                self._add(name, self._observed_us, value)

    def _array(self, ident: int, raw: bytes, observed_us: int) -> None:
        width, unit = _ARRAYS[ident]
        if len(raw) != width * _STEPS:
            self.faults.append(Fault(Reason.BAD_FRAME, f"element {ident:02X} has {len(raw)} bytes"))
            return
        values = [raw[step * width : (step + 1) * width] for step in range(_STEPS)]
        for step, value in enumerate(values):
            said = NO_VALUE if set(value) == {0xFF} else round(int.from_bytes(value) * unit, 2)
            at_us = observed_us - (_STEPS - 1 - step) * _STEP_US
            self._add(f"{ident:02X}", at_us, said)

    def _add(self, field: str, observed_us: int, value: object, of: str | None = None) -> None:
        self.parts.append(Part(self._station, field, observed_us, value, seq=self._serial, of=of))


def _beijing_us(raw: bytes) -> int:
    """Read ``yyMMddHHmm`` in BCD. [µs since 1970]"""
    digits = raw.hex()
    try:
        year, month, day, hour, minute = (int(digits[at : at + 2], 10) for at in range(0, 10, 2))
        local = datetime(2000 + year, month, day, hour, minute, tzinfo=UTC)
    except ValueError:
        raise PayloadInvalid(Reason.BAD_TIMESTAMP, f"observation time {digits} is no yyMMddHHmm") from None
    return (local - _BEIJING - _EPOCH) // timedelta(microseconds=1)


def _bcd(raw: bytes, decimals: int) -> float | None:
    is_negative = raw[0] == 0xFF
    digits = raw[is_negative:].hex()
    if not digits.isdecimal():
        return None
    # A text of digits is read to the nearest double, which a product with 0.001 is not.
    return float(f"{'-' if is_negative else ''}{digits}e-{decimals}")


def _status(raw: bytes) -> Iterator[tuple[str, bool]]:
    word = int.from_bytes(raw)
    for bit, (name, holds_at_0) in STATUS_BITS.items():
        yield f"45.{name}", bool(word >> bit & 1) != holds_at_0
