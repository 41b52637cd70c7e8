"""What entries of the duty log say in a report."""

from __future__ import annotations

from typing import Any

import pytest

from duty.door.bodies import FORMS
from duty.orders.orders import STEPS as ORDER_STEPS
from duty.orders.orders import Proof
from duty.reports.log_words import KINDS, PROOFS, STEPS, words_of
from duty.telling.texts import Named

NAMES = {"space/gar": Named("一号车库", "Garage 1")}


@pytest.mark.parametrize(
    ("kind", "subject", "body", "zh", "en"),
    [
        ("field_report", "space/gar",
         {"entrance": "north", "depth_m": 0.3, "barrier": "open", "by": "孙", "note": "坡道"},
         "li：一号车库 north 现场报告（孙）水深 30 cm、挡板敞开：坡道",
         "li: Garage 1 north field report by 孙, water 30 cm deep, barrier open: 坡道"),
        ("order", "space/gar", {"step": "confirm", "proof": "barrier_deployed", "owner": "街道", "note": "",
                                "disagreement": "confirmed, but the sensor shows failed"},
         "li：一号车库 指令确认 安装挡板，街道（与传感器不符）",
         "li: Garage 1 order confirmed, deploy the barrier, 街道 (confirmed, but the sensor shows failed)"),
        ("phone", "-", {"text": "泵车出发", "caller": "孙", "unit": "街道", "phone": "8000"},
         "li：电话 街道 孙 8000：泵车出发", "li: phone 街道 孙 8000: 泵车出发"),
        ("submit_report", "incident/i", {"serial": 0}, "li：报出第 0 份报告", "li: handed in report 0"),
        ("draft_report", "incident/i", {"serial": 2, "kind": "follow_up"},
         "li：起草续报1", "li: drafted Follow-up report 1"),
    ],
)  # fmt: skip
def test_each_says_who_did_what_where(kind: str, subject: str, body: dict[str, Any], zh: str, en: str) -> None:
    assert words_of({"kind": kind, "author": "li", "subject": subject, "body": body}, NAMES) == (zh, en)


def test_every_kind_step_and_proof_has_words_in_both_languages() -> None:
    assert set(FORMS) <= set(KINDS)
    assert set(STEPS) == set(ORDER_STEPS)
    assert set(PROOFS) == set(Proof)
