"""What an entry of the duty log says in a report, in both languages: who did what where, with every figure. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from duty.orders.orders import Proof
from duty.reports.reports import ReportKind, title_of
from risk.wording import BARRIERS_ZH

KINDS = {
    "acknowledge": ("接警", "acknowledged"), "shelve": ("搁置报警", "shelved the alarm"),
    "unshelve": ("取消搁置", "unshelved"), "stand_down": ("人工解除", "stood down"),
    "out_of_service": ("停用", "took out of service"), "in_service": ("恢复", "put back in service"),
    "rain_warning": ("暴雨预警", "rain warning"), "field_report": ("现场报告", "field report"),
    "note": ("记事", "note"), "phone": ("电话", "phone"), "handover": ("交班", "handed over"),
    "submit_report": ("报出报告", "handed in report"), "draft_report": ("起草报告", "drafted a report"),
    "stock_movement": ("物资", "supplies"), "absent": ("缺勤", "absent"), "roster": ("值班表", "roster"),
    "export_cap": ("导出 CAP", "exported CAP"), "order": ("指令", "order"),
}  # fmt: skip
STEPS = {
    "issue": ("下达", "issued"), "take": ("接令", "taken"), "confirm": ("确认", "confirmed"),
    "refuse": ("拒绝", "refused"), "cancel": ("取消", "cancelled"),
    "undo": ("撤回确认", "confirmation taken back"),
}  # fmt: skip
PROOFS = {
    Proof.BARRIER_DEPLOYED: ("安装挡板", "deploy the barrier"),
    Proof.ENTRANCE_CLOSED: ("封闭出入口", "close entrances"),
    Proof.PUMP_RUNNING: ("启泵", "run pumps"), Proof.EVACUATED: ("疏散", "evacuate"),
    Proof.CHECKED: ("到场查看", "check on site"),
}  # fmt: skip

Words = tuple[str, str]


def words_of(row: Mapping[str, Any], names: Mapping[str, Any]) -> Words:
    """Return what an entry says, by its author.

    Examples
    --------
    >>> said = {"order": "o1", "step": "confirm", "proof": "pump_running", "owner": "street", "note": "seen"}
    >>> row = {"kind": "order", "author": "li", "subject": "space/gar", "body": said}
    >>> words_of(row, {})
    ('li：space/gar 指令确认 启泵，street：seen', 'li: space/gar order confirmed, run pumps, street: seen')
    """
    body: Mapping[str, Any] = row["body"]
    where = _where(row["subject"], body.get("entrance"), names)
    kind = KINDS.get(row["kind"], (row["kind"], row["kind"]))
    match row["kind"]:
        case "order":
            what = _order(body)
        case "field_report":
            what = _seen(body)
        case "submit_report" | "draft_report":
            what = _report(body)
        case "phone":
            caller = f"{body.get('unit', '')} {body.get('caller', '')} {body.get('phone', '')}"
            what = (f"{kind[0]} {caller}", f"{kind[1]} {caller}")
        case "absent" if body.get("taken_back"):
            what = ("撤回缺勤", "absence taken back")
        case _:
            what = kind
    said = next((str(body[name]) for name in _SAID if body.get(name)), "")
    zh, en = (" ".join(part for part in (where[n], what[n]) if part) for n in (0, 1))
    against = body.get("disagreement") or ""
    return (
        f"{row['author']}：{zh}" + (f"：{said}" if said else "") + ("（与传感器不符）" if against else ""),
        f"{row['author']}: {en}" + (f": {said}" if said else "") + (f" ({against})" if against else ""),
    )


_SAID = ("text", "comment", "reason", "evidence", "note")


def _where(subject: str, entrance: str | None, names: Mapping[str, Any]) -> Words:
    if subject == "-" or subject.startswith("incident/"):
        return "", ""
    named = names.get(subject)
    zh, en = (named.name_zh, named.name_en) if named else (subject, subject)
    return (f"{zh} {entrance}", f"{en} {entrance}") if entrance else (zh, en)


def _order(body: Mapping[str, Any]) -> Words:
    step = STEPS.get(body.get("step", ""), (str(body.get("step", "")),) * 2)
    asked = PROOFS[Proof(body["proof"])]
    owner = body.get("owner", "")
    return f"指令{step[0]} {asked[0]}，{owner}", f"order {step[1]}, {asked[1]}, {owner}"


def _report(body: Mapping[str, Any]) -> Words:
    serial = body.get("serial", 0)
    kind = ReportKind(body["kind"]) if "kind" in body else None
    zh, en = title_of(kind, serial) if kind else (f"第 {serial} 份报告", f"report {serial}")
    done = ("起草", "drafted") if kind else ("报出", "handed in")
    return f"{done[0]}{zh}", f"{done[1]} {en}"


def _seen(body: Mapping[str, Any]) -> Words:
    zh, en = [], []
    if body.get("depth_m") is not None:
        zh.append(f"水深 {body['depth_m'] * 100:.0f} cm")
        en.append(f"water {body['depth_m'] * 100:.0f} cm deep")
    if body.get("barrier"):
        zh.append(f"挡板{BARRIERS_ZH.get(body['barrier'], body['barrier'])}")
        en.append(f"barrier {body['barrier']}")
    if body.get("pump"):
        zh.append("水泵运行" if body["pump"] == "running" else "水泵停")
        en.append(f"pump {body['pump']}")
    if body.get("closed") is not None:
        zh.append("已封闭" if body["closed"] else "已重开")
        en.append("closed" if body["closed"] else "reopened")
    if body.get("evacuated") is not None:
        zh.append("已疏散" if body["evacuated"] else "有人在内")
        en.append("evacuated" if body["evacuated"] else "somebody inside")
    by = body.get("by", "")
    return f"现场报告（{by}）{'、'.join(zh)}", f"field report by {by}, {', '.join(en)}"
