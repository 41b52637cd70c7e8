"""What a bulk publisher writes is what a reader of MQTT finds; what a broker answers is counted however it is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.frames import MAX_FRAME_BYTES, FrameReader, pubacks
from undercroft.mqtt_frames import AnswerReader, ProtocolBroken, publish_frame

MESSAGES = st.lists(st.tuples(st.text(min_size=1, max_size=20), st.binary(max_size=300), st.booleans()), max_size=8)


@given(MESSAGES, st.integers(1, 200_000))
def test_what_is_written_is_read(messages: list[tuple[str, bytes, bool]], first: int) -> None:
    written = b"".join(
        publish_frame(topic, payload, first + place, retain=retain)
        for place, (topic, payload, retain) in enumerate(messages)
    )
    read = FrameReader().feed(written, 0)
    assert [(found.topic.decode(), found.payload, found.retain) for found in read] == messages
    assert all(found.qos == 1 and 1 <= found.mid <= 65_535 for found in read)
    assert len({found.mid for found in read}) == len(read)


@pytest.mark.parametrize("count", [127, 128, 16_383, 16_384, 2_097_151, 2_097_152])
def test_lengths_at_the_edges_of_the_form(count: int) -> None:
    # MQTT 3.1.1, table 2.4: 127, 16,383 and 2,097,151 are the largest lengths of one, two and three bytes.
    frame = publish_frame("a", b"x" * (count - 5), 1)
    length_bytes = 1 + (count > 127) + (count > 16_383) + (count > 2_097_151)
    assert len(frame) == 1 + length_bytes + count
    assert len(FrameReader().feed(frame, 0)[0].payload) == min(count, MAX_FRAME_BYTES) - 5


@given(st.lists(st.one_of(st.integers(1, 65_535), st.none()), max_size=40), st.data())
def test_answers_are_counted_however_they_are_cut(answers: list[int | None], data: st.DataObject) -> None:
    stream = b"".join(b"\xd0\x00" if mid is None else pubacks([mid]) for mid in answers)
    reader, counted, place = AnswerReader(), 0, 0
    while place < len(stream):
        step = data.draw(st.integers(1, 9))
        counted += reader.feed(stream[place : place + step])
        place += step
    assert counted == sum(mid is not None for mid in answers)
    assert reader.pings_answered == sum(mid is None for mid in answers)


@pytest.mark.parametrize(
    "other", [b"\x30\x05\x00\x01a\x00\x01", b"\x40\x03\x00\x01\x00", b"\xd0\x01\x00", b"\x90\x03\x00\x01\x01"]
)
def test_what_is_no_answer_is_refused(other: bytes) -> None:
    with pytest.raises(ProtocolBroken, match="expected PUBACK or PINGRESP"):
        AnswerReader().feed(b"\x40\x02\x00\x01" + other)
