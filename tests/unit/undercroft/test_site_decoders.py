"""Decoders in a site file: what is read, and everything that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.undercroft.site_text import SITE_TEXT, problems_of, write_site
from undercroft.site.document import site_document, site_from_document
from undercroft.site.load import load_site
from undercroft.site.model import DecoderKind

DECODER = """
[[decoder]]
id = "lora"
kind = "chirpstack"
topic = "application/+/device/+/event/up"
devices = [{ key = "0101010101010101", device = "s1-in" }]
fields = [{ field = "depth_mm", quantity = "water_depth_m", scale = 0.001 }]
ignore = ["rssi"]
"""


def test_a_decoder_is_read_and_written_back(tmp_path: Path) -> None:
    site = load_site(write_site(tmp_path, SITE_TEXT + DECODER))

    (decoder,) = site.decoders
    assert (decoder.kind, decoder.topic) == (DecoderKind.CHIRPSTACK, "application/+/device/+/event/up")
    assert (decoder.fields[0].scale, decoder.fields[0].offset, decoder.ignore) == (0.001, 0.0, ("rssi",))
    assert site_from_document(site_document(site)) == site


def test_a_site_without_decoders_has_none(tmp_path: Path) -> None:
    assert load_site(write_site(tmp_path, SITE_TEXT)).decoders == ()


@pytest.mark.parametrize(
    ("old", "new", "field", "expected"),
    [
        ('"chirpstack"', '"lorawan"', "kind", "one of senml, chirpstack, ttn, sl651"),
        ("application/+/", "#/", "topic", "an MQTT topic filter whose first level is a plain name"),
        ("application/+/", "app+/", "topic", "an MQTT topic filter whose first level is a plain name"),
        ("application/+/", "$share/x/", "topic", "an MQTT topic filter whose first level is a plain name"),
        ("application/+/", "flood/v1/", "topic", "a topic outside exercise and flood, which need no decoder"),
        ("id =", "device_level = 2\nid =", "device_level", "nothing: only senml have it"),
        ('"s1-in"', '"s9"', "devices[#1].device", "the id of a device of this district"),
        ('"water_depth_m"', '"depth"', "fields[#1].quantity", "a quantity that sensors measure"),
        ('"water_depth_m"', '"online"', "fields[#1].quantity", "a quantity that sensors measure"),
        (
            '"water_depth_m"',
            '"pump_current_a"',
            "fields[#1].quantity",
            "one that some device of this district measures",
        ),
        ("scale", 'at = "x", scale', "fields[#1].quantity", "one that some device of this district measures at x"),
        ("0.001", "0", "fields[#1].scale", "a number other than 0"),
        ("scale = 0.001", "invert = true", "fields[#1].invert", "nothing: water_depth_m is not true or false"),
        ("scale = 0.001", "period_s = 60", "fields[#1].period_s", "nothing: water_depth_m has no period"),
        ("scale = 0.001", 'unit = "m"', "fields[#1].unit", "nothing: only senml states units"),
        ('"rssi"', '"depth_mm"', "ignore[#1]", "a field that is not mapped"),
    ],
)
def test_what_cannot_be(tmp_path: Path, old: str, new: str, field: str, expected: str) -> None:
    assert old in DECODER
    problems = problems_of(tmp_path, SITE_TEXT + DECODER.replace(old, new, 1))

    assert [(problem.field, problem.expected) for problem in problems] == [(f"decoder[lora].{field}", expected)]


@pytest.mark.parametrize(
    ("topic", "told"),
    [
        ("application/1/#", {"topic": "a topic filter that meets no other decoder's"}),
        ("v3/#", {}),
    ],
)
def test_topics_must_not_meet(tmp_path: Path, topic: str, told: dict[str, str]) -> None:
    second = DECODER.replace('"lora"', '"two"').replace("application/+/device/+/event/up", topic)

    text = SITE_TEXT + DECODER + second
    problems = problems_of(tmp_path, text) if told else []

    assert {problem.field: problem.expected for problem in problems} == {
        f"decoder[two].{key}": words for key, words in told.items()
    }
    if not told:
        assert len(load_site(write_site(tmp_path, text)).decoders) == 2


def test_what_is_said_twice(tmp_path: Path) -> None:
    twice = DECODER.replace("devices = [", 'devices = [{ key = "0101010101010101", device = "s1-n" }, ').replace(
        "fields = [", 'fields = [{ field = "depth_mm", quantity = "water_depth_m" }, '
    )

    problems = problems_of(tmp_path, SITE_TEXT + twice + DECODER.replace("application", "other"))

    assert [(problem.field, problem.expected) for problem in problems] == [
        ("decoder[lora].devices[#2].key", "a key used once only; capitals do not count"),
        ("decoder[lora].fields[#2].field", "a field mapped once only"),
        ("decoder[lora].id", "a decoder id used once only"),
    ]


def rain_field(stated: str, mapped: str) -> str:
    rain = f', {{ quantity = "rain_depth_mm"{stated} }}] }},'
    field = f'"rain_depth_mm", {mapped}'
    return SITE_TEXT.replace("] },", rain, 1) + DECODER.replace('"water_depth_m", scale = 0.001', field)


def test_a_rain_field_has_the_period_that_its_sensor_states(tmp_path: Path) -> None:
    (problem,) = problems_of(tmp_path, rain_field(", period_s = 300", "period_s = 60"))
    assert (problem.field, problem.expected) == ("decoder[lora].fields[#1].period_s", "300, as the sensor states")
    for stated in (", period_s = 60", ""):
        assert load_site(write_site(tmp_path, rain_field(stated, "period_s = 60"))).decoders


def test_only_a_rain_depth_has_a_period(tmp_path: Path) -> None:
    text = SITE_TEXT.replace('quantity = "water_depth_m"', 'quantity = "water_depth_m", period_s = 60', 1)
    (problem,) = problems_of(tmp_path, text)
    assert (problem.field.rpartition(".")[2], problem.expected) == ("period_s", "nothing: water_depth_m has no period")
