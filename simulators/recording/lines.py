"""One line of a recording: ``{"t", "topic", "qos", "retain", "payload_b64"}``, as ``recording.schema.json`` says."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from undercroft.errors import ScenarioInvalid

SCHEMA_FILE = "recording.schema.json"
_KEYS = ("t", "topic", "qos", "retain", "payload_b64")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A message as it arrived."""

    t: datetime
    """When, in UTC."""
    topic: str
    qos: int
    retain: bool
    """It was kept by the broker and delivered at the recorder's subscription."""
    payload: bytes


def line_of(message: Recorded) -> bytes:
    r"""Return the line of a message, its newline included.

    Examples
    --------
    >>> line_of(Recorded(datetime(2026, 7, 1, 12, tzinfo=UTC), "a/b", 1, False, b"hi"))
    b'{"t":"2026-07-01T12:00:00.000000Z","topic":"a/b","qos":1,"retain":false,"payload_b64":"aGk="}\n'
    """
    values = (
        f"{message.t.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z",
        message.topic,
        message.qos,
        message.retain,
        base64.b64encode(message.payload).decode(),
    )
    text = json.dumps(dict(zip(_KEYS, values, strict=True)), ensure_ascii=False, separators=(",", ":"))
    return text.encode() + b"\n"


def read_recording(path: Path) -> Iterator[Recorded]:
    """Yield the messages of a file, in order. A last line that was cut short by a crash is left out.

    Raises
    ------
    ScenarioInvalid
        If the file cannot be read, or a line is no message; with its number.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    yield _message_of(line)
                except ValueError as error:
                    if not line.endswith(b"\n"):
                        return
                    raise ScenarioInvalid(f"{path}:{number}: {error}") from error
    except OSError as error:
        raise ScenarioInvalid(f"{path}: cannot be read: {error.strerror or error}") from error


def _message_of(line: bytes) -> Recorded:
    try:
        body = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError("not a line of JSON") from None
    if not isinstance(body, dict) or tuple(sorted(body)) != tuple(sorted(_KEYS)):
        raise ValueError(f"expected an object with {', '.join(_KEYS)}")
    return Recorded(_time(body["t"]), _topic(body["topic"]), _qos(body["qos"]), _retain(body["retain"]), _payload(body))


def _time(value: Any) -> datetime:
    if isinstance(value, str):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    raise ValueError("t is no date and time with offset")


def _topic(value: Any) -> str:
    if not isinstance(value, str) or not value or "+" in value or "#" in value or "\0" in value:
        raise ValueError("topic is no MQTT topic")
    return value


def _qos(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= 2:
        raise ValueError("qos is none of 0, 1, 2")
    return value


def _retain(value: Any) -> bool:
    if value is True or value is False:
        return bool(value)
    raise ValueError("retain is neither true nor false")


def _payload(body: dict[str, Any]) -> bytes:
    text = body["payload_b64"]
    if not isinstance(text, str):
        raise ValueError("payload_b64 is no text")  # noqa: TRY004 - one kind of error for a line that is wrong
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("payload_b64 is not base64") from error
