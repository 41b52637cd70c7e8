"""A key that stands twice counts for nothing, by name; what stands beside it counts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ingest.decode_native import decode_native, decode_status, load_json
from ingest.foreign.decoder import ForeignDecoder
from ingest.reading import Fault
from ingest.reasons import Reason
from ingest.repeated_keys import TWICE
from ingest.run_clock import decode_run_clock
from tests.unit.ingest.builders import NOON_US
from tests.unit.ingest.test_foreign_cases import CASES, decoder_of
from undercroft.errors import PayloadInvalid

OF_DEPTH = b'"observed_at": 1782907200000, "water_depth_m": 0.12'
SENML = [{"bn": "g1-level/", "bt": 1782900000, "n": "level", "u": "m", "v": 1}]


def twice(*keys: str) -> list[Fault]:
    return [Fault(Reason.REPEATED_KEY, f"{key!r} is there twice") for key in keys]


@pytest.mark.parametrize(
    ("payload", "values", "faults"),
    [
        (b'{%s, "battery_v": 3.5, "battery_v": 3.6}', [0.12], twice("battery_v")),
        (b'{%s, "battery_v": 3.5, "battery_v": 3.5}', [0.12], twice("battery_v")),
        (b'{"battery_v"\t: 3.5, %s, "battery\\u005fv" :3.6}', [0.12], twice("battery_v")),
        (b'{%s, "observed_at": 1782907200000}', [], twice("observed_at")),
        (b'{%s, "at": "north", "at": "south"}', [], twice("at")),
        (b'{%s, "seq": 1, "seq": 2}', [0.12], twice("seq")),
        (b'{%s, "period_s": 60, "period_s": 600}', [0.12], twice("period_s")),
        (b'{%s, "period_s": 60, "rain_depth_mm": 2.0, "period_s": 600}', [0.12], twice("period_s", "period_s")),
        (b'{%s, "barrier_state": "open", "barrier_state": "deployed"}', [0.12], twice("barrier_state")),
        (b'{"readings": [{%s}, {%s, "door_open": true, "door_open": false}]}', [0.12] * 2, twice("door_open")),
        (b'{%s, "x": {"y": 1, "y": 2}}', [0.12], [Fault(Reason.UNKNOWN_QUANTITY, "'x'")]),
        (b'{%s, "barrier_state": "o\\"a\\": 1, \\"a\\": 2"}', [0.12], "is none of"),
    ],
)
def test_native(payload: bytes, values: list[float], faults: list[Fault] | str) -> None:
    found = decode_native(payload.replace(b"%s", OF_DEPTH))
    assert [reading.value for reading in found.readings] == values
    if isinstance(faults, str):
        assert faults in found.faults[0].detail, "a text that looks like keys is a text"
    else:
        assert found.faults == faults


def test_a_serial_number_that_is_there_twice_is_none() -> None:
    (reading,) = decode_native(b'{%s, "seq": 1, "seq": 1}' % OF_DEPTH).readings
    assert reading.seq is None


@pytest.mark.parametrize(
    ("payload", "key"),
    [
        (b'{"online": true, "online": false}', "online"),
        (b'{"readings": [], "readings": [{%s}]}' % OF_DEPTH, "readings"),
    ],
)
def test_of_a_state_and_of_a_pack_nothing_is_left(payload: bytes, key: str) -> None:
    decode = decode_status if key == "online" else decode_native
    with pytest.raises(PayloadInvalid, match=f"'{key}' is there twice") as error:
        decode(payload)
    assert error.value.reason == Reason.REPEATED_KEY


def test_a_run_clock_with_two_times_is_none() -> None:
    with pytest.raises(PayloadInvalid) as error:
        decode_run_clock(b'{"now": "2026-07-01T12:00:00Z", "now": "2026-07-01T13:00:00Z", "seq": 1}')
    assert error.value.reason == Reason.BAD_RUN_CLOCK


def told(kind: str, topic: str, payload: bytes) -> tuple[list[float], list[str]]:
    """Values and details of a foreign message, or the detail of its refusal."""
    decoder: ForeignDecoder = decoder_of(next((CASES / kind).glob("*/expected.json")).parent)
    try:
        found = decoder.decode(topic, payload, NOON_US)
    except PayloadInvalid as error:
        return [], [f"{error.reason}: {error.detail}"]
    return [one.reading.value for one in found.told], [f"{fault.reason}: {fault.detail}" for fault in found.faults]


@pytest.mark.parametrize(
    ("record", "values", "fault"),
    [
        ('{"n": "level", "u": "m", "v": 1, "v": 2}', [7.0], "'v' is there twice"),
        ('{"n": "level", "u": "m", "t": 1, "v": 2, "t": 2}', [7.0], "'t' is there twice"),
        ('{"n": "door", "vb": true, "vb": false}', [7.0], "'vb' is there twice"),
        ('{"n": "level", "u": "m", "u": "cm", "v": 2}', [7.0], "'u' is there twice"),
        ('{"bn": "a/", "bn": "b/", "n": "level", "u": "m", "v": 2}', [], "'bn' is there twice"),
        ('{"bver": 5, "bver": 10, "n": "level", "u": "m", "v": 2}', [], "'bver' is there twice"),
    ],
)
def test_senml(record: str, values: list[float], fault: str) -> None:
    """A good record follows: it stands, unless it needs a base field that is there twice."""
    payload = f'[{{"bn": "g1/", "bt": 1782900000}}, {record}, {{"n": "level", "u": "m", "v": 7}}]'.encode()
    found, details = told("senml", "senml/1", payload)
    assert found == values
    assert set(details) == {f"repeated_key: {fault}"}


UPLINK = (
    '{{"deviceInfo": {{"devEui": "0101010101010101"{0}}}, "time": "2026-07-01T12:00:00Z"{1}, "fCnt": 1{2},'
    ' "object": {{"BatV": 3.5, "distance_mm": 2000{3}}}{4}, "rxInfo": {{"rssi": 1, "rssi": 2}}}}'
)


@pytest.mark.parametrize(
    ("more", "values", "key"),
    [
        (("", "", "", "", ""), [3.5, 1.0], None),
        (("", "", "", ', "distance_mm": 3000', ""), [3.5], "distance_mm"),
        ((', "devEui": "0101010101010102"', "", "", "", ""), [], "deviceInfo.devEui"),
        (("", ', "time": "2026-07-01T13:00:00Z"', "", "", ""), [], "time"),
        (("", "", ', "fCnt": 2', "", ""), [3.5, 1.0], "fCnt"),
        (("", "", "", "", ', "object": {"BatV": 1.0}'), [], "object"),
    ],
)
def test_chirpstack(more: tuple[str, ...], values: list[float], key: str | None) -> None:
    """Twice in the network server's own part, which nobody reads, is nothing."""
    found, details = told("chirpstack", "application/1/device/2/event/up", UPLINK.format(*more).encode())
    assert found == pytest.approx(values)
    assert all(detail.startswith(f"repeated_key: {key!r}") for detail in details)
    assert len(details) == (key is not None)


def test_what_hides_under_a_repeated_key_is_not_looked_for() -> None:
    text = b'{"a": {"b": [1, {"c": 1, "c": 2}]}, "a": [], "d": [{"e": 1}, {"e": 1, "e": 2}]}'
    found: Any = load_json(text)
    assert found == {"a": TWICE, "d": [{"e": 1}, {"e": TWICE}]}
    assert load_json(json.dumps(SENML).encode()) == SENML
