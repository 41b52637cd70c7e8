"""Whom to tell when those who were told cannot be reached: the next step at once, and the fallback.

A message is refused when its channel refused it for good, or answered `UNKNOWN_CODE_TRIES` times what nobody knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog

from duty.incidents.rows import incident_row
from duty.model import Reason
from duty.notify.notifier import Notifier
from duty.senders.http import UNKNOWN_CODE_TRIES
from duty.telling.addressed import FALLBACK, message_row
from duty.telling.decide import passed_on
from undercroft.store import duty as store

log = structlog.get_logger(__name__)

LOOKS_BACK = timedelta(hours=2)
"""How long past the longest interval a message is looked at: an open incident has told of itself again since."""

NOBODY_REACHED = "原收件人均未送达 nobody of those addressed could be reached"
NOBODY_YET = (
    "原收件人至今均未送达，仍在重试 nobody of those addressed could be reached in time; it is still being tried"
)


def pass_on(notifier: Notifier, at: datetime, now: datetime) -> int:
    """Tell the next step at once of each red that its highest step refused whole; return how many.

    Parameters
    ----------
    at : datetime
        The time that is decided for: whose shift it is, what the message says.
    now : datetime
        The notifier's time, which never goes back.
    """
    newest = {f"{incident.incident_id}#{incident.causes}": basin for basin, incident in notifier.incidents.items()}
    if not newest:
        return 0
    refused = store.refused_steps(notifier.connection, list(newest), UNKNOWN_CODE_TRIES)
    by = {basin: refused.get((cause, notifier.incidents[basin].reached), ()) for cause, basin in newest.items()}
    if not any(by.values()):
        return 0
    chain, progress, saved, messages = notifier.roster(at, at).chain(at), notifier.reached(), [], []
    names = {person.person_id: person.name for person in chain}
    for basin in sorted(basin for basin, people in by.items() if people):
        who = tuple(names.get(person, person) for person in by[basin])
        passed = passed_on(notifier.incidents[basin], at, len(chain), who)
        if passed is None:
            continue
        incident, cause = passed
        notifier.incidents[basin] = incident
        saved.append(incident_row(incident, None))
        messages += notifier.messages(cause, basin, chain, progress.deployment_id)
        log.error("step_refused", incident=incident.incident_id, refused_by=who, next_step=incident.reached)
    if saved:
        notifier.save(progress, saved, messages, now)
    return len(saved)


def rescue(notifier: Notifier, at: datetime, now: datetime, *, refused_only: bool = False) -> int:
    """Tell the fallback, once, of each cause that reached nobody; return how many causes are new.

    That is one of which every message was refused, or none was taken within the interval of its severity. What is
    queued goes on being tried.

    Parameters
    ----------
    refused_only : bool
        Whether what waits is left alone: it may just be sent, after notifier or database were away.
    """
    intervals = {severity.name.lower(): interval for severity, interval in notifier.policy.interval.items()}
    since = now - max(intervals.values()) - LOOKS_BACK
    found = store.unreached(
        notifier.connection, now, since, intervals, fallback=FALLBACK.person_id, most=UNKNOWN_CODE_TRIES
    )
    new = [row for row in found if row["cause"] not in notifier.beyond_help and (row["is_refused"] or not refused_only)]
    deployment_id, person = notifier.reached().deployment_id, notifier.channels.fallback_person
    rows = []
    for row in new:
        body = notifier.style.headed(NOBODY_REACHED if row["is_refused"] else NOBODY_YET, row["body"])
        rows += [
            message_row(
                row["cause"] + "!", row["incident_id"], _reason_of(row), row["step"], row["severity"], person, reach,
                deployment_id, row["title"], body, at, notifier.channels, row["subjects"],
            )
            for reach in notifier.channels.fallback
        ]  # fmt: skip
    store.queue_messages(notifier.connection, rows, now)
    notifier.beyond_help |= {row["cause"] for row in new}
    return len(new)


def _reason_of(row: Mapping[str, Any]) -> Reason:
    """Return why the fallback is told: of what was only told again, again."""
    return Reason.REPEAT if row["is_repeat"] else Reason.ESCALATED
