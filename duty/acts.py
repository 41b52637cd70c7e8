"""The one door: every act of a person goes through `perform` or the order functions, from wherever it comes.

Each act is authorised, checked, given to the engine, written into the duty log and audited in one transaction. A
refusal is audited too.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from duty import dutylog
from duty.act_bodies import problem_of
from duty.orders import Order, OrderRefused, OrderState, Proof, Template, advance, disagreement, templates
from undercroft.errors import BadInput
from undercroft.model import Severity, SpaceKind
from undercroft.quantities import BarrierState
from undercroft.store import duty_acts as store
from undercroft.store.connection import Connection

RANK = {"officer": 1, "leader": 2, "admin": 3}

NEEDS: Mapping[str, str] = {
    "acknowledge": "officer", "shelve": "officer", "unshelve": "officer", "in_service": "officer",
    "stand_down": "leader", "out_of_service": "leader", "rain_warning": "officer", "note": "officer",
    "phone": "officer", "order": "officer", "order_step": "officer",
}  # fmt: skip
"""The least role for each act."""

FOR_THE_ENGINE = frozenset(
    {"acknowledge", "shelve", "unshelve", "stand_down", "out_of_service", "in_service", "rain_warning"}
)
CONFIRMED_FOR = timedelta(hours=3)
"""How long a barrier counts as deployed on the word of who confirmed it: default (proposal)."""


class NotAuthorised(BadInput):
    """The token belongs to nobody who may act."""


class ActRefused(BadInput):
    """The act is not possible."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and from where."""

    operator_id: str
    name: str
    role: str
    origin: str


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody wants to do."""

    kind: str
    subject: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """What became of an act; ``commit_seq`` where the engine has to read it."""

    entry_no: int
    commit_seq: int | None
    at: datetime
    disagreement: str | None = None


def new_token() -> tuple[str, bytes]:
    """Return a token and the hash that is stored of it."""
    token = secrets.token_urlsafe(32)
    return token, hashlib.sha256(token.encode()).digest()


def authorise(connection: Connection, token: str, origin: str) -> Actor:
    """Return who holds a token.

    Raises
    ------
    NotAuthorised
        If nobody does.
    """
    row = store.operator_by_token(connection, hashlib.sha256(token.encode()).digest())
    if row is None:
        raise NotAuthorised
    return Actor(row["operator_id"], row["name"], row["role"], origin)


def perform(connection: Connection, actor: Actor, act: Act, now: datetime) -> Done:
    """Do an act, or refuse it.

    Raises
    ------
    NotAuthorised, ActRefused
        If the role does not reach, or the act is not possible; the audit keeps the refusal.
    """
    try:
        _check(connection, actor, act)
    except BadInput as error:
        _audit_refusal(connection, actor, act.kind, act.subject, now, error)
        raise
    with store.transaction(connection):
        at = store.acting_time(connection, now)
        entry_no = log(connection, act.kind, actor.operator_id, act.subject, dict(act.body), at)
        store.audit(connection, now, actor.operator_id, actor.origin, act.kind, act.subject, "done", dict(act.body))
        seq = None
        if act.kind in FOR_THE_ENGINE:
            seq = store.insert_act(connection, act.kind, act.subject, actor.operator_id, at, act.body)
    return Done(entry_no, seq, at)


def _check(connection: Connection, actor: Actor, act: Act) -> None:
    _check_role(actor, act.kind)
    problem = problem_of(act.kind, act.subject, act.body)
    if problem is not None:
        raise ActRefused(f"{act.kind}: {problem}")
    if act.kind in {"note", "phone", "rain_warning"}:
        return
    row = store.subject(connection, act.subject)
    if row is None:
        raise ActRefused(f"{act.kind}: there is no {act.subject}")
    if act.kind == "shelve" and row["severity"] >= Severity.RED:
        raise ActRefused("shelve: a red alarm cannot be shelved")


def _check_role(actor: Actor, kind: str) -> None:
    least = NEEDS.get(kind)
    if least is None:
        raise ActRefused(f"there is no act {kind}")
    if RANK[actor.role] < RANK[least]:
        raise NotAuthorised(f"{kind} needs the role {least}; {actor.operator_id} is {actor.role}")


def _audit_refusal(
    connection: Connection, actor: Actor, kind: str, subject: str, now: datetime, error: BadInput
) -> None:
    with store.transaction(connection):
        detail = {"why": str(error)}
        store.audit(connection, now, actor.operator_id, actor.origin, kind, subject, "refused", detail)


def log(
    connection: Connection, kind: str, author: str, subject: str, body: dict[str, Any], at: datetime,
    corrects: int | None = None,
) -> int:  # fmt: skip
    """Add an entry to the duty log, inside a transaction; return its number."""

    def link(number: int, previous: bytes) -> bytes:
        return dutylog.link(previous, dutylog.Entry(number, at, kind, author, subject, body, corrects))

    entry = {"at": at, "kind": kind, "author": author, "subject": subject, "body": body, "corrects": corrects}
    return store.append_log(connection, entry, link)


def order(
    connection: Connection, actor: Actor, subject: str, proof: Proof, owner: str, now: datetime, entrance: str = ""
) -> str:
    """Issue an order from the template of the space's kind; return its name.

    Raises
    ------
    NotAuthorised, ActRefused
        If the role does not reach, there is no such space, or its basin has no incident.
    """
    try:
        incident_id, chosen = _template(connection, actor, subject, proof)
    except BadInput as error:
        _audit_refusal(connection, actor, "order", subject, now, error)
        raise
    with store.transaction(connection):
        at = store.acting_time(connection, now)
        fresh = Order(
            f"o-{uuid.uuid4().hex[:10]}", incident_id, subject, proof, OrderState.WARNED, owner,
            actor.operator_id, at, chosen.text_zh, chosen.text_en, chosen.within, entrance,
        )  # fmt: skip
        _save(connection, actor, advance(fresh, "issue", author=actor.operator_id, at=at), "issue", None, now)
    return fresh.order_id


def _template(connection: Connection, actor: Actor, subject: str, proof: Proof) -> tuple[str, Template]:
    """Return the incident that an order belongs to, and what it says."""
    _check_role(actor, "order")
    place = store.incident_of(connection, subject)
    if place is None or place["incident_id"] is None:
        raise ActRefused(f"order: {subject} has no open incident")
    known = [t for severity in reversed(Severity) for t in templates(SpaceKind(place["kind"]), severity)]
    chosen = next((t for t in known if t.proof is proof), None)
    if chosen is None:
        raise ActRefused(f"order: a {place['kind']} has no order for {proof}")
    return place["incident_id"], chosen


def order_step(connection: Connection, actor: Actor, order_id: str, step: str, now: datetime, note: str = "") -> Done:
    """Move an order on; a confirmation is held against the sensors and a disagreement is returned and logged.

    A barrier that is confirmed to be deployed is a field report of its confirmer, for `CONFIRMED_FOR`: the engine takes
    it where no switch says otherwise (`risk.reports`).

    Raises
    ------
    NotAuthorised, OrderRefused
        If the role does not reach, or the step is not possible.
    """
    try:
        with store.transaction(connection):
            _check_role(actor, "order_step")
            row = store.order(connection, order_id)
            if row is None:
                raise OrderRefused(f"there is no order {order_id}")
            at = store.acting_time(connection, now)
            after = advance(_order_of(row), step, author=actor.operator_id, at=at, note=note)
            differs = _disagreement(connection, after) if after.state is OrderState.CONFIRMED else None
            entry_no = _save(connection, actor, after, step, differs, now)
            seq = _report_barrier(connection, actor, after, at)
    except BadInput as error:
        _audit_refusal(connection, actor, f"order_{step}", order_id, now, error)
        raise
    return Done(entry_no, seq, at, differs)


def _report_barrier(connection: Connection, actor: Actor, moved: Order, at: datetime) -> int | None:
    """Tell the engine of a confirmed barrier, last in the transaction; return its place in the commit order."""
    if moved.state is not OrderState.CONFIRMED or moved.proof is not Proof.BARRIER_DEPLOYED or not moved.entrance:
        return None
    body = {
        "entrance": moved.entrance, "barrier": "deployed", "by": actor.name, "observed_at": at.isoformat(),
        "expires_at": (at + CONFIRMED_FOR).isoformat(), "note": f"order {moved.order_id} confirmed",
    }  # fmt: skip
    return store.insert_act(connection, "field_report", moved.subject, actor.operator_id, at, body)


def _disagreement(connection: Connection, confirmed: Order) -> str | None:
    if confirmed.proof is Proof.BARRIER_DEPLOYED:
        state = store.seen(connection, confirmed.subject, "barrier_state", confirmed.entrance)
        return disagreement(confirmed.proof, None if state is None else float(state == BarrierState.DEPLOYED))
    if confirmed.proof is Proof.PUMP_RUNNING:
        return disagreement(confirmed.proof, store.seen(connection, confirmed.subject, "pump_running", ""))
    return None


def _save(connection: Connection, actor: Actor, moved: Order, step: str, differs: str | None, now: datetime) -> int:
    store.save_order(connection, {
        "order_id": moved.order_id, "incident_id": moved.incident_id, "subject": moved.subject,
        "entrance": moved.entrance, "proof": moved.proof.value, "state": moved.state.value, "owner": moved.owner,
        "author": moved.author, "changed_at": moved.changed_at, "due_at": moved.due_at,
        "within_s": moved.within.total_seconds(), "text_zh": moved.text_zh, "text_en": moved.text_en,
        "note": moved.note,
    })  # fmt: skip
    body = {"order": moved.order_id, "step": step, "proof": moved.proof.value, "owner": moved.owner, "note": moved.note}
    if differs:
        body["disagreement"] = differs
    store.audit(connection, now, actor.operator_id, actor.origin, f"order_{step}", moved.subject, "done", body)
    return log(connection, "order", actor.operator_id, moved.subject, body, moved.changed_at)


def _order_of(row: Mapping[str, Any]) -> Order:
    return Order(
        row["order_id"], row["incident_id"], row["subject"], Proof(row["proof"]), OrderState(row["state"]),
        row["owner"], row["author"], row["changed_at"], row["text_zh"], row["text_en"],
        timedelta(seconds=row["within_s"]), row["entrance"], row["due_at"], row["note"],
    )  # fmt: skip
