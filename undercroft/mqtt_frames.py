"""What a bulk publisher writes on an MQTT 3.1.1 connection, and how it counts the answers. Pure.

paho-mqtt makes the connection and signs in; from then on it would cost a call to ``send`` and some objects for each
message, and as much again for its acknowledgement (decision 0006).
"""

from __future__ import annotations

from undercroft.errors import UndercroftError

PINGREQ = b"\xc0\x00"
PACKET_IDENTIFIERS = 65_535
_PUBLISH_QOS1 = 0x32
_RETAIN = 0x01
_PUBACK = b"\x40\x02"
_PINGRESP = b"\xd0\x00"


class ProtocolBroken(UndercroftError):
    """The broker sent bytes that are not MQTT 3.1.1, or not for whom they came to."""


def publish_frame(topic: str, payload: bytes, number: int, *, retain: bool = False) -> bytes:
    """Return a PUBLISH at QoS 1; ``number`` counts messages from 1 and gives the packet identifier.

    Examples
    --------
    >>> publish_frame("a/b", b"hi", 10).hex(" ")
    '32 09 00 03 61 2f 62 00 0a 68 69'
    """
    name = topic.encode()
    identifier = (number - 1) % PACKET_IDENTIFIERS + 1
    body = b"%b%b%b%b" % (len(name).to_bytes(2), name, identifier.to_bytes(2), payload)
    return b"%c%b%b" % (_PUBLISH_QOS1 | _RETAIN if retain else _PUBLISH_QOS1, remaining_length(len(body)), body)


def remaining_length(count: int) -> bytes:
    """Return a length in the variable form of MQTT 3.1.1, section 2.2.3.

    Examples
    --------
    >>> remaining_length(127).hex(), remaining_length(321).hex(" ")
    ('7f', 'c1 02')
    """
    out = bytearray()
    while count > 127:
        out.append(count & 127 | 128)
        count >>= 7
    out.append(count)
    return bytes(out)


class AnswerReader:
    """Counts the acknowledgements in what a broker sends to a client that only publishes."""

    def __init__(self) -> None:
        self._rest = b""
        self.pings_answered = 0

    def feed(self, chunk: bytes) -> int:
        """Take bytes; return how many messages they acknowledge.

        Raises
        ------
        ProtocolBroken
            If they are anything but PUBACK and PINGRESP.
        """
        data = self._rest + chunk
        acknowledged = position = 0
        while position + 2 <= len(data):
            head = data[position : position + 2]
            if head == _PUBACK:
                if position + 4 > len(data):
                    break
                acknowledged += 1
                position += 4
            elif head == _PINGRESP:
                self.pings_answered += 1
                position += 2
            else:
                raise ProtocolBroken(f"broker: expected PUBACK or PINGRESP, got the bytes {head.hex(' ')}")
        self._rest = data[position:]
        return acknowledged
