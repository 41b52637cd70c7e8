"""Whatever bytes come, a decoder answers or raises `PayloadInvalid`, and says why."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress

from hypothesis import example, given
from hypothesis import strategies as st

from ingest.batch import Message, build_draft
from ingest.decode_native import decode_native, decode_status
from ingest.reasons import Reason
from ingest.run_clock import RunClock, decode_run_clock
from tests.property.odd_json import ODD, as_on_a_lane, encoded, nested
from tests.unit.ingest.builders import NOON_US, directory
from undercroft.errors import PayloadInvalid
from undercroft.model import Mode
from undercroft.quantities import QUANTITIES

_KEYS = st.one_of(
    st.sampled_from([*QUANTITIES, "observed_at", "seq", "at", "period_s", "readings", "stock_sandbag", "now"]),
    st.text(max_size=10),
)
_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    ODD,
    st.sampled_from(["2026-07-01T12:00:00Z", "deployed", "1970-01-01T00:00:00Z", 1e300, -(2**70)]),
)
_TREES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=6), max_leaves=12
)
_OBJECTS = st.dictionaries(_KEYS, _TREES, max_size=8)
_SOUND = st.dictionaries(
    st.sampled_from(["water_depth_m", "battery_v", "rain_total_mm"]), st.floats(0, 40), min_size=1, max_size=3
)
_CALENDAR = st.builds(
    "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}".format,
    *(st.integers(0, 9999), st.integers(0, 13), st.integers(0, 32)),
    *(st.integers(0, 25), st.integers(0, 61), st.integers(0, 61)),
    st.sampled_from(["Z", ".5Z", "+08:00", "-23:59", "+24:00", ""]),
)
_ODD_TIMES = st.one_of(st.integers(-(2**70), 2**70), st.floats(), _LEAVES)
_TIMES = st.integers(0, 2).flatmap(lambda n: (st.just(NOON_US // 1000), _CALENDAR, _ODD_TIMES)[n])
_NUMBERS = st.one_of(st.floats(0, 40), st.sampled_from([-1e13, 1e300, 2**70]), _TREES)
_NEARLY_SOUND = st.fixed_dictionaries(
    {"observed_at": _TIMES},
    optional={
        "water_depth_m": _NUMBERS,
        "rain_depth_mm": _NUMBERS,
        "pump_running": _LEAVES,
        "barrier_state": _TREES,
        "at": st.just("north") | _TREES,
        "seq": _TREES,
        "period_s": st.just(60) | _TREES,
    },
)
_NEARLY = st.one_of(
    _NEARLY_SOUND,
    st.lists(_NEARLY_SOUND | _LEAVES, max_size=3).map(lambda bodies: {"readings": bodies}),
    st.fixed_dictionaries({"online": _TREES}, optional={"now": _LEAVES}),
    st.fixed_dictionaries({"now": _TIMES, "seq": st.integers(-1, 2**33) | _TREES}),
).map(encoded)
"""Half of all: a message with one odd part gets as far as that part."""
_PAYLOADS = _NEARLY | st.one_of(
    st.binary(max_size=200),
    _TREES.map(encoded),
    st.tuples(_SOUND, st.sampled_from(["", "north", "west"])).map(
        lambda parts: json.dumps({"observed_at": NOON_US // 1000, "at": parts[1], **parts[0]}).encode()
    ),
    _OBJECTS.map(encoded),
    _OBJECTS.map(lambda body: encoded({"observed_at": 1, **body})),
    st.lists(_OBJECTS, max_size=5).map(lambda bodies: encoded({"readings": bodies})),
    st.tuples(_OBJECTS, st.integers(0, 100), st.integers(0, 255)).map(
        lambda parts: _spoilt(encoded(parts[0]), parts[1], parts[2])
    ),
).map(bytes)


def _spoilt(payload: bytes, position: int, byte: int) -> bytes:
    position %= len(payload)
    return payload[:position] + bytes([byte]) + payload[position + 1 :]


def _refusal(decode: Callable[[bytes], object], payload: bytes) -> PayloadInvalid | None:
    try:
        with as_on_a_lane():
            decode(payload)
    except PayloadInvalid as error:
        return error
    return None


@given(_PAYLOADS)
@example(b'{"observed_at": 1, "water_depth_m": 1, "\\u0000": 1}')
@example(b'{"a":' * 50_000)
@example(b'{"observed_at": 1, "seq": %s, "battery_v": 3.3}' % nested(1_005).encode())
@example(b'{"observed_at": %s, "now": 1}' % nested(1_005, '{"a":', "}").encode())
@example(b'{"observed_at": 1, "water_depth_m": NaN}')
@example(b'{"observed_at": "2026-13-01T00:00:00Z", "water_depth_m": 1}')
@example(b"[]")
@example(b"7")
def test_decoders_raise_nothing_else(payload: bytes) -> None:
    for decode in (decode_native, decode_status, decode_run_clock):
        invalid = _refusal(decode, payload)
        assert invalid is None or (invalid.reason in set(Reason) and invalid.detail)


@given(_PAYLOADS)
def test_status_and_run_clock_answer_in_their_types(payload: bytes) -> None:
    with suppress(PayloadInvalid):
        assert type(decode_status(payload)[0]) is bool
    with suppress(PayloadInvalid):
        clock = decode_run_clock(payload)
        assert type(clock.seq) is int
        assert 0 <= clock.seq < 2**32


@given(_PAYLOADS)
@example(b'{"observed_at": 9223372036854775807, "water_depth_m": 1}')
@example(b'{"observed_at": -1e300, "water_depth_m": 1}')
@example(b'{"observed_at": 1, "water_depth_m": 1000000000001}')
@example(b'{"observed_at": 1, "water_depth_m": -1e300}')
def test_native_answers_with_readings_or_faults(payload: bytes) -> None:
    try:
        readings, faults = decode_native(payload)
    except PayloadInvalid:
        return
    assert readings or faults
    assert all(fault.reason in set(Reason) and fault.detail for fault in faults)
    for reading in readings:
        assert type(reading.at) is str
        assert reading.seq is None or (type(reading.seq) is int and 0 <= reading.seq < 2**32)
        assert abs(reading.value) <= 1e12
        assert abs(reading.observed_us) < 2**63


@given(st.lists(st.tuples(st.sampled_from(["g1-level", "g2-multi", "x"]), _PAYLOADS), max_size=6), st.booleans())
def test_no_message_vanishes(messages: list[tuple[str, bytes]], in_run: bool) -> None:
    mode = Mode.EXERCISE if in_run else Mode.LIVE
    place = {"g1-level": "garage-1", "g2-multi": "garage-2", "x": "x"}
    batch = [
        Message(f"{mode.topic_root}/v1/futian/{place[device]}/{device}/event".encode(), payload, 1, 1, False, NOON_US)
        for device, payload in messages
    ]
    with as_on_a_lane():
        draft = build_draft(batch, directory(mode), RunClock(NOON_US, 1) if in_run else None)
    placed = {*draft.row_of.tolist(), *draft.stamped_of, *draft.letter_of}
    assert placed == set(range(len(batch)))


@given(st.lists(_PAYLOADS, max_size=6))
def test_no_part_of_a_message_vanishes(payloads: list[bytes]) -> None:
    """Every reading that was decoded is a row, a stamped one, or makes its message a dead letter; so does a fault."""
    topic = b"flood/v1/futian/garage-1/g1-level/observation"
    draft = build_draft([Message(topic, payload, 1, 1, False, NOON_US) for payload in payloads], directory(), None)
    for index, payload in enumerate(payloads):
        if _refusal(decode_native, payload) is not None:
            assert index in draft.letter_of
            continue
        readings, faults = decode_native(payload)
        known = [entry for entry in readings if (entry.at, entry.quantity) == ("", "water_depth_m")]
        held = draft.row_of.tolist().count(index) + draft.stamped_of.count(index)
        assert held == len(known)
        assert (index in draft.letter_of) == bool(faults or len(known) < len(readings))
