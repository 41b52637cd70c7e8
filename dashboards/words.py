"""Codes of the database in Chinese and English: the words that duty and reports have for them, and no second ones."""

from __future__ import annotations

from collections.abc import Mapping

from dashboards.house import Json
from duty.model import Reason
from duty.orders.orders import OrderState
from duty.reports.log_words import KINDS, PROOFS
from duty.telling.texts import REASON_WORDS

Words = tuple[str, str]

ORDER_STATES: Mapping[str, Words] = {
    OrderState.ISSUED: ("已下达", "issued"), OrderState.TAKEN: ("已接令", "taken"),
    OrderState.CONFIRMED: ("已确认", "confirmed"), OrderState.REFUSED: ("被拒", "refused"),
    OrderState.CANCELLED: ("已取消", "cancelled"),
}  # fmt: skip
ALARM_EVENTS: Mapping[str, Words] = {
    "raised": ("报警", "raised"), "severity_up": ("升级", "risen"), "severity_down": ("降级", "fallen"),
    "reason_added": ("新增原因", "a further reason"), "cleared": ("解除", "ended"),
    "acknowledged": ("已接警", "acknowledged"), "stood_down": ("人工解除", "stood down"),
    "shelved": ("搁置", "shelved"), "unshelved": ("取消搁置", "unshelved"), "refused": ("不予受理", "refused"),
}  # fmt: skip
MESSAGE_STATES: Mapping[str, Words] = {
    "queued": ("待发", "queued"), "sending": ("发送中", "sending"), "accepted": ("已收下", "accepted"),
    "handed_over": ("已转交", "handed over"), "merged": ("已合并", "merged"), "held": ("暂扣", "held"),
    "failed": ("失败", "failed"),
}  # fmt: skip

MESSAGE_REASONS: Mapping[str, Words] = {
    **{reason.value: words for reason, words in REASON_WORDS.items()},
    Reason.REFUSED.value: ("升级，前一通道拒收", "escalated, the channel before refused it"),
}
"""Those of a message; that of a refusal names nobody here."""

WARNING_STATES: Mapping[str, Words] = {"in_force": ("生效", "in force"), "ended": ("已结束", "ended")}

WORDS: Mapping[str, Mapping[str, Words]] = {
    "act": KINDS,
    "alarm_event": ALARM_EVENTS,
    "message": MESSAGE_STATES,
    "message_reason": MESSAGE_REASONS,
    "order": ORDER_STATES,
    "proof": {proof.value: words for proof, words in PROOFS.items()},
    "warning": WARNING_STATES,
}
"""Unit of a text column that holds a code -> its codes. One that is not here is shown as it is."""


def text_mappings(unit: str) -> list[Json]:
    """Return value mappings from codes to words in both languages."""
    options = {
        str(code): {"index": index, "text": f"{zh} {en}"} for index, (code, (zh, en)) in enumerate(WORDS[unit].items())
    }
    return [{"type": "value", "options": options}]
