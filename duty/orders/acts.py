"""Orders through the one door: issued from the template of a space's kind, moved on, confirmed against the sensors."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from duty.door.bodies import MOST_CHARACTERS
from duty.door.door import Actor, Asked, Done, Effect, ForEngine, log, through
from duty.door.refusals import ActInvalid, NotPossibleNow, SubjectUnknown
from duty.orders.command import Command, book_of
from duty.orders.orders import CONFIRMED_FOR, Order, OrderState, Proof, advance, order_of, template_for, templates
from duty.orders.view import standing
from undercroft.local_time import with_zone
from undercroft.model import Severity, SpaceKind
from undercroft.plain_text import problem_of_text
from undercroft.store import duty_acts as store
from undercroft.store.connection import Connection
from undercroft.store.site import district_timezone

MOST_OWNER_CHARACTERS = 200

OF_A_BARRIER_THAT_IS: Mapping[str, str] = {"confirm": "confirmed", "issue": "issued"}
"""Steps that want the barrier of their order in the site, and what is said of the order after them."""


def order(  # noqa: PLR0913, PLR0917 - what an order says, and how it comes
    connection: Connection, actor: Actor, subject: str, proof: Proof, owner: str, now: datetime, entrance: str = "",
    key: str = "", *, second: bool = False,
) -> Done:  # fmt: skip
    """Issue an order from the template of the space's kind; the answer names it.

    Parameters
    ----------
    second : bool
        Whether it may stand beside the same one that is open there: the log names that one.

    Raises
    ------
    Refused
        By its class, if the role does not reach, there is no such space, its basin has no incident, or it is open.
    """

    def do(at: datetime) -> Effect:
        if not owner.strip() or len(owner) > MOST_OWNER_CHARACTERS:
            raise ActInvalid(f"order: owner: expected 1 to {MOST_OWNER_CHARACTERS} characters")
        if unfit := problem_of_text(owner):
            raise ActInvalid(f"order: owner: {unfit}")
        place = _place(connection, subject, entrance)
        severity = Severity(place["severity"])
        if without := no_barrier(proof, entrance, place["barriers"]):
            raise ActInvalid(f"order: {subject}{without}")
        chosen = template_for(SpaceKind(place["kind"]), severity, proof, has_barrier=bool(place["barriers"]))
        assert chosen is not None  # noqa: S101 - but for a barrier, every kind of space has a template for every proof
        beside = _same(connection, place["incident_id"], subject, proof, entrance)
        if beside and not second:
            raise NotPossibleNow(_open_already(connection, subject, proof, beside[0]))
        began = store.order_time(connection, at)
        fresh = Order(
            f"o-{uuid.uuid4().hex[:10]}", place["incident_id"], subject, proof, OrderState.ISSUED, owner,
            actor.operator_id, began, chosen.text_zh, chosen.text_en, chosen.within, entrance,
            began + chosen.within, severity=severity,
            command=_command(connection, subject, place, severity),
        )  # fmt: skip
        return _saved(connection, actor, fresh, "issue", at, beside=[row["order_id"] for row in beside])

    body = {"proof": proof.value, "owner": owner, "entrance": entrance} | ({"second": True} if second else {})
    return through(connection, actor, Asked("order", "order", subject, body, key), now, do)


def _place(connection: Connection, subject: str, entrance: str) -> dict[str, Any]:
    """Return kind, street, severity and open incident of the space that an order is for."""
    place = store.incident_of(connection, subject)
    if place is None:
        raise SubjectUnknown(f"order: there is no {subject[:100]}")
    known = store.entrance_names(connection, subject.removeprefix("space/")) or []
    if entrance and entrance not in known:
        raise SubjectUnknown(f"order: {subject} has no entrance {entrance[:100]!r}; it has {', '.join(known)}")
    if place["incident_id"] is None:
        raise NotPossibleNow(f"order: {subject} has no open incident")
    return place


def _same(connection: Connection, incident_id: str, subject: str, proof: Proof, entrance: str) -> list[dict[str, Any]]:
    """Return the open orders of an incident that ask for the same at the same place; a space holds its entrances."""
    found = store.open_orders(connection, incident_id, subject, proof.value)
    return [row for row in found if row["entrance"] == entrance or not row["entrance"] or not entrance]


def _open_already(connection: Connection, subject: str, proof: Proof, row: Mapping[str, Any]) -> str:
    due = with_zone(row["due_at"], ZoneInfo(district_timezone(connection)))
    where = f"{subject}/{row['entrance']}" if row["entrance"] else subject
    return (
        f"order: {where} 已有此指令 {proof} is open already: {row['order_id']}, 交 with {row['owner']},"
        f" {row['state']}, 期限 due {due}; 确需另下一份 a second one on purpose: second (--second)"
    )


def no_barrier(proof: Proof, entrance: str, barriers: Sequence[str]) -> str | None:
    """Return that an order asks for a barrier where the site has none, to stand behind the space; else None.

    Parameters
    ----------
    entrance : str
        Of the order; empty for every entrance that has a barrier.
    barriers : sequence of str
        The entrances of the space that have one.

    Examples
    --------
    >>> no_barrier(Proof.BARRIER_DEPLOYED, "north", ["east", "west"])
    '/north has no barrier in the site file; barriers are at east, west'
    >>> no_barrier(Proof.BARRIER_DEPLOYED, "", [])
    ' has no barrier in the site file'
    >>> no_barrier(Proof.BARRIER_DEPLOYED, "", ["east"]), no_barrier(Proof.EVACUATED, "north", [])
    (None, None)
    """
    if proof is not Proof.BARRIER_DEPLOYED or entrance in barriers or (barriers and not entrance):
        return None
    where = f"/{entrance}" if entrance else ""
    others = f"; barriers are at {', '.join(barriers)}" if barriers else ""
    return f"{where} has no barrier in the site file{others}"


def _barriers(connection: Connection, subject: str) -> list[str]:
    place = store.incident_of(connection, subject)
    return [] if place is None else list(place["barriers"])


def _command(connection: Connection, subject: str, place: Mapping[str, Any], severity: Severity) -> Command:
    return _led(subject, place, store.command_rows(connection), severity)


def _led(
    subject: str, place: Mapping[str, Any], rows: Iterable[Mapping[str, Any]] | None, severity: Severity
) -> Command:
    kind = SpaceKind(place["kind"])
    return book_of(rows).of(subject.removeprefix("space/"), kind, place["street"], severity)


def proposed(connection: Connection, subject: str) -> list[dict[str, Any]]:
    """Return what the templates would have ordered at a space as it stands now, most urgent first, and who leads it.

    Raises
    ------
    SubjectUnknown, NotPossibleNow
        If there is no such space, or its basin has no incident.
    """
    return proposals(subject, store.incident_of(connection, subject), store.command_rows(connection))


def proposals(
    subject: str, place: Mapping[str, Any] | None, rows: Iterable[Mapping[str, Any]] | None
) -> list[dict[str, Any]]:
    """Return what `proposed` does, of a row of ``acts_incident_of`` and the ``command`` table of the site document."""
    if place is None:
        raise SubjectUnknown(f"order: there is no {subject[:100]}")
    if place["incident_id"] is None:
        raise NotPossibleNow(f"order: {subject} has no open incident")
    severity = Severity(place["severity"])
    command = asdict(_led(subject, place, rows, severity))
    return [
        {
            "subject": subject, "severity": int(severity), "proof": chosen.proof.value,
            "entrances": list(place["barriers"]) if chosen.proof is Proof.BARRIER_DEPLOYED else [],
            "within_s": chosen.within.total_seconds(), "text_zh": chosen.text_zh, "text_en": chosen.text_en, **command,
        }
        for chosen in templates(SpaceKind(place["kind"]), severity, has_barrier=bool(place["barriers"]))
    ]  # fmt: skip


def order_step(
    connection: Connection, actor: Actor, order_id: str, step: str, now: datetime, note: str = "", key: str = ""
) -> Done:
    """Move an order on; a confirmation is held against the sensors and a disagreement is returned and logged.

    What is confirmed (a barrier, a running pump, an entrance closed, a space evacuated) is a field report of its
    confirmer, for `CONFIRMED_FOR`: the engine takes it where no sensor says otherwise (`risk.reports`, `risk.said`).
    A step that leaves the confirmation behind (``undo``, ``cancel``, ``issue``) takes that report back.

    Raises
    ------
    Refused
        By its class, if the role does not reach, or the step is not possible.
    """

    def do(at: datetime) -> Effect:
        if len(note) > MOST_CHARACTERS:
            raise ActInvalid(f"order: note: expected at most {MOST_CHARACTERS} characters")
        if unfit := problem_of_text(note, lines=True):
            raise ActInvalid(f"order: note: {unfit}")
        row = store.order(connection, order_id)
        if row is None:
            raise SubjectUnknown(f"there is no order {order_id[:100]}")
        moved_at = store.order_time(connection, at)
        before = order_of(row)
        after = advance(before, step, author=actor.operator_id, at=moved_at, note=note)
        without = no_barrier(before.proof, before.entrance, _barriers(connection, before.subject))
        if without and (done := OF_A_BARRIER_THAT_IS.get(step)):
            raise NotPossibleNow(f"order {order_id} cannot be {done}: {before.subject}{without}; cancel it")
        return _saved(connection, actor, after, step, at, was=before.state)

    asked = Asked("order_step", f"order_{step[:40]}", f"order/{order_id[:100]}", {"note": note}, key)
    return through(connection, actor, asked, now, do)


def _saved(
    connection: Connection, actor: Actor, moved: Order, step: str, at: datetime, was: OrderState | None = None,
    beside: Sequence[str] = (),
) -> Effect:  # fmt: skip
    store.save_order(connection, {
        "order_id": moved.order_id, "incident_id": moved.incident_id, "subject": moved.subject,
        "entrance": moved.entrance, "proof": moved.proof.value, "state": moved.state.value, "owner": moved.owner,
        "author": moved.author, "changed_at": moved.changed_at, "due_at": moved.due_at,
        "confirmed_until": moved.confirmed_until,
        "within_s": moved.within.total_seconds(), "text_zh": moved.text_zh, "text_en": moved.text_en,
        "note": moved.note, "severity": int(moved.severity), **asdict(moved.command),
    })  # fmt: skip
    zone = ZoneInfo(district_timezone(connection))
    differs = standing(store.orders(connection, order_id=moved.order_id)[0], moved.changed_at, zone)["disagreement"]
    body: dict[str, Any] = {
        "order": moved.order_id,
        "step": step,
        "proof": moved.proof.value,
        "owner": moved.owner,
        "note": moved.note,
    }
    if step == "issue":
        body |= asdict(moved.command)
    if beside:
        body["beside"] = list(beside)
    if differs:
        body["disagreement"] = differs
    entry_no = log(connection, "order", actor.operator_id, moved.subject, body, at)
    said = {"order_id": moved.order_id, "disagreement": differs}
    seen = _seen_by_confirmer(connection, actor, moved, at, taken_back=was is OrderState.CONFIRMED)
    return Effect(entry_no, seen, {**body, "subject": moved.subject}, said)


def _seen_by_confirmer(
    connection: Connection, actor: Actor, moved: Order, at: datetime, *, taken_back: bool
) -> tuple[ForEngine, ...]:
    """Return what the engine is told of a confirmation: field reports of its confirmer, for `CONFIRMED_FOR`.

    Of one that is left behind: the same, ``taken_back``; nobody knows any more.
    """
    said: dict[str, Any] = {
        "by": actor.name, "observed_at": at.isoformat(), "expires_at": (at + CONFIRMED_FOR).isoformat(),
        "note": f"order {moved.order_id} confirmed",
    }  # fmt: skip
    if moved.state is not OrderState.CONFIRMED:
        if not taken_back:
            return ()
        said |= {"expires_at": at.isoformat(), "taken_back": True}
    match moved.proof:
        case Proof.BARRIER_DEPLOYED:
            named = [moved.entrance] if moved.entrance else _barriers(connection, moved.subject)
            bodies: list[dict[str, Any]] = [{"entrance": entrance, "barrier": "deployed"} for entrance in named]
        case Proof.PUMP_RUNNING:
            bodies = [{"entrance": None, "pump": "running"}]
        case Proof.ENTRANCE_CLOSED:
            bodies = [{"entrance": moved.entrance or None, "closed": True}]
        case Proof.EVACUATED:
            bodies = [{"entrance": None, "evacuated": True}]
        case Proof.CHECKED:
            bodies = []
    return tuple(ForEngine("field_report", moved.subject, body | said) for body in bodies)
