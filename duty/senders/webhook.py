"""A webhook of the bureau's own systems: JSON, signed, with the idempotency key in the header and the body."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from duty.senders.answer import Answer
from duty.senders.base import Accepted, Outcome, Outgoing, Permanent, Temporary
from duty.senders.http import UNKNOWN_CODE_TRIES, post, refused, unreadable

CODES = ("errcode", "code", "error_code")
"""Fields in which services say inside a 200 by number whether they refuse."""

YES_OR_NO = ("success", "ok")
WORDS_OF_NO = frozenset({"false", "no", "n", "0", "off"})
STATUSES_OF_REFUSAL = frozenset({"error", "err", "fail", "failed", "failure", "refused", "rejected", "false", "no"})
LEAST_STATUS_OF_REFUSAL = 400
"""A status in figures means what HTTP means by it."""
ERRORS = ("error", "errors")
WORDS_OF_NO_ERROR = frozenset({"", "0", "none", "null", "no", "false"})
CODES_OF_SUCCESS = frozenset({0, 200})
WORDS_OF_SUCCESS = frozenset({"ok", "success"})
WORDS = ("errmsg", "message", "msg", "error")


@dataclass(frozen=True, slots=True)
class Webhook:
    """Posts to one URL; the address is passed on."""

    url: str
    secret: str
    timeout_s: float
    now: Callable[[], float]
    most_bytes: int | None = None

    def send(self, message: Outgoing) -> Outcome:
        """Send; the receipt is ``id`` or ``receipt`` of the answer."""
        body = orjson.dumps(asdict(message), option=orjson.OPT_SORT_KEYS)
        stamp = str(int(self.now()))
        headers = {
            "Idempotency-Key": message.key,
            "Undercroft-Timestamp": stamp,
            "Undercroft-Signature": sign(self.secret, stamp, body),
        }
        answer = post(self.url, body, headers, self.timeout_s)
        if not isinstance(answer, Answer):
            return answer
        if answer.unread:
            return unreadable(answer)
        if answer.text.lower() in STATUSES_OF_REFUSAL:
            return Temporary(answer.text, most=UNKNOWN_CODE_TRIES)
        refusal = refusal_in(answer.json)
        if refusal is not None:
            return refusal
        receipt = answer.json.get("receipt", answer.json.get("id", ""))
        return Accepted(f"HTTP {answer.status} {receipt}".strip())


def refusal_in(answer: Mapping[str, Any]) -> Temporary | Permanent | None:
    """Return how an answer below 300 refuses, or None when it does not; a field that is absent or null says nothing.

    A code of 0 or 200, as a number or in digits (``"0000"``), or the words ok and success, takes the message. Refusals
    that nobody knows, tried a few times: another number; ``success`` or ``ok`` false, as a value, number or word; a
    ``status`` of error, false, or from 400; an ``error`` or ``errors`` that says anything but none.
    A code that is neither number nor word is a refusal for good.

    Examples
    --------
    >>> refusal_in({"code": "0000", "errcode": None})
    >>> refusal_in({"code": {"value": 0}})
    Permanent(error="error code {'value': 0}: ")
    """
    words = next((answer[name] for name in WORDS if isinstance(answer.get(name), str)), "")
    for name in CODES:
        code = _number_in(answer.get(name, 0))
        taken = code is None or (isinstance(code, str) and code.lower() in WORDS_OF_SUCCESS)
        if not taken and (isinstance(code, bool | str | list | dict) or code not in CODES_OF_SUCCESS):
            return refused(code if isinstance(code, int) else str(code)[:200], words, {}, frozenset())
    said_no = _no_in(answer)
    return Temporary(f"{said_no}: {words[:200]}", most=UNKNOWN_CODE_TRIES) if said_no else None


def _no_in(answer: Mapping[str, Any]) -> str | None:
    """Return what in an answer says no, in a few words; None when nothing does."""
    for name in YES_OR_NO:
        if _word_in(answer.get(name, True)) in WORDS_OF_NO:
            return name
    status = answer.get("status")
    number = _number_in(status)
    if isinstance(number, int | float) and not isinstance(number, bool) and number >= LEAST_STATUS_OF_REFUSAL:
        return f"status {number}"
    if _word_in(status) in STATUSES_OF_REFUSAL:
        return f"status {str(status)[:40]}"
    for name in ERRORS:
        error = answer.get(name)
        if error not in ([], {}) and error is not None and _word_in(error) not in WORDS_OF_NO_ERROR:
            return name
    return None


def _word_in(value: object) -> str:
    """Return a value as a word in small letters: false and 0 as text and as what they are."""
    return str(value).strip().lower()


def _number_in(code: object) -> object:
    """Return the number that digits write; ``int`` would take more than plain digits."""
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) <= 18:
        return int(code)
    return code


def sign(secret: str, stamp: str, body: bytes) -> str:
    """Return the signature of a body: HMAC-SHA256 over ``timestamp.body``."""
    return "sha256=" + hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
