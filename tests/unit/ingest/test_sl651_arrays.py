"""Elements of SL 651 that are no single number: twelve values in an hour, and what is too long to be one."""

from __future__ import annotations

from typing import Any

import pytest

from ingest.foreign.decoder import ForeignDecoder, Translated
from ingest.foreign.sl651_frame import START, crc16
from tests.unit.ingest.builders import NOON_US
from undercroft.site.model import Decoder

LEAD = bytes.fromhex("0101260701200005F0F02607012000")
"""Serial number 257; the observation time is 20:00 in Beijing, noon in UTC."""
STEP_US = 300_000_000
FIELDS = (("39", "water_level_m"), ("F5", "water_level_m"), ("38", "battery_v"))


def decoder_of(*more: tuple[str, str]) -> ForeignDecoder:
    definition: dict[str, Any] = {
        "id": "stations",
        "kind": "sl651",
        "topic": "sl651/v1/+",
        "devices": [{"key": "0012345678", "device": "gauge-1"}],
        "fields": [{"field": field, "quantity": quantity} for field, quantity in (*FIELDS, *more)],
    }
    return ForeignDecoder(Decoder.model_validate(definition))


def decoded(elements: str, *more: tuple[str, str]) -> Translated:
    body = LEAD + bytes.fromhex(elements)
    data = START + bytes.fromhex("0100123456781234" + "34") + len(body).to_bytes(2) + b"\x02" + body + b"\x03"
    return decoder_of(*more).decode("sl651/v1/0012345678", data + crc16(data).to_bytes(2), NOON_US)


@pytest.mark.parametrize("field", [f"{ident:02X}" for ident in range(0xF5, 0xFD)])
def test_levels_1_to_8_of_an_hour_are_twelve_levels(field: str) -> None:
    """0x0096 is 150 counts of 1 cm: 1.50 m; each is a centimetre more than the one before."""
    counts = "".join(f"{150 + step:04X}" for step in range(12))
    found = decoded(f"{field}C0{counts}", (field, "water_depth_m") if field != "F5" else ("99", "battery_v"))
    assert found.faults == []
    expected = [(NOON_US - (11 - step) * STEP_US, (150 + step) / 100) for step in range(12)]
    assert [(told.reading.observed_us, told.reading.value) for told in found.told] == expected


@pytest.mark.parametrize("field", ["F4", "F6", "FC"])
def test_an_array_of_another_length_is_nothing_and_the_elements_beside_it_are_read(field: str) -> None:
    """Four bytes of digits, as a number has them, are not one: 0.3 m would be wrong."""
    found = decoded(f"{field}230000030038121250", (field, "water_depth_m"))
    assert [(told.reading.quantity, told.reading.value) for told in found.told] == [("battery_v", 12.5)]
    assert [fault.detail for fault in found.faults] == [f"element {field} has 4 bytes"]


def test_digits_too_many_for_one_number_are_refused_by_name() -> None:
    """FD is a batch of velocities: read as one number it would be nobody's."""
    found = decoded("FDC0" + "00" * 23 + "12" + "38121250", ("FD", "pump_current_a"))
    assert [(told.reading.quantity, told.reading.value) for told in found.told] == [("battery_v", 12.5)]
    assert [(fault.reason.value, fault.detail) for fault in found.faults] == [
        ("unsupported_frame", "element FD of 24 bytes is not read")
    ]


def test_a_serial_number_stands_at_the_newest_time_alone() -> None:
    """The last level of the hour is missing, so the one of 5 minutes before is no newest, and 39 is."""
    hour = "0096" * 11 + "FFFF"
    found = decoded(f"F5C0{hour}392300001510")
    assert [(told.reading.observed_us, told.reading.seq) for told in found.told[-2:]] == [
        (NOON_US - STEP_US, None),
        (NOON_US, 257),
    ]
    assert {told.reading.seq for told in found.told[:-2]} == {None}
    (last,) = [told.reading for told in decoded(f"F5C0{hour}").told if told.reading.seq is not None]
    assert (last.observed_us, last.seq) == (NOON_US - STEP_US, 257), "by itself it is the newest, and the report counts"


def test_a_report_of_two_observation_times_counts_once() -> None:
    found = decoded("392300001500F0F02607012005392300001510")
    assert [told.reading.seq for told in found.told] == [None, 257]
