"""Checks of the roster: is somebody there at each step for the next day, and can everybody on it be reached?"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from undercroft.doctor.finding import Finding, bad, good
from undercroft.errors import BadInput, UndercroftError
from undercroft.model import Mode
from undercroft.store.connection import connect
from undercroft.store.duty_roster import RosterFacts, roster_facts
from undercroft.store.migrate import mode_of
from undercroft.store.site import district_timezone
from undercroft.toml_text import read_toml

AHEAD = timedelta(hours=24)
"""As far as the alarm of a gap looks ahead (`duty.notify.run`)."""


def check_roster(url: str, now: datetime, duty_file: Path | None) -> list[Finding]:
    """Return what the roster of a database looks like, held against the channels of a duty file."""
    try:
        with closing(connect(url, application_name="undercroft-doctor", autocommit=True)) as connection:
            if mode_of(connection) is not Mode.LIVE:
                return []  # a run has a roster of its own time
            facts, zone = roster_facts(connection, now, now + AHEAD), ZoneInfo(district_timezone(connection))
    except UndercroftError:
        return []  # the check of the database says what is wrong with it
    return judge_roster(facts, _channels(duty_file), zone)


def judge_roster(facts: RosterFacts, channels: Collection[str] | None, zone: ZoneInfo) -> list[Finding]:
    """Return the findings of a roster; ``channels`` are those of the duty file, None where there is none to ask.

    Examples
    --------
    >>> facts = RosterFacts(None, 0, {"li": {"wecom"}, "wu": {"sms", "wecom"}})
    >>> [finding.seen for finding in judge_roster(facts, ["mail", "sms"], ZoneInfo("UTC"))]
    ['li cannot be reached: the duty file has no channel wecom']
    """
    found = []
    if facts.gap_at is not None:
        begins = facts.gap_at.astimezone(zone).isoformat(" ", "minutes")
        seen = f"nobody is on duty at step {facts.gap_step} from {begins}" + (
            "" if facts.people else "; the roster is empty for 24 h"
        )
        found.append(bad("roster", seen, "`undercroft roster import`, or a deputy (docs/operations/duty.md)"))
    for person, reach in sorted(facts.people.items()):
        if channels is not None and not reach & set(channels):
            seen = f"{person} cannot be reached: the duty file has no channel {', '.join(sorted(reach)) or 'of theirs'}"
            found.append(bad("roster", seen, "name the channel in the duty file, or another one in the roster"))
    return found or [good("roster", f"somebody is on duty for 24 h, of {len(facts.people)} people")]


def _channels(duty_file: Path | None) -> list[str] | None:
    if duty_file is None:
        return None
    try:
        _, document = read_toml(duty_file)
    except BadInput:
        return None  # the check of the file says so
    return [str(entry.get("id")) for entry in document.get("channel") or [] if isinstance(entry, dict)]
