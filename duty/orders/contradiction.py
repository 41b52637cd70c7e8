"""What sensors show, and what somebody saw and reported, against a confirmation. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from duty.orders.orders import DONE_ZH, Proof
from risk.wording import BARRIERS_ZH
from undercroft.local_time import with_zone
from undercroft.quantities import BARRIER_STATE_BY_WORD, BarrierState

SAID_AS: Mapping[Proof, str] = {
    Proof.BARRIER_DEPLOYED: "barrier", Proof.PUMP_RUNNING: "pump", Proof.ENTRANCE_CLOSED: "closed",
    Proof.EVACUATED: "evacuated",
}  # fmt: skip
"""The field of a field report that speaks of what an order asks for; `checked` is a matter of nobody's report."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest good reading of a sensor that can tell: its value as stored, and when it was taken."""

    value: float
    at: datetime


def disagreement(proof: Proof, seen: Sequence[Seen], now: datetime, zone: ZoneInfo | None = None) -> str | None:
    """Return how a confirmation and the sensors disagree, with each reading's time and age; None where they agree.

    A barrier order wants every barrier deployed, a closed entrance every door shut, a pump order at least one pump
    running. Where no sensor tells there is no disagreement.

    Parameters
    ----------
    zone : ZoneInfo or None
        Of the times in the words, which name the offset; None is UTC.

    Examples
    --------
    >>> at, now = datetime(2026, 7, 1, 16, 12, tzinfo=UTC), datetime(2026, 7, 1, 16, 17, tzinfo=UTC)
    >>> words = disagreement(Proof.BARRIER_DEPLOYED, [Seen(3.0, at), Seen(0.0, at)], now, ZoneInfo("Asia/Shanghai"))
    >>> zh, en = words.split(" confirmed as ")
    >>> zh
    '确认挡板已安装，传感器显示敞开（2026-07-02 00:12:00+08:00，5 分钟前）'
    >>> en
    'barrier_deployed, but the sensor shows open (2026-07-02 00:12:00+08:00, 5 min ago)'
    >>> disagreement(Proof.PUMP_RUNNING, [Seen(0.0, at), Seen(1.0, at)], now), disagreement(Proof.EVACUATED, [], now)
    (None, None)
    """
    against = _against(proof, seen)
    if not against:
        return None
    said = [(*words, *_when(shown.at, now, zone)) for shown, words in against]
    zh = "、".join(f"{what}（{when}，{age}）" for what, _, when, age, _ in said)
    en = ", ".join(f"{what} ({when}, {age})" for _, what, when, _, age in said)
    return f"确认{DONE_ZH[proof]}，传感器显示{zh} confirmed as {proof}, but the sensor shows {en}"


def _against(proof: Proof, seen: Sequence[Seen]) -> list[tuple[Seen, tuple[str, str]]]:
    """Return the readings that speak against a proof, and what each shows, Chinese and English."""
    if proof is Proof.BARRIER_DEPLOYED:
        states = [(shown, BarrierState(int(shown.value))) for shown in seen]
        return [(shown, (BARRIERS_ZH[s.word], s.word)) for shown, s in states if s is not BarrierState.DEPLOYED]
    newest_first = sorted(seen, key=lambda shown: shown.at, reverse=True)
    if proof is Proof.ENTRANCE_CLOSED:
        return [(shown, ("门开着", "a door open")) for shown in newest_first if shown.value >= 0.5][:1]
    if proof is Proof.PUMP_RUNNING and not any(shown.value >= 0.5 for shown in seen):
        return [(shown, ("没有水泵运行", "no pump running")) for shown in newest_first[:1]]
    return []


def _when(at: datetime, now: datetime, zone: ZoneInfo | None) -> tuple[str, str, str]:
    """Return a reading's time, and its age in Chinese and English; a clock that is ahead has read just now."""
    age_s = max((now - at).total_seconds(), 0.0)
    if age_s < 120:
        zh, en = f"{age_s:.0f} 秒前", f"{age_s:.0f} s ago"
    elif age_s < 2 * 3600:
        zh, en = f"{age_s / 60:.0f} 分钟前", f"{age_s / 60:.0f} min ago"
    else:
        zh, en = f"{age_s / 3600:.0f} 小时前", f"{age_s / 3600:.0f} h ago"
    return with_zone(at, zone or UTC), zh, en


