"""A webhook of the bureau's own systems: JSON, signed, with the idempotency key in the header and the body."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import asdict, dataclass

import orjson

from duty.senders.base import Accepted, Outcome, Outgoing
from duty.senders.http import Answer, post, refused

CODES = ("errcode", "code", "error_code")
"""Fields in which services say inside a 200 that they refuse."""


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
        for name in CODES:
            code = answer.json.get(name, 0)
            if code not in {0, 200, "0", "ok"}:
                return refused(code, answer.json.get("errmsg", answer.json.get("message", "")), {}, frozenset())
        receipt = answer.json.get("receipt", answer.json.get("id", ""))
        return Accepted(f"HTTP {answer.status} {receipt}".strip())


def sign(secret: str, stamp: str, body: bytes) -> str:
    """Return the signature of a body: HMAC-SHA256 over ``timestamp.body``."""
    return "sha256=" + hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
