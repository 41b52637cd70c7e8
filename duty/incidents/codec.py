"""An incident as a JSON value and back, so that it is committed with the messages it caused."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from duty.incidents.incidents import AlarmNote, Incident, Pressed

_INSTANTS = frozenset(
    {"opened_at", "told_at", "stepped_at", "orange_stepped_at", "red_stepped_at", "clear_since"}
    | {"since", "orange_since", "red_since", "acknowledged_at", "at"}
)


def to_json(incident: Incident) -> dict[str, Any]:
    """Return an incident as plain values."""
    return asdict(incident)


def from_json(value: dict[str, Any]) -> Incident:
    """Return the incident that `to_json` wrote."""
    one_clock = {name: value.get("stepped_at") for name in ("orange_stepped_at", "red_stepped_at")}
    value = one_clock | value  # written when all severities had one clock
    alarms = tuple(AlarmNote(**_plain(AlarmNote, note)) for note in value["alarms"])
    pressed = tuple(Pressed(**_plain(Pressed, entry)) for entry in value.get("pressed", ()))
    return Incident(**{**_plain(Incident, value), "alarms": alarms, "pressed": pressed})


def _plain(kind: type, value: dict[str, Any]) -> dict[str, Any]:
    known = {entry.name for entry in fields(kind)}
    return {name: _value(name, entry) for name, entry in value.items() if name in known}


def _value(name: str, entry: Any) -> Any:
    if name in _INSTANTS and isinstance(entry, str):
        return datetime.fromisoformat(entry)
    return tuple(entry) if isinstance(entry, list) else entry
