"""Whether an act can be, as things stand in the database: does its subject exist, does its alarm allow it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from duty.door.door import Actor
from duty.door.refusals import ActInvalid, NotPossibleNow, SubjectUnknown, TakenAlready
from risk.arrays import to_us
from risk.asked import acknowledge_refused, shelving_of
from risk.warnings import Act as EngineAct
from undercroft.local_time import with_zone
from undercroft.store import duty_acts as store
from undercroft.store.connection import Connection
from undercroft.store.site import district_timezone

Body = Mapping[str, Any]


def check(connection: Connection, actor: Actor, kind: str, subject: str, body: Body, at: datetime) -> None:
    """Refuse an act that the engine could only refuse, or that speaks of what is not there.

    What is decided at once is who came first: an act that the engine has not read yet counts as done, since the engine
    takes acts in their order and before the readings of its tick. It judges again, at the act's place in that order.

    Raises
    ------
    SubjectUnknown, NotPossibleNow, ActInvalid
        By what is wrong.
    """
    if kind in {"note", "phone", "handover"}:
        if body.get("corrects") is not None and not store.has_entry(connection, body["corrects"]):
            raise SubjectUnknown(f"{kind}: corrects: there is no entry {body['corrects']}")
    elif kind == "rain_warning":
        _area(connection, kind, body)
        _until(connection, kind, subject, body, at)
    elif kind == "field_report":
        _place(connection, kind, subject.removeprefix("space/"), body)
        if datetime.fromisoformat(body["expires_at"]) <= at:
            raise NotPossibleNow(f"{kind}: seen at {body['observed_at']}, it has expired already: say how it is now")
    elif kind not in {"submit_report", "stock_movement"}:
        row = store.subject(connection, subject)
        if row is None:
            raise SubjectUnknown(f"{kind}: there is no {subject}")
        _decided(connection, kind, row)
        why_not = _alarm_forbids(row, EngineAct(0, kind, subject, actor.operator_id, to_us(at), body))
        if why_not is not None:
            raise NotPossibleNow(f"{kind}: {why_not}")


ON_ALARMS = frozenset({"acknowledge", "shelve", "unshelve", "stand_down"})


def _decided(connection: Connection, kind: str, row: Body) -> None:
    """Refuse what somebody else's act has decided, whether the engine has read it yet or not."""
    if kind not in ON_ALARMS:
        return
    if row["decided_kind"] == "stand_down":
        by, at = row["decided_by"], _local(connection, row["decided_at"])
        raise NotPossibleNow(f"{kind}: {by} 已于 {at} 人工解除 {by} stood it down at {at}")
    pending = row["decided_kind"] == "acknowledge"
    by, when = (row["decided_by"], row["decided_at"]) if pending else (row["taken_by"], row["taken_at"])
    if kind == "acknowledge" and by is not None and (pending or row["severity"]):
        at = _local(connection, when)
        raise TakenAlready(f"{kind}: {by} 已于 {at} 接警 taken by {by} already, at {at}", by)


def _local(connection: Connection, at: datetime) -> str:
    return with_zone(at, ZoneInfo(district_timezone(connection)))


def _alarm_forbids(row: Body, act: EngineAct) -> str | None:
    """Return why the alarm of a subject, as the store has it, does not allow an act; None where it does."""
    if act.kind == "acknowledge":
        return acknowledge_refused(row["severity"], acknowledged=row["acknowledged"], latched=row["latched"])
    if act.kind == "shelve":
        shelving = shelving_of(act, row["severity"], act.acted_us, storm=row["storm"])
        return shelving if isinstance(shelving, str) else None
    if act.kind == "unshelve" and row["shelved_until"] is None:
        return "it is not shelved"
    if act.kind == "stand_down" and row["severity"] == 0:
        return "there is no alarm to stand down"
    return None


def _area(connection: Connection, kind: str, body: Body) -> None:
    known = store.area_names(connection)
    for what, names in (("basin", body["basins"]), ("street", body["streets"])):
        missing = sorted(set(names) - set(known[what]))
        if missing:
            has = ", ".join(sorted(known[what])) or "none"
            raise SubjectUnknown(f"{kind}: the site has no {what} {missing[0]!r}; it has {has}")


def _until(connection: Connection, kind: str, subject: str, body: Body, at: datetime) -> None:
    """Refuse an expected end that is past, but for one that was said when it was to come: a warning may outlast it."""
    until = body.get("until")
    if body["state"] != "in_force" or until is None or datetime.fromisoformat(until) > at:
        return
    before = store.warning_in_force(connection, subject)
    if before is not None and before["body"].get("until") == until:
        return
    raise ActInvalid(
        f"{kind}: until: found {until}, which is past; expected an end to come, or none: it stays in force until ended"
    )


def _place(connection: Connection, kind: str, space: str, body: Body) -> None:
    known = store.entrance_names(connection, space)
    if known is None:
        raise SubjectUnknown(f"{kind}: the site has no space {space!r}")
    entrance = body.get("entrance")
    if entrance is not None and entrance not in known:
        raise SubjectUnknown(f"{kind}: {space} has no entrance {entrance!r}; it has {', '.join(known)}")
    if body.get("barrier") is not None and entrance is None:
        raise ActInvalid(f"{kind}: entrance: say which entrance: {space}/{known[0] if known else '<entrance>'}")
