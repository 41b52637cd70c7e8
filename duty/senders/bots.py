"""Group robots of WeCom 企业微信, DingTalk 钉钉 and Feishu 飞书: a 200 with an error code inside is a refusal."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

import orjson

from duty.senders.answer import Answer
from duty.senders.base import Accepted, Outcome, Outgoing, Permanent, Temporary, cut
from duty.senders.http import UNKNOWN_CODE_TRIES, post, refused, unreadable

Now = Callable[[], float]
"""Seconds since 1970, for signatures."""

# DingTalk takes nothing for ten minutes from a robot that sent more than 20 in one (130101).
WECOM_TEMPORARY = {-1: 1.0, 45009: 60.0, 45033: 10.0}
WECOM_PERMANENT = frozenset({40001, 40008, 40014, 40035, 42001, 44004, 45002, 93000})
DINGTALK_TEMPORARY = {-1: 1.0, 130101: 600.0, 660026: 60.0, 410100: 60.0}
DINGTALK_PERMANENT = frozenset({300001, 310000, 400001, 400002, 400013, 400101, 400102, 400105, 400106})
FEISHU_TEMPORARY = {11232: 60.0, 11233: 60.0, 11247: 60.0}
FEISHU_MANY = 9499
"""What Feishu calls a bad request; with these words it is its limit, five a second."""
FEISHU_MANY_WORDS = "too many"
FEISHU_MANY_S = 1.0
FEISHU_PERMANENT = frozenset({9499, 19001, 19002, 19005, 19021, 19022, 19024, 19036})


@dataclass(frozen=True, slots=True)
class WeCom:
    """A group robot of WeCom; the address is the user to be mentioned, or ``@all``."""

    url: str
    timeout_s: float
    most_bytes: int = 2048

    def send(self, message: Outgoing) -> Outcome:
        """Send as text."""
        text = {"content": cut(message.body, self.most_bytes), "mentioned_list": [message.address]}
        answer = _post(self.url, {"msgtype": "text", "text": text}, message.key, self.timeout_s)
        return _judge(answer, "errcode", "errmsg", WECOM_TEMPORARY, WECOM_PERMANENT)


@dataclass(frozen=True, slots=True)
class DingTalk:
    """A group robot of DingTalk with its signing secret; the address is the mobile number to be mentioned."""

    url: str
    secret: str
    timeout_s: float
    now: Now
    most_bytes: int = 18_000

    def send(self, message: Outgoing) -> Outcome:
        """Send as text, signed by timestamp."""
        stamp = str(round(self.now() * 1000))
        sign = _hmac(self.secret.encode(), f"{stamp}\n{self.secret}".encode())
        url = f"{self.url}{'&' if '?' in self.url else '?'}timestamp={stamp}&sign={quote_plus(sign)}"
        everybody = message.address == "@all"
        at = {"isAtAll": True} if everybody else {"atMobiles": [message.address]}
        content = {"msgtype": "text", "text": {"content": cut(message.body, self.most_bytes)}, "at": at}
        answer = _post(url, content, message.key, self.timeout_s)
        return _judge(answer, "errcode", "errmsg", DINGTALK_TEMPORARY, DINGTALK_PERMANENT)


@dataclass(frozen=True, slots=True)
class Feishu:
    """A group robot of Feishu with its signing secret; the address is the user to be mentioned, or ``all``."""

    url: str
    secret: str
    timeout_s: float
    now: Now
    most_bytes: int = 18_000

    def send(self, message: Outgoing) -> Outcome:
        """Send as text, signed by timestamp: the key of the signature is timestamp and secret, its message is empty."""
        stamp = str(int(self.now()))
        sign = _hmac(f"{stamp}\n{self.secret}".encode(), b"")
        mention = f'<at user_id="{message.address}"></at>\n'
        content = {
            "timestamp": stamp, "sign": sign, "msg_type": "text",
            "content": {"text": mention + cut(message.body, self.most_bytes)},
        }  # fmt: skip
        answer = _post(self.url, content, message.key, self.timeout_s)
        is_many = (
            isinstance(answer, Answer)
            and answer.json.get("code") == FEISHU_MANY
            and (FEISHU_MANY_WORDS in str(answer.json.get("msg", "")).lower())
        )
        temporary = FEISHU_TEMPORARY | ({FEISHU_MANY: FEISHU_MANY_S} if is_many else {})
        return _judge(answer, "code", "msg", temporary, FEISHU_PERMANENT)


def _hmac(key: bytes, text: bytes) -> str:
    return base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()


def _post(url: str, content: dict[str, Any], key: str, timeout_s: float) -> Answer | Outcome:
    return post(url, orjson.dumps(content), {"Idempotency-Key": key}, timeout_s, reads_400=True)


def _judge(
    answer: Answer | Outcome, code_name: str, words_name: str, temporary: Mapping[int, float], permanent: frozenset[int]
) -> Outcome:
    if not isinstance(answer, Answer):
        return answer
    if answer.unread and answer.status < 300:
        return unreadable(answer)
    code = answer.json.get(code_name)
    if answer.status >= 300 and code not in tuple(temporary):
        return Permanent(f"HTTP {answer.status}: error code {code}: {str(answer.json.get(words_name, ''))[:200]}")
    if code == 0 and not isinstance(code, bool):
        return Accepted(f"{code_name} 0")
    if code is None:
        return Temporary(f"the answer has no {code_name}: {answer.text[:200]}", most=UNKNOWN_CODE_TRIES)
    return refused(code, answer.json.get(words_name, ""), temporary, permanent)
