"""Every kind of payload, good and bad, beside what becomes of it."""

from __future__ import annotations

import pytest

from ingest.decode_native import MAX_KEYS, MAX_PAYLOAD_BYTES, MAX_READINGS, decode_native, decode_status
from ingest.reading import Fault
from ingest.reasons import Reason
from undercroft.errors import PayloadInvalid
from undercroft.model import Reading

REFUSED = [
    (b"\xff\xfe{}", Reason.NOT_UTF8),
    (b'{"observed_at": 1, "water_depth_m": "\xc3\x28"}', Reason.NOT_UTF8),
    (b"", Reason.NOT_JSON),
    (b"{", Reason.NOT_JSON),
    (b"water_depth_m=0.12", Reason.NOT_JSON),
    (b'{"observed_at": 1} {}', Reason.NOT_JSON),
    (b"[" * 5000, Reason.NOT_JSON),
    (b'{"a":' * 3000 + b"1" + b"}" * 3000, Reason.NOT_JSON),
    (b'{"observed_at": 1, "water_depth_m": NaN}', Reason.NOT_FINITE),
    (b'{"observed_at": 1, "water_depth_m": Infinity}', Reason.NOT_FINITE),
    (b'{"observed_at": 1, "water_depth_m": -Infinity}', Reason.NOT_FINITE),
    (b'{"observed_at": 1, "water_depth_m": 1e999}', Reason.NOT_FINITE),
    (b"null", Reason.NOT_OBJECT),
    (b"0.12", Reason.NOT_OBJECT),
    (b'[{"observed_at": 1, "water_depth_m": 0.1}]', Reason.NOT_OBJECT),
    (b'{"readings": {}}', Reason.NOT_OBJECT),
    (b'{"readings": []}', Reason.NO_READINGS),
    (b'{"readings": [' + b"{}," * MAX_READINGS + b"{}]}", Reason.TOO_MANY_READINGS),
    (b" " * MAX_PAYLOAD_BYTES + b"{", Reason.TOO_LARGE),
]


@pytest.mark.parametrize(("payload", "reason"), REFUSED, ids=[f"{n}-{case[1]}" for n, case in enumerate(REFUSED)])
def test_a_message_without_structure_is_refused(payload: bytes, reason: Reason) -> None:
    with pytest.raises(PayloadInvalid) as caught:
        decode_native(payload)
    assert caught.value.reason == reason


FAULTS = [
    ('"water_depth_m": 0.1', Reason.NO_TIMESTAMP),
    ('"observed_at": null, "water_depth_m": 0.1', Reason.BAD_TIMESTAMP),
    ('"observed_at": true, "water_depth_m": 0.1', Reason.BAD_TIMESTAMP),
    ('"observed_at": "yesterday", "water_depth_m": 0.1', Reason.BAD_TIMESTAMP),
    ('"observed_at": "2026-07-01T16:20:00", "water_depth_m": 0.1', Reason.BAD_TIMESTAMP),
    ('"observed_at": "2026-02-30T16:20:00Z", "water_depth_m": 0.1', Reason.BAD_TIMESTAMP),
    ('"observed_at": 8640000000000001, "water_depth_m": 0.1', Reason.BAD_TIMESTAMP),
    ('"observed_at": 1', Reason.NO_READINGS),
    ('"observed_at": 1, "seq": 4', Reason.NO_READINGS),
    ('"observed_at": 1, "water_depth_m": "0.1"', Reason.WRONG_TYPE),
    ('"observed_at": 1, "water_depth_m": true', Reason.WRONG_TYPE),
    ('"observed_at": 1, "water_depth_m": null', Reason.WRONG_TYPE),
    ('"observed_at": 1, "water_depth_m": [0.1]', Reason.WRONG_TYPE),
    ('"observed_at": 1, "pump_running": 1', Reason.WRONG_TYPE),
    ('"observed_at": 1, "pump_running": "true"', Reason.WRONG_TYPE),
    ('"observed_at": 1, "barrier_state": "closed"', Reason.WRONG_TYPE),
    ('"observed_at": 1, "barrier_state": 3', Reason.WRONG_TYPE),
    ('"observed_at": 1, "at": 5, "water_depth_m": 0.1', Reason.WRONG_TYPE),
    ('"observed_at": 1, "water_depth_m": 1e13', Reason.OUT_OF_MAGNITUDE),
    ('"observed_at": 1, "water_depth_m": -100000000000000000000000', Reason.OUT_OF_MAGNITUDE),
    ('"observed_at": 1, "rain_depth_mm": 2.5', Reason.NO_PERIOD),
    ('"observed_at": 1, "period_s": 0, "rain_depth_mm": 2.5', Reason.NO_PERIOD),
    ('"observed_at": 1, "colour": 3', Reason.UNKNOWN_QUANTITY),
    ('"observed_at": 1, "stock_": 3', Reason.UNKNOWN_QUANTITY),
    ('"observed_at": 1, "online": true', Reason.UNKNOWN_QUANTITY),
]


@pytest.mark.parametrize(("inner", "reason"), FAULTS, ids=[f"{n}-{case[1]}" for n, case in enumerate(FAULTS)])
def test_a_reading_that_cannot_be_read_is_a_fault_and_its_neighbour_in_the_pack_counts(
    inner: str, reason: Reason
) -> None:
    alone = decode_native(f"{{{inner}}}".encode())
    assert ([fault.reason for fault in alone.faults], alone.readings) == ([reason], [])
    good = '{"observed_at": 7, "water_depth_m": 0.5}'
    packed = decode_native(f'{{"readings": [{{{inner}}}, {good}]}}'.encode())
    assert [fault.reason for fault in packed.faults] == [reason]
    assert packed.readings == [Reading(7000, "", "water_depth_m", 0.5, None)]


