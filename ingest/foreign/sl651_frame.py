"""SL 651-2014 frames in HEX/BCD coding: cut from a stream, checked, read, confirmed. Pure.

Up: ``7E7E | centre 1 | station 5 | password 2 | function 1 | direction and length 2 | STX | body | ETX or ETB | CRC``.
The high four bits of the length are 0 up and 8 down, the low twelve count the body. Down, the station stands before the
centre. The check sum is the CRC-16 of all bytes before it, polynomial x^16 + x^15 + x^2 + 1, first value FFFF, bits
reflected, high byte first. Of several packets each starts with SYN and three bytes of total and index instead of STX.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ingest.reasons import Reason
from undercroft.errors import PayloadInvalid

START = b"\x7e\x7e"
_STX, _SYN, _ETX, _ETB = 0x02, 0x16, 0x03, 0x17
HEAD_BYTES = 14
_PACKET_BYTES = 3
_TAIL_BYTES = 3
_DOWN = 0x8
MAX_BODY_BYTES = 4095
MAX_FRAME_BYTES = HEAD_BYTES + _PACKET_BYTES + MAX_BODY_BYTES + _TAIL_BYTES
KEEP_ALIVE = 0x2F
_SERIAL_AND_TIME_BYTES = 8


class Ending(Enum):
    """How the centre ends a confirmation of link M2."""

    EOT = 0x04
    """The station may go to sleep."""
    ACK = 0x06
    """Received; the station may send its next packet."""
    ESC = 0x1B
    """The station shall stay on the line."""


@dataclass(frozen=True, slots=True)
class Frame:
    """An up frame whose check sum is right."""

    centre: int
    station: str
    """Ten hexadecimal digits, in lower case: three bytes of BCD for the area, two of number."""
    password: bytes
    function: int
    packets: int
    """Of how many packets this is one; 1 without SYN."""
    packet: int
    """Its index, from 1."""
    body: bytes

    @property
    def serial(self) -> int | None:
        """Serial number; None where the body is too short for one, or goes on from an earlier packet."""
        return int.from_bytes(self.body[:2]) if self.packet == 1 and len(self.body) >= _SERIAL_AND_TIME_BYTES else None


def crc16(data: bytes) -> int:
    """Return the check sum of SL 651 frames.

    Examples
    --------
    A published keep-alive frame ends in 6BCA:

    >>> f"{crc16(bytes.fromhex('7E7E01001234567812342F00080200035910111551' '1103')):04X}"
    '6BCA'
    """
    remainder = 0xFFFF
    for byte in data:
        remainder = (remainder >> 8) ^ CRC_TABLE[(remainder ^ byte) & 0xFF]
    return remainder


def _crc_entry(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ 0xA001 if byte & 1 else byte >> 1
    return byte


CRC_TABLE = tuple(_crc_entry(byte) for byte in range(256))


def parse_frame(data: bytes) -> Frame:
    """Read one whole up frame.

    Raises
    ------
    PayloadInvalid
        With reason ``bad_frame`` if it is not exactly one.
    """
    lengths = frame_lengths(data)
    if not lengths:
        raise PayloadInvalid(Reason.BAD_FRAME, f"{len(data)} bytes that begin no up frame of SL 651")
    if len(data) not in lengths:
        raise PayloadInvalid(Reason.BAD_FRAME, f"{len(data)} bytes, and the header says {lengths[0]}")
    if crc16(data[:-2]) != int.from_bytes(data[-2:]):
        raise PayloadInvalid(Reason.BAD_FRAME, f"check sum {data[-2:].hex()}, not {crc16(data[:-2]):04x}")
    if data[-_TAIL_BYTES] not in {_ETX, _ETB}:
        raise PayloadInvalid(Reason.BAD_FRAME, f"the body ends with {data[-_TAIL_BYTES]:02X}, not 03 or 17")
    body = data[HEAD_BYTES:-_TAIL_BYTES]
    packets, packet = 1, 1
    if data[HEAD_BYTES - 1] == _SYN:
        numbers = int.from_bytes(body[:_PACKET_BYTES])
        packets, packet, body = numbers >> 12, numbers & 0xFFF, body[_PACKET_BYTES:]
    return Frame(data[2], data[3:8].hex(), data[8:10], data[10], packets, packet, body)


def frame_lengths(data: bytes) -> tuple[int, ...] | None:
    """Return how long the frame that begins here may be, () if too little is there, None if none can begin here.

    Whether the length of a packet counts its three bytes of total and index is not said clearly: both are tried.
    """
    if not START.startswith(data[:2]):
        return None
    if len(data) < HEAD_BYTES:
        return ()
    length = int.from_bytes(data[11:13])
    body, mark = length & 0xFFF, data[13]
    if length >> 12 != 0 or not body or mark not in {_STX, _SYN}:
        return None
    whole = HEAD_BYTES + body + _TAIL_BYTES
    return (whole,) if mark == _STX else (whole + _PACKET_BYTES, whole)


def confirmation(frame: Frame, ending: Ending) -> bytes:
    """Return the down frame that confirms an up frame: its serial number and send time, sent back."""
    body = frame.body[:_SERIAL_AND_TIME_BYTES]
    head = START + bytes.fromhex(frame.station) + bytes([frame.centre]) + frame.password + bytes([frame.function])
    data = head + (_DOWN << 12 | len(body)).to_bytes(2) + bytes([_STX]) + body + bytes([ending.value])
    return data + crc16(data).to_bytes(2)
