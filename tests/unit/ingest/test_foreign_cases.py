"""Every folder under ``cases/<decoder>/``: a topic and a payload, and the readings and faults that come of them."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ingest.foreign.decoder import ForeignDecoder
from tests.unit.ingest.builders import NOON_US
from undercroft.errors import PayloadInvalid
from undercroft.site.model import Decoder, DecoderKind
from undercroft.topic_filters import filter_matches

CASES = Path(__file__).parent / "cases"
NATIVE = "native"
"""Needs no site data: `tests/unit/ingest/test_native_cases.py`."""
KINDS = {path.parent.parent.name for path in CASES.glob("*/*/expected.json")}
FOLDERS = sorted(path.parent for path in CASES.glob("*/*/expected.json") if path.parent.parent.name != NATIVE)


def decoder_of(folder: Path) -> ForeignDecoder:
    own = folder / "decoder.toml"
    text = (own if own.exists() else folder.parent / "decoder.toml").read_text(encoding="utf-8")
    return ForeignDecoder(Decoder.model_validate_json(json.dumps(tomllib.loads(text)), strict=True))


def payload_of(folder: Path) -> bytes:
    text = folder / "payload.hex"
    return bytes.fromhex(text.read_text()) if text.exists() else (folder / "payload.json").read_bytes()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_case(folder: Path) -> None:
    decoder, topic = decoder_of(folder), (folder / "topic").read_text(encoding="utf-8").strip()
    found: dict[str, Any]
    try:
        told, faults, by_receipt = decoder.decode(topic, payload_of(folder), NOON_US)
    except PayloadInvalid as error:
        found = {"invalid": {"reason": error.reason, "detail": error.detail}}
    else:
        found = {
            "readings": [
                {
                    "device": device,
                    "at": reading.at,
                    "quantity": reading.quantity,
                    "value": reading.value,
                    "observed_at": reading.observed_us,
                    "seq": reading.seq,
                }
                for device, reading in told
            ],
            "faults": [{"reason": fault.reason.value, "detail": fault.detail} for fault in faults],
        }

    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))

    assert found == expected
    if "readings" in found:
        later = decoder.decode(topic, payload_of(folder), NOON_US + 1).told
        assert by_receipt == (later != told), "said to stand at its receipt if it moves with it"
    assert filter_matches(decoder.definition.topic, topic)


def test_every_kind_has_cases() -> None:
    assert {NATIVE, *(kind.value for kind in DecoderKind)} == KINDS


def test_the_example_of_the_manual_is_a_decoder() -> None:
    manual = (Path(__file__).parents[3] / "docs" / "operations" / "decoders.md").read_text(encoding="utf-8")
    (definition,) = tomllib.loads(manual.split("```toml")[1].split("```")[0])["decoder"]

    decoder = ForeignDecoder(Decoder.model_validate_json(json.dumps(definition), strict=True))
    uplink = {
        "time": "2026-07-01T12:00:00Z",
        "deviceInfo": {"devEui": "a8404187d187106e"},
        "object": {"distance_mm": 2900, "lid": {"closed": True}, "BatV": 3.3},
    }
    told, faults, _ = decoder.decode("application/1/device/2/event/up", json.dumps(uplink).encode(), NOON_US)

    assert [(device, reading.quantity, round(reading.value, 9)) for device, reading in told] == [
        ("garage-1-level", "water_depth_m", 0.1),
        ("garage-1-level", "door_open", 0.0),
    ]
    assert faults == []
