"""MQTT 3.1.1 frames, cut at any place."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decode_native import MAX_PAYLOAD_BYTES
from ingest.frames import MAX_FRAME_BYTES, FrameReader, pubacks
from undercroft.mqtt_frames import ProtocolBroken


def _frame(topic: bytes, payload: bytes, qos: int, mid: int, *, retain: bool = False, again: bool = False) -> bytes:
    body = struct.pack("!H", len(topic)) + topic + (struct.pack("!H", mid) if qos else b"") + payload
    head, length = 0x30 | again << 3 | qos << 1 | retain, len(body)
    encoded = b""
    while True:
        length, low = length >> 7, length & 127
        encoded += bytes([low | (128 if length else 0)])
        if not length:
            return bytes([head]) + encoded + body


def test_a_publish_by_hand() -> None:
    # MQTT 3.1.1 section 3.3: head 0x33 is PUBLISH, QoS 1, retained; 0x3a is DUP, QoS 1; packet identifier 10.
    reader = FrameReader()
    (message,) = reader.feed(b"\x33\x09\x00\x03a/b\x00\x0ahi", 5)
    assert message == (b"a/b", b"hi", 10, 1, True, 5, False)
    (message,) = reader.feed(b"\x3a\x09\x00\x03a/b\x00\x0ahi", 5)
    assert message == (b"a/b", b"hi", 10, 1, False, 5, True)


def test_of_a_frame_that_is_too_long_the_beginning_comes_and_the_stream_goes_on() -> None:
    """So that it can be buried and acknowledged; nothing of its end is kept."""
    body = MAX_FRAME_BYTES * 8
    stream = _frame(b"t", b"a", 1, 1) + _frame(b"long", bytes(body), 1, 2) + _frame(b"t", b"b", 1, 3)
    reader = FrameReader()
    found, held = [], 0
    for start in range(0, len(stream), 65_537):
        found += reader.feed(stream[start : start + 65_537], 5)
        held = max(held, len(reader._rest))
    assert [(entry.topic, entry.mid) for entry in found] == [(b"t", 1), (b"long", 2), (b"t", 3)]
    assert MAX_PAYLOAD_BYTES < len(found[1].payload) < MAX_FRAME_BYTES
    assert held <= MAX_FRAME_BYTES
    (whole,) = FrameReader().feed(_frame(b"long", bytes(MAX_FRAME_BYTES * 2), 1, 2), 5)
    assert whole == found[1]


def test_puback_by_hand() -> None:
    assert pubacks([10, 258]) == b"\x40\x02\x00\x0a\x40\x02\x01\x02"


def test_pings_are_counted_between_messages() -> None:
    reader = FrameReader()
    assert len(reader.feed(b"\xd0\x00" + _frame(b"t", b"", 0, 0) + b"\xd0\x00", 0)) == 1
    assert reader.pings_answered == 2


@pytest.mark.parametrize("broken", [b"\x32\xff\xff\xff\xff\x01", b"\x32\x02\x00\x05", b"\x32\x00", b"\x30\x01\x00"])
def test_what_is_not_mqtt(broken: bytes) -> None:
    with pytest.raises(ProtocolBroken):
        FrameReader().feed(broken, 0)


_MESSAGES = st.lists(
    st.tuples(
        st.binary(min_size=1, max_size=30),
        st.one_of(st.binary(max_size=40), st.integers(100, 40_000).map(bytes)),
        st.sampled_from([0, 1]),
        st.integers(1, 65_535),
        st.booleans(),
        st.booleans(),
    ),
    max_size=8,
)


@given(_MESSAGES, st.lists(st.integers(1, 200), min_size=1, max_size=20))
def test_messages_do_not_depend_on_how_the_stream_is_cut(
    messages: list[tuple[bytes, bytes, int, int, bool, bool]], cuts: list[int]
) -> None:
    stream = b"".join(
        _frame(topic, payload, qos, mid, retain=retain, again=again)
        for topic, payload, qos, mid, retain, again in messages
    )
    reader = FrameReader()
    found = []
    position = turn = 0
    while position < len(stream):
        step = cuts[turn % len(cuts)] * (1 if turn < 50 else 1000)
        found += reader.feed(stream[position : position + step], 0)
        position, turn = position + step, turn + 1
    expected = [
        (topic, payload, mid if qos else 0, qos, retain, 0, again)
        for topic, payload, qos, mid, retain, again in messages
    ]
    assert [tuple(message) for message in found] == expected
