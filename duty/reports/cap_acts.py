"""A CAP message through the one door: it is kept as it was made, and no two have one identifier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from duty.door.door import Actor, Asked, Done, Effect, log, through
from duty.reports import cap, paper
from undercroft.store import duty_cap as store
from undercroft.store.connection import Connection


@dataclass(frozen=True, slots=True)
class Exported:
    """A message that is kept: its row of the store, with the XML."""

    done: Done
    row: Mapping[str, Any]


def export_cap(
    connection: Connection, actor: Actor, incident_id: str, origin: cap.Origin, now: datetime, key: str = ""
) -> Exported:
    """Make the next CAP message of an incident and keep it; nothing is sent.

    Of one second there are ten identifiers; when they are taken the message is of the next second.

    Raises
    ------
    Refused
        By its class, if there is no such incident, or no space has an alarm in it.
    """

    def do(at: datetime) -> Effect:
        case = paper.load_case(connection, incident_id)
        store.lock(connection)
        named = (reference.split(",")[1] for reference in origin.references)
        identifier, sent = cap.free_identifier(origin.area_code, at, {*store.taken_since(connection, at), *named})
        xml, kind = paper.cap_of(connection, case, origin, identifier, sent)
        body = {"identifier": identifier, "kind": kind}
        subject = f"incident/{incident_id}"
        entry_no = log(connection, "export_cap", actor.operator_id, subject, body, at)
        store.keep(connection, {
            "identifier": identifier, "incident_id": incident_id, "sender": origin.sender, "sent_at": sent,
            "kind": kind, "reference": cap.reference_to(origin, identifier, sent), "author": actor.operator_id,
            "made_at": at, "xml": xml.decode(),
        })  # fmt: skip
        return Effect(entry_no, detail=body)

    said = {
        "sender": origin.sender, "sender_names": list(origin.sender_names), "area_code": origin.area_code,
        "zone": origin.zone.key, "references": list(origin.references),
    }  # fmt: skip
    asked = Asked("export_cap", "export_cap", f"incident/{incident_id[:80]}", said, key)
    done = through(connection, actor, asked, now, do)
    return Exported(done, store.of_entry(connection, done.entry_no))
