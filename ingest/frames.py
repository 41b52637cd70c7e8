"""Cut the byte stream of an MQTT 3.1.1 connection into messages, many at a time. Pure.

paho-mqtt makes the connection, signs in and asks for the subscriptions; from the CONNACK on `ingest.session` reads the
socket in large pieces, because three calls to ``recv`` per message are most of the cost of a message.
"""

from __future__ import annotations

from collections.abc import Iterable

from ingest.batch import Message
from ingest.decode_native import MAX_PAYLOAD_BYTES
from undercroft.mqtt_frames import ProtocolBroken

_PUBLISH = 0x30
_DUP = 0x08
_PINGRESP = 0xD0
_SUBACK = 0x90
SUBSCRIPTION_REFUSED = 0x80
_CONTINUES = 0x80
_MAX_LENGTH_BYTES = 4
MAX_FRAME_BYTES = MAX_PAYLOAD_BYTES + 65_536 + 4
"""The longest payload that is read, under the longest topic. Of a longer frame the beginning is kept, which is too long
itself: so it is buried and acknowledged, and nobody fills the memory."""


class FrameReader:
    """Holds the bytes of the frame that has not arrived whole."""

    def __init__(self) -> None:
        self._rest = b""
        self._to_skip = 0
        self._too_long: Message | None = None
        self.pings_answered = 0
        self.granted: bytes | None = None
        """Return codes of the SUBACK, one per filter."""

    def feed(self, chunk: bytes, received_us: int) -> list[Message]:
        """Take bytes and return the messages that are complete now, in order.

        Raises
        ------
        ProtocolBroken
            If they are no MQTT.
        """
        messages: list[Message] = []
        if self._to_skip:
            chunk = self._skip(chunk, messages)
        data = self._rest + chunk if self._rest else chunk
        position, end = 0, len(data)
        while end - position >= 2:
            head, length, body = data[position], data[position + 1], position + 2
            if length >= _CONTINUES:
                length, body = _long_length(data, position + 1)
                if body == 0:
                    break
            stop = body + length
            if length > MAX_FRAME_BYTES:
                if body + MAX_FRAME_BYTES > end:
                    break
                if head & 0xF0 == _PUBLISH:
                    self._too_long = _publish(data, head, body, body + MAX_FRAME_BYTES, received_us)
                self._to_skip = stop - body - MAX_FRAME_BYTES
                data = self._skip(data[body + MAX_FRAME_BYTES :], messages)
                position, end = 0, len(data)
                continue
            if stop > end:
                break
            if head & 0xF0 == _PUBLISH:
                messages.append(_publish(data, head, body, stop, received_us))
            elif head == _PINGRESP:
                self.pings_answered += 1
            elif head == _SUBACK:
                self.granted = data[body + 2 : stop]
            position = stop
        self._rest = data[position:]
        return messages

    def _skip(self, chunk: bytes, messages: list[Message]) -> bytes:
        """Pass over the end of a frame that is too long; its beginning is the message once all of it has come."""
        skipped = min(self._to_skip, len(chunk))
        self._to_skip -= skipped
        if not self._to_skip and self._too_long is not None:
            messages.append(self._too_long)
            self._too_long = None
        return chunk[skipped:]


def _publish(data: bytes, head: int, body: int, stop: int, received_us: int) -> Message:
    topic_end = body + 2 + (data[body] << 8 | data[body + 1]) if stop - body >= 2 else stop + 1
    qos = head >> 1 & 3
    start = topic_end + 2 if qos else topic_end
    if start > stop:
        raise ProtocolBroken
    mid = data[topic_end] << 8 | data[topic_end + 1] if qos else 0
    return Message(
        data[body + 2 : topic_end], data[start:stop], mid, qos, bool(head & 1), received_us, bool(head & _DUP)
    )


def _long_length(data: bytes, start: int) -> tuple[int, int]:
    """Read a remaining length of several bytes; ``(0, 0)`` if it has not arrived whole."""
    length = 0
    for place, byte in enumerate(data[start : start + _MAX_LENGTH_BYTES]):
        length |= (byte & 0x7F) << 7 * place
        if byte < _CONTINUES:
            return length, start + place + 1
    if len(data) - start >= _MAX_LENGTH_BYTES:
        raise ProtocolBroken
    return 0, 0


def pubacks(mids: Iterable[int]) -> bytes:
    """Return the acknowledgements of these packet identifiers, in order."""
    return b"".join([b"\x40\x02" + mid.to_bytes(2) for mid in mids])
