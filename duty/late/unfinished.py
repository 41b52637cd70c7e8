"""Somebody said "mine": what is still undone, and when the roster is told so. Pure; time is an argument.

- an alarm of a space, orange or red, that was acknowledged, and of which no order was given at that severity: told when
  the interval of its severity is over, counted from the acknowledgement, or from the cancelling of the last order.
- an order that was refused, is contradicted by what is seen, or whose confirmation has expired, while its place has an
  alarm: told at once.

Both again at the interval of the alarm's severity, one step further up each time for red and orange
(`duty.late.lateness`), until it is ordered, carried out or cancelled, or the alarm ends. One message an incident for
each reason. What goes and comes back within the interval, a switch that flaps, is not news.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from duty.incidents.incidents import AlarmNote, Incident, Pressed
from duty.late.lateness import interval_of, next_telling
from duty.model import Policy, Reason
from duty.orders.orders import GOING, Order, OrderState, order_of
from duty.orders.view import standing
from undercroft.model import Severity


class Why(StrEnum):
    """Why an order is not carried out."""

    REFUSED = "refused"
    CONTRADICTED = "contradicted"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Undone:
    """An order that is not carried out, with the words for it, and since when (of what is seen: since now)."""

    order: Order
    why: Why
    words: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """What the roster is told of an incident for one reason, up to which step, the how manieth time."""

    reason: Reason
    cause: str
    severity: Severity
    step: int
    times: int
    about: tuple[str, ...]
    subjects: str
    notes: tuple[AlarmNote, ...] = ()
    undone: tuple[Undone, ...] = ()
    owner: str = ""


def undone_of(row: Mapping[str, Any], now: datetime, zone: ZoneInfo | None = None) -> Undone | None:
    """Return why an order, a row of ``read_orders``, is not carried out; None when it is, or its clock runs."""
    order, shown = order_of(row), standing(row, now, zone)
    if order.state is OrderState.REFUSED:
        return Undone(order, Why.REFUSED, order.note, order.changed_at)
    if shown["disagreement"] is not None:
        return Undone(order, Why.CONTRADICTED, shown["disagreement"], now)
    if shown["expired"] and order.confirmed_until is not None:
        return Undone(order, Why.EXPIRED, "", order.confirmed_until)
    return None


def without_order(
    incident: Incident, orders: Sequence[Order], undone: Iterable[Undone]
) -> list[tuple[AlarmNote, datetime]]:
    """Return the orange and red alarms of spaces that somebody took and nothing was ordered of, and since when.

    An order counts when it was given while its place was as grave, or still waits for somebody, whenever it was given.
    """
    told = {one.order.order_id for one in undone}
    found = []
    for note in incident.open_alarms:
        if note.severity < Severity.ORANGE or not note.acknowledged or not note.subject.startswith("space/"):
            continue
        there = [order for order in orders if order.subject == note.subject]
        if not any(order.order_id in told or _counts(order, note.severity) for order in there):
            cancelled = (order.changed_at for order in there if order.state is OrderState.CANCELLED)
            found.append((note, max([note.acknowledged_at or note.since, *cancelled])))
    return found


def _counts(order: Order, severity: int) -> bool:
    return order.state in GOING or (order.state is OrderState.CONFIRMED and order.severity >= severity)


def asked_of(
    incident: Incident,
    rows: Iterable[Mapping[str, Any]],
    now: datetime,
    steps: int,
    policy: Policy,
    zone: ZoneInfo | None = None,
) -> tuple[Incident, list[Told]]:
    """Return what the roster is told now of what stays undone in an incident, and the incident after that.

    Parameters
    ----------
    rows : iterable of mapping
        Every order of the incident, of the statement ``read_orders``.
    steps : int
        Steps that the roster has now; with none, step 0 is the fallback of the duty file.
    zone : ZoneInfo or None
        Of the times in the words.
    """
    rows = list(rows)
    before = {pressed.reason: pressed for pressed in incident.pressed}
    worst = {note.subject: note.severity for note in incident.open_alarms}
    found = [undone_of(row, now, zone) for row in rows if row["subject"] in worst]
    undone = sorted((one for one in found if one is not None), key=lambda one: (-worst[one.order.subject], one.since))
    unordered = without_order(incident, [order_of(row) for row in rows], undone)
    waits = [(note, since + interval_of(Severity(note.severity), policy)) for note, since in unordered]
    bare = [(note, due_at) for note, due_at in waits if now >= due_at]
    told, pressed = [], []
    for reason, about, severity, due_at in (
        (
            Reason.NO_ORDER, [note.subject for note, _ in bare],
            Severity(max((note.severity for note, _ in bare), default=Severity.RED)),
            min((at for _, at in bare), default=now),
        ),
        (
            Reason.ORDER_UNDONE, [one.order.order_id for one in undone],
            Severity(max((worst[one.order.subject] for one in undone), default=Severity.YELLOW)),
            min((one.since for one in undone), default=now),
        ),
    ):  # fmt: skip
        after = _pressed(before.get(reason), reason, tuple(sorted(about)), severity, due_at, now, steps, policy)
        if after is None:
            continue
        pressed.append(after)
        known = before.get(reason)
        if after.times == (known.times if known else 0):
            continue
        cause = f"{incident.incident_id}/{reason.value}@{after.since:%Y%m%dT%H%M%S}#{after.times}"
        part = Told(reason, cause, severity, after.step, after.times, tuple(about), "")
        if reason is Reason.NO_ORDER:
            notes = tuple(note for note, _ in bare)
            told.append(replace(part, notes=notes, subjects=" ".join(note.subject for note in notes)))
        else:
            subjects = " ".join(dict.fromkeys(one.order.subject for one in undone))
            told.append(replace(part, undone=tuple(undone), subjects=subjects, owner=undone[0].order.owner))
    if tuple(pressed) == incident.pressed:
        return incident, told
    return replace(incident, pressed=tuple(pressed)), told


def _pressed(  # noqa: PLR0913, PLR0917 - what is undone, since when, and the clock
    known: Pressed | None, reason: Reason, about: tuple[str, ...], severity: Severity, due_at: datetime,
    now: datetime, steps: int, policy: Policy,
) -> Pressed | None:  # fmt: skip
    """Return how far the telling has come after now; as it was when nothing is to be told, None with nothing undone."""
    if not about:
        quiet: timedelta = interval_of(severity, policy)
        return replace(known, left=()) if known is not None and now - known.at < quiet else None
    if known is None:
        step = next_telling(severity, due_at, None, -1, now, steps, policy) or 0
        return Pressed(reason.value, about, now, 1, step, now, about)
    again = next_telling(severity, due_at, known.at, known.step, now, steps, policy)
    if again is not None:
        return replace(known, about=about, times=known.times + 1, step=again, at=now, left=about)
    if not set(about) <= set(known.about):  # news is told at once, and puts off no clock
        return replace(known, about=tuple(sorted({*known.about, *about})), times=known.times + 1, left=about)
    return replace(known, left=about)
