"""Whatever bytes come, a foreign decoder answers or raises `PayloadInvalid`; frames come whole out of any stream."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.batch import Message, build_draft
from ingest.foreign.decoder import ForeignDecoder, Translated
from ingest.foreign.sl651_cutter import FrameCutter
from ingest.foreign.sl651_frame import START, Ending, confirmation, crc16, parse_frame
from ingest.reasons import Reason
from ingest.sensors import build_directory
from tests.property.odd_json import ODD, as_on_a_lane, encoded, nested
from tests.unit.ingest.builders import NOON_US, TABLE
from tests.unit.ingest.test_foreign_cases import CASES, FOLDERS, decoder_of, payload_of
from undercroft.errors import PayloadInvalid
from undercroft.model import Mode
from undercroft.site.model import DecoderKind

DECODERS = {kind: decoder_of(CASES / kind.value / "none") for kind in DecoderKind}
SEEDS = [payload_of(folder) for folder in FOLDERS]
FRAMES = [payload_of(folder) for folder in FOLDERS if "published" in folder.name]
_KEYS = st.sampled_from(
    [
        "bn",
        "bt",
        "bu",
        "bv",
        "bver",
        "n",
        "u",
        "t",
        "v",
        "vb",
        "vs",
        "time",
        "object",
        "deviceInfo",
        "devEui",
        "fCnt",
        "end_device_ids",
        "device_id",
        "uplink_message",
        "decoded_payload",
        "received_at",
        "f_cnt",
        "BatV",
        "depth_cm",
    ]
)
_LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9), ODD, st.sampled_from(["a:level", 1e300])
)
_TREES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=6), max_leaves=15
)
_RECORDS = st.lists(
    st.fixed_dictionaries(
        {"n": st.just("a:level") | _LEAVES, "v": st.just(1.5) | _LEAVES},
        optional={key: _LEAVES for key in ("bn", "bt", "bu", "bv", "bver", "u", "t")},  # noqa: C420 - drawn anew
    ),
    min_size=1,
    max_size=4,
)


def _mostly(sound: object, odd: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """Sound three times out of four: a message with one odd part gets as far as that part."""
    return st.integers(0, 3).flatmap(lambda n: odd if n == 0 else st.just(sound))


_TIMES = _mostly("2022-07-18T09:34:15Z", st.sampled_from(["2022-13-18T09:34:15Z", "2022-02-30T24:00:00Z"]) | _TREES)
_VALUES = _mostly(
    {"depth_cm": 4, "distance_mm": 2900},
    st.dictionaries(
        st.sampled_from(["BatV", "distance_mm", "depth_cm", "probes", "barrier"]),
        st.sampled_from([1e300, -1e16, 2**63, "open"]) | _TREES,
    )
    | _TREES,
)
_SERIALS = _mostly(7, _LEAVES)
_UPLINKS = st.fixed_dictionaries(
    {
        "time": _TIMES,
        "deviceInfo": _mostly({"devEui": "01"}, st.fixed_dictionaries({"devEui": _LEAVES}) | _TREES),
        "object": _VALUES,
        "fCnt": _SERIALS,
        "end_device_ids": _mostly({"device_id": "01"}, st.fixed_dictionaries({"device_id": _LEAVES}) | _TREES),
        "uplink_message": st.fixed_dictionaries({"received_at": _TIMES, "decoded_payload": _VALUES, "f_cnt": _SERIALS})
        | _TREES,
    }
)
_BY_KIND = {DecoderKind.SENML: _RECORDS, DecoderKind.CHIRPSTACK: _UPLINKS, DecoderKind.TTN: _UPLINKS}
_SPOILT = st.tuples(st.sampled_from(SEEDS), st.integers(0, 2000), st.binary(max_size=3), st.integers(0, 4)).map(
    lambda parts: _spoilt(*parts)
)


def _spoilt(payload: bytes, position: int, insert: bytes, cut: int) -> bytes:
    position %= len(payload)
    return payload[:position] + insert + payload[position + cut :]


def _resummed(payload: bytes) -> bytes:
    return payload[:-2] + crc16(payload[:-2]).to_bytes(2) if len(payload) > 2 else payload


_ANY = st.one_of(st.binary(max_size=200), _TREES.map(encoded), _SPOILT, _SPOILT.map(_resummed))
_OF_KIND = st.sampled_from(list(_BY_KIND)).flatmap(lambda kind: st.tuples(st.just(kind), _BY_KIND[kind].map(encoded)))


def _uplink(value: str, serial: str) -> bytes:
    """Return an uplink of both forms, with the JSON of a value and of a counter."""
    head = '"end_device_ids": {"device_id": "a"}, "deviceInfo": {"devEui": "a"}, "time": "2022-07-18T09:34:15Z"'
    head += ', "received_at": "2022-07-18T09:34:15Z"'
    values = f'{{"depth_cm": {value}, "distance_mm": {value}}}'
    uplink = f'{{"decoded_payload": {values}, "f_cnt": {serial}}}'
    return f'{{{head}, "object": {values}, "fCnt": {serial}, "uplink_message": {uplink}}}'.encode()


def _check(decoder: ForeignDecoder, payload: bytes) -> None:
    answer: Translated | PayloadInvalid
    try:
        with as_on_a_lane():
            answer = decoder.decode("senml/x", payload, NOON_US)
    except PayloadInvalid as error:
        answer = error
    if isinstance(answer, PayloadInvalid):
        assert answer.reason in set(Reason)
        assert answer.detail
        return
    told, faults, _ = answer
    mapped = {entry.quantity for entry in decoder.definition.fields}
    assert all(reading.quantity in mapped and abs(reading.value) <= 1e12 for _, reading in told)
    assert all(type(device) is str and device and abs(reading.observed_us) < 2**63 for device, reading in told)
    assert all(reading.seq is None or (type(reading.seq) is int and 0 <= reading.seq < 2**32) for _, reading in told)
    assert all(fault.reason in set(Reason) and fault.detail and len(fault.detail) < 400 for fault in faults)


@settings(max_examples=400)
@given(st.tuples(st.sampled_from(list(DecoderKind)), _ANY) | _OF_KIND)
@example((DecoderKind.SENML, b"[" * 100_000))
@example((DecoderKind.SENML, b'[{"n":"a:level","u":"m","v":1e308,"bv":1e308}]'))
@example((DecoderKind.SENML, b'[{"n":"a:level","u":"m","v":1,"t":1e308,"bt":-1e308}]'))
@example((DecoderKind.SENML, b'[{"bver":9007199254740993,"n":"a:level","v":1}]'))
@example(
    (
        DecoderKind.TTN,
        b'{"end_device_ids":{"device_id":"a"},"received_at":"2022-07-18T09:34:15Z",'
        b'"uplink_message":{"decoded_payload":{"barrier":[1],"depth_cm":1e300}}}',
    )
)
@example((DecoderKind.SENML, b'[{"n":"a:level","u":"m","v":%s}]' % nested(1_010).encode()))
@example((DecoderKind.CHIRPSTACK, _uplink(nested(1_015), "7")))
@example((DecoderKind.CHIRPSTACK, _uplink("4", nested(1_015))))
@example((DecoderKind.TTN, _uplink(nested(1_015), "7")))
@example((DecoderKind.TTN, _uplink("4", nested(1_015))))
@example((DecoderKind.CHIRPSTACK, b'{"object":{"a.b":1,"a":{"b":2}},"time":"2022-07-18T09:34:15Z","deviceInfo":7}'))
def test_decoders_raise_nothing_else(message: tuple[DecoderKind, bytes]) -> None:
    kind, payload = message
    _check(DECODERS[kind], payload)


DIRECTORY = build_directory(
    Mode.LIVE,
    replace(
        TABLE,
        decoders=tuple(
            decoder.definition.model_copy(update={"topic": f"{kind.value}/+"}) for kind, decoder in DECODERS.items()
        ),
    ),
)


@given(st.lists(st.tuples(st.sampled_from(list(DecoderKind)), _ANY) | _OF_KIND, max_size=4))
@example([(DecoderKind.SL651, payload_of(CASES / "sl651" / "published-keep-alive-2F"))])
@example([(DecoderKind.SL651, payload_of(CASES / "sl651" / "hourly-report-arrays-34"))])
def test_no_foreign_message_vanishes(messages: list[tuple[DecoderKind, bytes]]) -> None:
    """But for a keep-alive, and for what holds nothing but what the site ignores."""
    batch = [Message(f"{kind.value}/x".encode(), payload, 1, 1, False, NOON_US) for kind, payload in messages]
    with as_on_a_lane():
        draft = build_draft(batch, DIRECTORY, None)
    placed = {*draft.row_of.tolist(), *draft.stamped_of, *draft.letter_of}
    assert not any(letter.reason == Reason.DECODER_FAILED for letter in draft.letters)
    for index in set(range(len(batch))) - placed:
        kind, payload = messages[index]
        decoder = DECODERS[kind]
        ignored, mapped = decoder.definition.ignore, {entry.field.split(".")[0] for entry in decoder.definition.fields}
        for part in decoder._parts("senml/x", payload, NOON_US).parts:
            assert part.field in ignored or (part.of or part.field) in ignored or part.of in mapped


@given(st.sampled_from([DecoderKind.CHIRPSTACK, DecoderKind.TTN]), _UPLINKS)
def test_uplinks_with_an_odd_part(kind: DecoderKind, uplink: dict[str, object]) -> None:
    _check(DECODERS[kind], encoded(uplink))


def _frame(body: bytes, function: int = 0x33) -> bytes:
    head = START + bytes.fromhex("0100123456781234") + bytes([function]) + len(body).to_bytes(2) + b"\x02"
    data = head + body + b"\x03"
    return data + crc16(data).to_bytes(2)


@given(st.binary(max_size=60), st.sampled_from([0x30, 0x32, 0x33, 0x34, 0x37]), st.integers(0, 2))
def test_sl651_bodies_of_any_kind(body: bytes, function: int, prefix: int) -> None:
    lead = (b"", bytes(8), bytes.fromhex("0101260701120005F0F02607011200"))[prefix]
    _check(DECODERS[DecoderKind.SL651], _frame(lead + body or b"\0", function))


_DIGITS = st.integers(0, 99).map(lambda number: bytes.fromhex(f"{number:02}"))
_MOMENT = st.lists(_DIGITS, min_size=5, max_size=5).map(b"".join) | st.binary(min_size=5, max_size=5)
_ELEMENT = st.one_of(
    _MOMENT.map(lambda moment: b"\xf0\xf0" + moment),
    st.tuples(st.sampled_from([0x26, 0x39, 0x38, 0x45, 0xF4, 0xF5]), st.integers(0, 7), st.binary(max_size=31)).map(
        lambda parts: bytes([parts[0], len(parts[2]) << 3 | parts[1]]) + parts[2]
    ),
)


@given(st.lists(_ELEMENT, max_size=5))
def test_sl651_elements_of_any_content(elements: list[bytes]) -> None:
    lead = bytes.fromhex("0101260701120005F0F02607011200")
    _check(DECODERS[DecoderKind.SL651], _frame(lead + b"".join(elements)))


@given(st.sampled_from([(0xF4, 12), (0xF5, 24)]), st.binary(min_size=1, max_size=31))
def test_sl651_arrays_have_twelve_values_or_none(array: tuple[int, int], raw: bytes) -> None:
    ident, whole = array
    lead = bytes.fromhex("0101260701120005F0F02607011200")
    told, faults, _ = DECODERS[DecoderKind.SL651].decode(
        "", _frame(lead + bytes([ident, len(raw) << 3]) + raw), NOON_US
    )
    if len(raw) == whole:
        assert len(told) + len(faults) == 12
        assert {fault.reason for fault in faults} <= {Reason.NO_VALUE}
    else:
        assert (len(told), [fault.reason for fault in faults]) == (0, [Reason.BAD_FRAME])


@given(st.sampled_from(FRAMES), st.data())
def test_a_frame_with_one_bit_turned_is_refused(frame: bytes, data: st.DataObject) -> None:
    """A cyclic redundancy check finds every single turned bit."""
    bit = data.draw(st.integers(0, len(frame) * 8 - 1))
    turned = (int.from_bytes(frame) ^ 1 << bit).to_bytes(len(frame))
    with pytest.raises(PayloadInvalid):
        parse_frame(turned)


@given(st.lists(st.tuples(st.sampled_from(FRAMES), st.binary(max_size=20)), max_size=5), st.data())
def test_frames_come_whole_out_of_any_stream(pieces: list[tuple[bytes, bytes]], data: st.DataObject) -> None:
    stream = b"".join(noise + frame for frame, noise in pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    cutter = FrameCutter()
    found = [
        frame
        for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for frame in cutter.feed(stream[start:stop])
    ]

    assert found == [frame for frame, _ in pieces]
    assert cutter.waiting_bytes == 0


@given(
    st.lists(st.sampled_from(FRAMES), min_size=1, max_size=6),
    st.sampled_from(FRAMES),
    st.sampled_from([b"", b"\r\n", b"\x00", b"\xff\x7e"]),
    st.data(),
)
def test_a_frame_of_a_wrong_length_swallows_none_that_follows(
    frames: list[bytes], garbled: bytes, between: bytes, data: st.DataObject
) -> None:
    """Bytes 11 and 12 say 4,095: as soon as one that follows is whole it is there, and the garbled one is counted.

    Whatever a modem puts between frames.
    """
    broken = garbled[:11] + b"\x0f\xff" + garbled[13:]
    cut = data.draw(st.integers(0, len(broken)))
    cutter = FrameCutter()
    assert cutter.feed(broken[:cut]) == []
    assert cutter.feed(broken[cut:]) == []
    assert [cutter.feed(between + frame) for frame in frames] == [[frame] for frame in frames]
    skipped = len(broken) + len(between) * len(frames)
    assert (cutter.broken_frames, cutter.skipped_bytes, cutter.waiting_bytes) == (1, skipped, 0)


@pytest.mark.parametrize("mark", [b"\x02", b"\x16"])
def test_each_byte_costs_the_same_however_many_frames_it_may_belong_to(
    mark: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Heads of 14 bytes, one in another, 3,900 bytes, byte for byte: no part is looked at but where a frame may end."""
    looks = []
    is_sound = FrameCutter._is_sound

    def counted(cutter: FrameCutter, start: int, end: int) -> bool:
        looks.append((start, end))
        return is_sound(cutter, start, end)

    monkeypatch.setattr(FrameCutter, "_is_sound", counted)
    cutter = FrameCutter()
    heads = [START + bytes(9) + length.to_bytes(2) + mark for length in range(3900, 0, -14)]
    for byte in b"".join(heads) + bytes(4200):
        cutter.feed(bytes([byte]))
    assert len(looks) == len(set(looks)) <= 2 * len(heads)
    assert (cutter.broken_frames, cutter.waiting_bytes) == (len(heads), 0)


@given(st.binary(max_size=3000))
def test_the_cutter_holds_no_more_than_a_frame(noise: bytes) -> None:
    cutter = FrameCutter()
    cutter.feed(noise)
    cutter.feed(START + noise)
    cutter.feed(noise)

    assert cutter.waiting_bytes <= 4115
    quiet = FrameCutter()
    quiet.feed(noise.replace(b"\x7e", b""))
    assert quiet.waiting_bytes == 0


def test_published_confirmation_is_reproduced() -> None:
    up = bytes.fromhex(
        "7E7E010012345678123430002B020003591011154947F1F1001234567848F0F0591011154920190000052619000005"
        "392300000127381211150320FA"
    )
    down = bytes.fromhex("7E7E00123456780112343080080200035910111549471B75D4")

    assert confirmation(parse_frame(up), Ending.ESC) == down


def test_case_folders_are_found() -> None:
    assert len(FRAMES) == 3
    assert Path(CASES).is_dir()
