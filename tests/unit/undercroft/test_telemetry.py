"""Log lines."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import structlog

from undercroft.telemetry import configure_logging


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_text_is_key_value_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("text", service="ingest")
    structlog.get_logger().info("batch_stored", batch_id=7, note="two words", ok=True)
    out, err = capsys.readouterr()
    assert out == ""
    words = err.split(" ", 1)
    assert words[0].startswith("timestamp=")
    assert words[0].endswith("Z")
    assert words[1] == 'level=info event=batch_stored batch_id=7 note="two words" ok=true service=ingest\n'


def test_a_value_cannot_forge_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("text")
    structlog.get_logger().warning("refused", topic="a\nlevel=info event=fine")
    assert capsys.readouterr().err.count("\n") == 1


def test_json_is_one_object_per_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("json")
    structlog.get_logger().error("refused", place="青禾苑")
    found = json.loads(capsys.readouterr().err)
    assert (found["event"], found["level"], found["place"]) == ("refused", "error", "青禾苑")


def test_debug_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("text")
    structlog.get_logger().debug("noise")
    assert capsys.readouterr().err == ""
