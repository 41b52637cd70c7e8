"""Foreign messages in a batch: live under their own topics, in an exercise under the district's."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ingest.batch import Draft, Message, build_draft
from ingest.reasons import Reason
from ingest.run_clock import RunClock
from ingest.sensors import Directory, build_directory
from tests.unit.ingest.builders import BATTERY, LEVEL, NOON_US, SPLIT_B, TABLE, level, message
from undercroft.model import Mode
from undercroft.site.model import Decoder

DEFINITION = {
    "id": "senml",
    "kind": "senml",
    "topic": "senml/#",
    "devices": [{"key": "a:1", "device": "g1-level"}],
    "fields": [
        {"field": "cm", "quantity": "water_depth_m", "scale": 0.01},
        {"field": "south", "quantity": "water_depth_m", "at": "south"},
        {"field": "u", "quantity": "battery_v"},
    ],
}
PACK = [
    {"bn": "a:1:", "bt": NOON_US / 1e6, "n": "cm", "v": 12},
    {"bn": "g2-multi:", "n": "south", "v": 0.5},
    {"n": "u", "v": 12.5},
]


def foreign(mode: Mode = Mode.LIVE) -> Directory:
    decoder = Decoder.model_validate_json(json.dumps(DEFINITION), strict=True)
    return build_directory(mode, replace(TABLE, decoders=(decoder,)))


def rows_of(draft: Draft) -> list[tuple[int, int, float]]:
    rows = draft.rows
    return list(zip(rows.sensor_ids.tolist(), rows.observed_us.tolist(), rows.values.tolist(), strict=True))


STORED = [(LEVEL, NOON_US, 0.12), (SPLIT_B, NOON_US, 0.5), (BATTERY, NOON_US, 12.5)]


def test_a_pack_of_two_devices_becomes_their_rows() -> None:
    draft = build_draft([message("senml/plant/7", PACK), level(0.3)], foreign(), None)

    assert rows_of(draft) == [*STORED, (LEVEL, NOON_US, 0.3)]
    assert draft.letters == ()


def test_a_retained_pack_without_a_time_is_no_reading_of_now() -> None:
    """A broker hands it out at every subscription, however old it is."""
    pack = [{"bn": "a:1:", "n": "cm", "v": 60}]
    fresh, kept = message("senml/plant/7", pack), message("senml/plant/7", pack)._replace(retain=True)

    draft = build_draft([fresh, kept], foreign(), None)

    assert rows_of(draft) == [(LEVEL, NOON_US, 0.6)]
    assert [letter.reason for letter in draft.letters] == [Reason.BAD_TIMESTAMP]


def test_in_an_exercise_it_stands_under_the_district() -> None:
    clock = RunClock(NOON_US, 1)
    messages = [message("exercise/v1/futian/foreign/senml/plant/7", PACK), message("senml/plant/7", PACK)]

    draft = build_draft(messages, foreign(Mode.EXERCISE), clock)

    assert rows_of(draft) == STORED
    assert [letter.reason for letter in draft.letters] == ["bad_topic"]


def test_before_the_run_clock_it_is_a_dead_letter() -> None:
    draft = build_draft([message("exercise/v1/futian/foreign/senml/x", PACK)], foreign(Mode.EXERCISE), None)

    assert [letter.reason for letter in draft.letters] == ["no_run_clock"]


@pytest.mark.parametrize(
    ("record", "reason", "detail", "named"),
    [
        ({"n": "zz:cm", "v": 1}, "unknown_device", "no device 'zz' in the site data", ("g1-level", "g2-multi", "zz")),
        ({"n": "a:1:u", "v": 1}, "unknown_sensor", "g1-level does not measure 'battery_v'", ("g1-level", "g2-multi")),
        ({"n": "a:1:south", "v": 1}, "unknown_probe", "g1-level has no probe 'south'", ("g1-level", "g2-multi")),
        ({"n": "a:1:ph", "v": 1}, "unknown_field", "'ph' of 'a:1'", ("g1-level", "g2-multi")),
    ],
)
def test_what_has_no_sensor_is_a_dead_letter_beside_its_neighbours(
    record: dict[str, object], reason: str, detail: str, named: tuple[str, ...]
) -> None:
    draft = build_draft([message("senml/x", [*PACK, {"bn": "", **record}])], foreign(), None)

    assert rows_of(draft) == STORED
    assert [(letter.reason, letter.detail) for letter in draft.letters] == [(reason, detail)]
    assert [(letter.named_devices, letter.device_id) for letter in draft.letters] == [(named, None)]


def test_a_topic_of_no_decoder_stays_a_bad_topic() -> None:
    messages = [message("lora/x", PACK), Message(b"senml/\xff", b"[]", 1, 1, False, NOON_US)]

    draft = build_draft(messages, foreign(), None)

    assert [letter.reason for letter in draft.letters] == ["bad_topic", "bad_topic"]


@pytest.mark.parametrize(
    ("definition", "topic", "payload"),
    [
        ({"kind": "senml", "device_level": 2}, "x/A:1", b"no JSON"),
        ({"kind": "senml"}, "x/7", b'[{"n": "a:1:cm", "vs": "text"}, {"n": "a:1:cm", "v": 1}]'),
        ({"kind": "chirpstack"}, "x/7", b'{"deviceInfo": {"devEui": "A:1"}, "time": "never"}'),
        ({"kind": "ttn", "device_field": "name"}, "x/7", b'{"name": "a:1"}'),
    ],
)
def test_a_letter_names_its_device_where_topic_or_payload_does(
    definition: dict[str, object], topic: str, payload: bytes
) -> None:
    text = json.dumps({**DEFINITION, **definition, "topic": "x/+"})
    table = replace(TABLE, decoders=(Decoder.model_validate_json(text, strict=True),))
    (letter,) = build_draft([message(topic, payload)], build_directory(Mode.LIVE, table), None).letters
    assert (letter.named_devices, letter.device_id) == (("g1-level",), "g1-level")


def test_a_letter_of_an_unknown_device_is_named_and_counts_for_none() -> None:
    (letter,) = build_draft([message("flood/v1/futian/garage-1/nobody/event", {})], foreign(), None).letters
    assert (letter.named_devices, letter.device_id) == (("nobody",), None)