def test_known_keys_beside_an_unknown_one_are_read() -> None:
    decoded = decode_native(b'{"observed_at": 1, "water_depth_m": 0.5, "colour": 3, "battery_v": 3.61}')
    assert [(reading.quantity, reading.value) for reading in decoded.readings] == [
        ("water_depth_m", 0.5),
        ("battery_v", 3.61),
    ]
    assert [(fault.reason, fault.detail) for fault in decoded.faults] == [(Reason.UNKNOWN_QUANTITY, "'colour'")]


@pytest.mark.parametrize("seq", ["-1", "4294967296", "1.5", '"7"', "true", "null", "1e300"])
def test_a_bad_serial_number_costs_only_itself(seq: str) -> None:
    decoded = decode_native(f'{{"observed_at": 1, "seq": {seq}, "water_depth_m": 0.5}}'.encode())
    assert [reading.seq for reading in decoded.readings] == [None]
    assert [fault.reason for fault in decoded.faults] == [Reason.OUT_OF_RANGE_SEQ]


def test_every_type_of_value() -> None:
    payload = (
        b'{"observed_at": "2026-07-01T16:20:00+08:00", "seq": 17, "at": "north-ramp", "water_depth_m": 1,'
        b' "pump_running": true, "mains_power": false, "barrier_state": "deployed", "stock_sandbag": 40,'
        b' "period_s": 300, "rain_depth_mm": 2.5}'
    )
    decoded = decode_native(payload)
    assert decoded.faults == []
    # 2026-07-01T08:20:00Z is 20 635 days and 8 h 20 min after 1970.
    assert {(r.observed_us, r.at, r.seq) for r in decoded.readings} == {
        ((20_635 * 86_400 + 30_000) * 1_000_000, "north-ramp", 17)
    }
    assert {r.quantity: r.value for r in decoded.readings} == {
        "water_depth_m": 1.0,
        "pump_running": 1.0,
        "mains_power": 0.0,
        "barrier_state": 3.0,
        "stock_sandbag": 40.0,
        "rain_depth_mm": 2.5,
    }


def test_a_key_beside_readings_is_a_fault() -> None:
    decoded = decode_native(b'{"readings": [{"observed_at": 1, "water_depth_m": 0.5}], "battery_v": 3.6}')
    assert len(decoded.readings) == 1
    assert [fault.reason for fault in decoded.faults] == [Reason.UNKNOWN_QUANTITY]


def test_too_many_keys_in_a_reading() -> None:
    keys = ", ".join(f'"stock_item{n}": 1' for n in range(MAX_KEYS))
    decoded = decode_native(f'{{"observed_at": 1, {keys}}}'.encode())
    assert [fault.reason for fault in decoded.faults] == [Reason.TOO_MANY_READINGS]


@pytest.mark.parametrize(("payload", "online"), [(b'{"online": true}', True), (b'{"online":false}', False)])
def test_status(payload: bytes, online: bool) -> None:
    assert decode_status(payload) == (online, [])


def test_of_a_status_with_keys_beside_its_state_the_state_counts() -> None:
    """A last will of a device that says more; a key that stands twice is none."""
    will = b'{"online": false, "reason": "last will", "firmware": "1.2", "x": 1, "x": 2}'
    online, faults = decode_status(will)
    assert online is False
    assert [(fault.reason, fault.detail) for fault in faults] == [
        (Reason.REPEATED_KEY, "'x' is there twice"),
        (Reason.UNKNOWN_QUANTITY, "'reason', 'firmware'"),
    ]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"online": 1}', Reason.WRONG_TYPE),
        (b'{"online": "true"}', Reason.WRONG_TYPE),
        (b"{}", Reason.WRONG_TYPE),
        (b"", Reason.NOT_JSON),
        (b"true", Reason.NOT_OBJECT),
        (b'{"since": 1}', Reason.WRONG_TYPE),
    ],
)
def test_a_bad_status(payload: bytes, reason: Reason) -> None:
    with pytest.raises(PayloadInvalid) as caught:
        decode_status(payload)
    assert caught.value.reason == reason


def test_a_rain_depth_of_another_period_than_the_site_states_is_a_fault() -> None:
    """Read as a sum of five minutes, a sum of an hour would be rain that never fell so fast."""
    payload = b'{"observed_at": 1, "period_s": 3600, "rain_depth_mm": 2.5, "water_depth_m": 0.1}'
    found = decode_native(payload, {"": 300.0})
    assert [reading.quantity for reading in found.readings] == ["water_depth_m"]
    detail = "rain_depth_mm needs period_s 300, as the site file states, not 3600"
    assert found.faults == [Fault(Reason.NO_PERIOD, detail)]
    for periods_s in ({"": 3600.0}, {"roof": 300.0}, {}):
        assert [reading.quantity for reading in decode_native(payload, periods_s).readings] == [
            "rain_depth_mm", "water_depth_m",
        ]  # fmt: skip
    pack = b'{"readings": [{"observed_at": 1, "at": "roof", "period_s": 60, "rain_depth_mm": 2.5}]}'
    assert decode_native(pack, {"roof": 300.0}).readings == []
