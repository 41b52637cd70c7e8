"""What people do to alarms and devices, and what they report: `perform`, through the one door (`duty.door`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from duty.acts.checks import ON_ALARMS, check
from duty.acts.completed import completed
from duty.acts.movements import moved
from duty.door.bodies import problem_of
from duty.door.door import Actor, Asked, Done, Effect, ForEngine, log, through
from duty.door.refusals import ActInvalid, NotPossibleNow, SubjectUnknown, TakenAlready
from duty.incidents.codec import from_json
from duty.incidents.incidents import NEWS
from duty.reports.reports import BY_PHONE
from undercroft.store import duty_acts as store
from undercroft.store import duty_reports
from undercroft.store.connection import Connection

FOR_THE_ENGINE = frozenset({
    "acknowledge", "shelve", "unshelve", "stand_down", "out_of_service", "in_service", "rain_warning", "field_report",
    "stock_movement",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody wants to do; ``duty.door.bodies`` says what the body of each kind holds."""

    kind: str
    subject: str
    body: Mapping[str, Any]


def perform(connection: Connection, actor: Actor, act: Act, now: datetime, key: str = "") -> Done:
    """Do an act, or refuse it; with a key it is done once, however often it is sent.

    Raises
    ------
    Refused
        By its class, if the role does not reach or the act is not possible; the audit keeps the refusal.
    """

    def do(at: datetime) -> Effect:
        problem = problem_of(act.kind, act.subject, act.body)
        if problem is not None:
            raise ActInvalid(f"{act.kind}: {problem}")
        body = completed(connection, actor, act.kind, act.subject, act.body, at)
        if act.kind in ON_ALARMS:
            store.one_at_a_time(connection)
        about, untold = _subjects(connection, act)
        subjects, taken = _possible(connection, actor, act, about, body, at)
        if act.kind == "submit_report":
            _submit(connection, actor, act, at)
        if act.kind == "stock_movement":
            body["left"] = moved(connection, act.subject, body)
        covered = {"alarms": subjects} if subjects != [act.subject] else {}
        covered |= {"left_out": untold} if untold else {}
        covered |= {"taken": taken} if taken else {}
        entry_no = log(connection, act.kind, actor.operator_id, act.subject, body | covered, at, body.get("corrects"))
        engine = [ForEngine(act.kind, subject, body) for subject in subjects] if act.kind in FOR_THE_ENGINE else []
        said = {"left_out": ", ".join(untold) or None, "taken": ", ".join(taken) or None}
        return Effect(entry_no, tuple(engine), body | covered, said)

    return through(connection, actor, Asked(act.kind, act.kind, act.subject, act.body, key), now, do)


def _possible(
    connection: Connection, actor: Actor, act: Act, about: Sequence[str], body: Mapping[str, Any], at: datetime
) -> tuple[list[str], list[str]]:
    """Return what an act is about and can be done to; then those of an incident's alarms that a colleague took.

    Raises
    ------
    Refused
        If there is nothing that it can be done to; of several the last refusal.
    """
    found, taken, refusal = list[str](), list[str](), None
    for subject in about:
        try:
            check(connection, actor, act.kind, subject, body, at)
        except (NotPossibleNow, SubjectUnknown) as error:
            refusal = error
            taken += [f"{subject} ({error.by})"] if isinstance(error, TakenAlready) else []
            continue
        found.append(subject)
    if refusal is not None and not found:
        raise refusal
    return found, taken


def _subjects(connection: Connection, act: Act) -> tuple[list[str], list[str]]:
    """Return what an act is about: itself, or the alarms of an incident that wait and that somebody was told of.

    Then what is left out, for its alarm has news since that nobody was told of: the notifier is behind, or was away.
    """
    if act.kind != "acknowledge" or not act.subject.startswith("incident/"):
        return [act.subject], []
    incident_id = act.subject.removeprefix("incident/")
    row = duty_reports.incident(connection, incident_id)
    if row is None:
        raise SubjectUnknown(f"{act.kind}: there is no incident {incident_id}")
    incident = from_json(row["state"])
    waiting = [note.subject for note in incident.waiting]
    news = {*incident.news, *store.untold(connection, waiting, NEWS)}
    told, untold = [name for name in waiting if name not in news], sorted(news.intersection(waiting))
    if not told:
        why = f"; news of {', '.join(untold)} that nobody was told of yet" if untold else ""
        raise NotPossibleNow(f"{act.kind}: no alarm of {incident_id} waits that anybody was told of{why}")
    return told, untold


def _submit(connection: Connection, actor: Actor, act: Act, at: datetime) -> None:
    """Record that a report was handed in."""
    incident_id, serial = act.subject.removeprefix("incident/"), act.body["serial"]
    if duty_reports.incident(connection, incident_id) is None:
        raise SubjectUnknown(f"{act.kind}: there is no incident {incident_id}")
    if serial == BY_PHONE:
        if not duty_reports.report_by_phone(connection, incident_id, actor.operator_id, at):
            raise NotPossibleNow(f"{act.kind}: {incident_id} was reported by phone already")
        return
    if not duty_reports.submit_report(connection, incident_id, serial, actor.operator_id, at):
        raise NotPossibleNow(f"{act.kind}: no draft {serial} of {incident_id} waits to be handed in")


def in_force(connection: Connection, warning: str) -> dict[str, Any] | None:
    """Return what a rain warning that is in force says, None when it is not in force."""
    row = store.warning_in_force(connection, f"warning/{warning}")
    return None if row is None else {"basins": [], "streets": []} | row["body"]