def reported_against(
    proof: Proof, entrance: str, reports: Sequence[Mapping[str, Any]], zone: ZoneInfo | None = None
) -> str | None:
    """Return how the newest field reports contradict a confirmation, None where they do not.

    Parameters
    ----------
    entrance : str
        Of the order; empty for one that goes for every entrance.
    reports : sequence of mapping
        Those of the space since the confirmation, in commit order: ``body``, ``author``, ``acted_at`` (RFC 3339). One
        that names no entrance speaks of all, and takes the place of those before it.
    zone : ZoneInfo or None
        Of the times in the words, which name the offset; None is UTC.

    Examples
    --------
    >>> said = {"body": {"entrance": "north", "barrier": "open", "by": "Sun"}, "author": "li"}
    >>> report = {**said, "acted_at": "2026-07-01T16:12:00+00:00"}
    >>> zh, en = reported_against(Proof.BARRIER_DEPLOYED, "north", [report]).split(" confirmed as ")
    >>> zh
    '确认挡板已安装，Sun 报告挡板敞开 north'
    >>> en
    'barrier_deployed, but Sun reported barrier open at north, 2026-07-01 16:12:00+00:00'
    >>> reported_against(Proof.BARRIER_DEPLOYED, "north", [report], ZoneInfo("Asia/Shanghai"))[-25:]
    '2026-07-02 00:12:00+08:00'
    >>> reported_against(Proof.BARRIER_DEPLOYED, "south", [report])
    """
    field = SAID_AS.get(proof)
    newest: dict[str, Mapping[str, Any]] = {}
    for report in _standing(reports):
        where = report["body"].get("entrance") or ""
        if field is None or report["body"].get(field) is None or (entrance and where not in {"", entrance}):
            continue
        if not where or entrance:
            newest.clear()
        newest[where] = report
    against = [_words(proof, report, zone) for report in newest.values() if _contradicts(report["body"][field])]
    zh, en = ("、".join(said for said, _ in against), ", ".join(said for _, said in against))
    return f"确认{DONE_ZH[proof]}，{zh} confirmed as {proof}, but {en}" if against else None


def _standing(reports: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the reports without what a confirmation said that was taken back since, known by its note."""
    found: list[Mapping[str, Any]] = []
    for report in reports:
        if report["body"].get("taken_back"):
            found = [other for other in found if other["body"].get("note") != report["body"].get("note")]
        else:
            found.append(report)
    return found


def _contradicts(said: object) -> bool:
    """Whether what was said is not what was asked for; a barrier that nobody is sure of contradicts nothing."""
    if isinstance(said, bool):
        return not said
    barrier = BARRIER_STATE_BY_WORD.get(str(said))
    if barrier is None:
        return said == "stopped"
    return barrier not in {BarrierState.DEPLOYED, BarrierState.DEPLOYED_UNVERIFIED, BarrierState.UNKNOWN}


def _words(proof: Proof, report: Mapping[str, Any], zone: ZoneInfo | None) -> tuple[str, str]:
    body = report["body"]
    barrier = str(body.get("barrier"))
    zh, en = {
        Proof.BARRIER_DEPLOYED: (f"挡板{BARRIERS_ZH.get(barrier, barrier)}", f"barrier {barrier}"),
        Proof.PUMP_RUNNING: ("水泵停", f"pump {body.get('pump')}"),
        Proof.ENTRANCE_CLOSED: ("出入口已重开", "reopened"), Proof.EVACUATED: ("仍有人", "occupied"),
    }[proof]  # fmt: skip
    entrance = body.get("entrance")
    where_zh, where_en = (f" {entrance}", f" at {entrance}") if entrance else ("", "")
    who = body.get("by") or report["author"]
    when = with_zone(datetime.fromisoformat(report["acted_at"]), zone or UTC)
    return f"{who} 报告{zh}{where_zh}", f"{who} reported {en}{where_en}, {when}"
