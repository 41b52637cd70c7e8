"""What a service answered, read whatever it is written in: a refusal in GBK is a refusal."""

from __future__ import annotations

import codecs
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

MOST_ANSWER_BYTES = 64 * 1024
LONGEST_WAIT_S = 600.0

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_ENCODINGS = ("utf-8", "gb18030")
"""Without a mark: GB18030 holds all of GBK and GB 2312, which systems in Chinese answer in."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status below 300, or 400 where asked for, and what was said with it.

    ``json`` is the JSON object, empty where there was none; ``text`` what was said instead, stripped; ``unread`` says
    in a few words why what looks like a page or like JSON is no JSON object, and is empty where nothing looks so.
    """

    status: int
    json: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""
    unread: str = ""


def read(status: int, content: bytes) -> Answer:
    """Return what was answered; content longer than `MOST_ANSWER_BYTES` is not read.

    Examples
    --------
    >>> read(200, '{"code": 1, "msg": "发送失败"}'.encode("gbk")).json["msg"]
    '发送失败'
    >>> read(200, b"<html>Please log in</html>").unread
    'a page, no JSON'
    >>> read(200, b"ok")
    Answer(status=200, json={}, text='ok', unread='')
    """
    if len(content) > MOST_ANSWER_BYTES:
        return Answer(status, unread=f"longer than {MOST_ANSWER_BYTES} bytes")
    text = _text_of(content)
    if text is None:
        return Answer(status, unread="bytes in no known encoding")
    text = text.strip()
    try:
        parsed = _parsed(text)
    except ValueError:
        looks = {"<": "a page, no JSON", "{": "broken JSON", "[": "broken JSON"}
        return Answer(status, text=text, unread=looks.get(text[:1], ""))
    if isinstance(parsed, dict):
        return Answer(status, parsed)
    if isinstance(parsed, list):
        return Answer(status, unread="a JSON list, no object")
    return Answer(status, text=str(parsed).strip())


def wait_s(retry_after: str, date: str) -> float:
    """Return how long `Retry-After` asks to wait, in seconds or as a date beside the service's own `Date`. [s]

    At most ten minutes; 0 where it says nothing that can be read.

    Examples
    --------
    >>> wait_s("7", "")
    7.0
    >>> wait_s("Wed, 01 Jul 2026 08:02:00 GMT", "Wed, 01 Jul 2026 08:00:30 GMT")
    90.0
    """
    if retry_after.isascii() and retry_after.isdigit():
        return min(float(retry_after), LONGEST_WAIT_S)
    try:
        wait = (parsedate_to_datetime(retry_after) - parsedate_to_datetime(date)).total_seconds()
    except (TypeError, ValueError):
        return 0.0
    return min(max(wait, 0.0), LONGEST_WAIT_S)


def _text_of(content: bytes) -> str | None:
    encodings = [encoding for mark, encoding in _MARKS if content.startswith(mark)] or _ENCODINGS
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        try:
            return json.loads(text)  # it takes NaN, and lone surrogates
        except RecursionError as error:
            raise ValueError("too deep") from error
