"""The duty log as a table to be read: one line an entry, in local time, with what the entry says. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from duty.reports.log_words import words_of
from undercroft.local_time import local
from undercroft.plain_text import one_line

DETAILS: Mapping[str, tuple[str, ...]] = {
    "acknowledge": ("alarms", "left_out", "taken"), "shelve": ("minutes",), "out_of_service": ("minutes",),
    "rain_warning": ("state", "colour", "basins", "streets", "until"), "absent": ("from", "until"),
    "roster": ("shifts", "from", "until"), "handover": ("to",), "order": ("order", "beside"),
    "stock_movement": ("item", "quantity", "counted", "left"),
}  # fmt: skip
"""Kind of entry -> fields of its body that its words leave out."""

JUST_THEN = timedelta(minutes=1)
"""What was seen so shortly before it was entered needs no time of its own."""


def line_of(row: Mapping[str, Any], names: Mapping[str, Any], zone: ZoneInfo, *, mark: str = "") -> str:
    """Return an entry as a line: number, time, kind, what it says in both languages, which entry it corrects.

    Parameters
    ----------
    names : mapping
        What subjects are called, of `duty.telling.names.load_names`.
    mark : str
        That of a drill, before the line.

    Examples
    --------
    >>> from datetime import UTC
    >>> row = {"entry_no": 7, "at": datetime(2026, 7, 1, 16, 12, 5, tzinfo=UTC), "kind": "note", "author": "li",
    ...        "subject": "-", "body": {"text": "ramp is dry"}, "corrects": 3}
    >>> line_of(row, {}, ZoneInfo("Asia/Shanghai"))
    '    7  2026-07-02 00:12:05  note            li：记事：ramp is dry | li: note: ramp is dry  更正 corrects 3'
    >>> said = {"from": "2026-07-01T16:12:00+00:00", "until": "2026-07-02T00:00:00+00:00"}
    >>> away = {**row, "kind": "absent", "subject": "person/wu", "body": said, "corrects": None}
    >>> line_of(away, {}, ZoneInfo("UTC")).partition(" | ")[2]
    'li: person/wu absent  (from 2026-07-01 16:12, until 2026-07-02 00:00)'
    """
    zh, en = words_of(row, names)
    details = details_of(row, zone)
    corrects = f"  更正 corrects {row['corrects']}" if row["corrects"] else ""
    said = f"{zh} | {en}" + (f"  ({details})" if details else "") + corrects
    return one_line(f"{mark}{row['entry_no']:>5}  {row['at'].astimezone(zone):%F %T}  {row['kind']:<14}  {said}")


def details_of(row: Mapping[str, Any], zone: ZoneInfo) -> str:
    """Return the fields that an entry's words leave out; of a field report when it was seen, unless just then.

    Examples
    --------
    >>> moved = {"kind": "stock_movement", "body": {"item": "sandbag", "quantity": -120.0, "left": 30.0}}
    >>> details_of(moved, ZoneInfo("UTC"))
    'item sandbag, quantity -120, left 30'
    """
    body: Mapping[str, Any] = row["body"]
    found = [(name, body[name]) for name in DETAILS.get(row["kind"], ()) if body.get(name) not in (None, "", [])]
    if row["kind"] == "field_report" and body.get("observed_at"):
        seen_at = datetime.fromisoformat(body["observed_at"])
        if abs(row["at"] - seen_at) >= JUST_THEN:
            found.append(("seen", body["observed_at"]))
    return ", ".join(f"{name} {_shown(value, zone)}" for name, value in found)


def _shown(value: object, zone: ZoneInfo) -> str:
    """Return a value as words; an instant in local time."""
    if isinstance(value, list):
        return " ".join(str(entry) for entry in value)
    if isinstance(value, float):
        return f"{value:g}"
    try:
        at = datetime.fromisoformat(str(value)) if isinstance(value, str) else None
    except ValueError:
        at = None
    return str(value) if at is None or at.tzinfo is None else local(at, zone)
