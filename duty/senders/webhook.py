"""A webhook of the bureau's own systems: JSON, signed, with the idempotency key in the header and the body."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from duty.senders.base import Accepted, Outcome, Outgoing, Permanent, Temporary
from duty.senders.http import UNKNOWN_CODE_TRIES, Answer, post, refused

CODES = ("errcode", "code", "error_code")
"""Fields in which services say inside a 200 by number whether they refuse."""

YES_OR_NO = ("success", "ok")
STATUSES_OF_REFUSAL = frozenset({"error", "err", "fail", "failed", "failure", "refused", "rejected"})
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
        refusal = refusal_in(answer.json)
        if refusal is not None:
            return refusal
        receipt = answer.json.get("receipt", answer.json.get("id", ""))
        return Accepted(f"HTTP {answer.status} {receipt}".strip())


def refusal_in(answer: Mapping[str, Any]) -> Temporary | Permanent | None:
    """Return how an answer below 300 refuses, or None when it does not; a field that is absent or null says nothing.

    A code of 0 or 200, as a number or in digits (``"0000"``), or the words ok and success, takes the message. Another
    number, ``success`` or ``ok`` false and a ``status`` of error are refusals that nobody knows, tried a few times.
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
    said_no = next((name for name in YES_OR_NO if answer.get(name) is False), None)
    status = answer.get("status")
    if said_no is None and isinstance(status, str) and status.lower() in STATUSES_OF_REFUSAL:
        said_no = f"status {status}"
    return Temporary(f"{said_no}: {words[:200]}", most=UNKNOWN_CODE_TRIES) if said_no else None


def _number_in(code: object) -> object:
    """Return the number that digits write; ``int`` would take more than plain digits."""
    if isinstance(code, str) and code.isascii() and code.isdigit() and len(code) <= 18:
        return int(code)
    return code


def sign(secret: str, stamp: str, body: bytes) -> str:
    """Return the signature of a body: HMAC-SHA256 over ``timestamp.body``."""
    return "sha256=" + hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
