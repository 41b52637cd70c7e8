"""What each condition of a device or of the system means: how severe it is, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Meaning:
    """Severity of a condition, what it is, and what to do about it. Severities are defaults (proposals)."""

    severity: int
    en: str
    zh: str


MEANINGS: Mapping[str, Meaning] = {
    "ingest-lag": Meaning(
        3,
        "readings wait {value} before they are stored: levels on screen may be old",
        "读数已等待 {value} 未入库：屏幕上的水位可能过时",
    ),
    "broker-away": Meaning(
        3,
        "no connection to the MQTT broker for {value}: no reading arrives",
        "与 MQTT 服务器断开 {value}：收不到任何读数",
    ),
    "delivery-late": Meaning(
        3,
        "readings are {value} old when they come: they wait at the broker or in the network, or clocks are slow",
        "读数到达时已有 {value}：在消息服务器或网络中等待，或设备时钟偏慢",
    ),
    "clock-set-back": Meaning(
        2,
        "the engine's clock was ahead and was set back by {value}: times of before are wrong; look at the host's clock",
        "研判主机时钟曾走快，已拨回 {value}：此前记录的时间不准，请检查主机时钟",
    ),
    "nowcast-failed": Meaning(
        3,
        "the forecast fails ({detail}): levels and alarms go on by what is measured, what lies ahead is out of date",
        "预报计算失败（{detail}）：等级和报警仍按实测进行，预报内容已过时",
    ),
    "canary-late": Meaning(
        3, "the canary's last reading came {value} ago: the chain from sensor to alarm stands still",
        "已 {value} 没有哨兵读数：从传感器到报警的链路已停",
    ),
    "dead-letter-table": Meaning(
        2, "the dead-letter table is full: further letters are counted and not kept", "死信表已满：新的死信只计数不保存"
    ),
    "dead-letter-bytes": Meaning(
        2, "dead letters fill the room they have: further ones are counted and not kept",
        "死信已占满限定空间：新的死信只计数不保存",
    ),
    "dead-letter-rate": Meaning(
        2, "too many unreadable messages: more than are kept", "无法解读的报文过多，超过保存上限"
    ),
    "stale": Meaning(
        2, "nothing was heard of the device for {value}: send somebody to look", "设备已 {value} 无数据：请派人检查"
    ),
    "clock-lost": Meaning(
        2, "the device's clock is lost: its readings carry the time of receipt, and may not calm",
        "设备时钟丢失：读数按接收时间计，不能用于解除",
    ),
    "clock-frozen": Meaning(
        2, "the device speaks, but has said nothing new for {value}: its clock stands still, or it repeats itself",
        "设备仍在发报，但已 {value} 无新读数：时钟停走，或重复发送旧读数",
    ),
    "repeated-serial": Meaning(
        2, "the device repeats its serial number: an old reading may look like a new one",
        "设备重复报文序号：旧读数可能被当作新读数",
    ),
    "roster-gap": Meaning(
        2, "nobody is on duty at step 0 ({detail}): find somebody before it begins",
        "值班表有空班（{detail}）：请在开始前补上",
    ),
    "roster-gap-step": Meaning(
        2, "nobody more is on duty at step {step} ({detail}): orange and red have nobody to go on to there",
        "值班表第 {step} 级没有另外的人（{detail}）：橙色、红色到此无人可升级，请补上",
    ),
    "channel": Meaning(
        3, "a notification channel refuses, or takes nothing ({detail}): tell people by phone",
        "通知通道拒收或不通（{detail}）：请电话通知",
    ),
    "grafana": Meaning(
        3, "Grafana, which looks from outside: {detail}", "Grafana 从外部看到：{detail}"
    ),
    "offline": Meaning(2, "the broker reports the device offline: send somebody to look", "设备离线：请派人检查"),
}  # fmt: skip
"""Condition -> meaning. A worker's slot, or a rule of Grafana, may follow the name: ``ingest-lag-1``."""

UNKNOWN = Meaning(2, "{name}: {detail}", "{name}：{detail}")


def meaning_of(name: str) -> Meaning:
    """Return what a condition means; one that is not known here is yellow and says what was told."""
    found = [known for known in MEANINGS if name == known or name.startswith(f"{known}-")]
    return MEANINGS[max(found, key=len)] if found else UNKNOWN


def severity_of(name: str) -> int:
    """Return the severity of a condition."""
    return meaning_of(name).severity


def words_of(name: str, body: Mapping[str, Any]) -> tuple[str, str]:
    """Return what is said of a condition, English and Chinese."""
    value, unit = body.get("value"), body.get("unit", "")
    shown = f"{value:.0f} {unit}" if isinstance(value, int | float) else "?"
    facts = {"name": name, "detail": body.get("detail", ""), "value": shown, "step": name.rpartition("-")[2]}
    meaning = meaning_of(name)
    return meaning.en.format(**facts), meaning.zh.format(**facts)
