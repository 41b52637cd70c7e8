"""From rows to the bytes of server-sent events (WHATWG HTML, section 9.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from pydantic import BaseModel

from api.alarms.schemas import AlarmEventOut, AlarmOut
from api.deployment import Deployment, newest_until, present
from api.events.schemas import EventName, Pulse, Snapshot, Tick
from api.pagination import MOST_ROWS
from api.spaces.schemas import summary_of
from undercroft.store.reading import Query, Row

RETRY_MS = 1_000
"""How long a browser waits before it connects again. [ms]"""


@dataclass(frozen=True, slots=True)
class Frame:
    """One event as sent, and the tick that it completes; None where it completes none."""

    tick_seq: int | None
    payload: bytes


def frame(name: EventName, body: BaseModel, tick_seq: int | None = None) -> Frame:
    """Return one event. JSON holds no line break, so that one ``data`` line is enough."""
    lines = [f"event: {name}", f"data: {body.model_dump_json()}"]
    if tick_seq is not None:
        lines.insert(0, f"id: {tick_seq}")
    return Frame(tick_seq, ("\n".join(lines) + "\n\n").encode())


def comment(text: str) -> bytes:
    """Return a comment, which keeps proxies from closing a silent connection."""
    return f": {text}\n\n".encode()


async def snapshot_frame(query: Query, deployment: Deployment, wall: datetime) -> Frame:
    """Return the event that says everything, under the id of the newest tick."""
    tick = await query.row("read_newest_tick")
    tick_seq = tick["tick_seq"] if tick else 0
    tick_at = tick["tick_at"] if tick else None
    spaces = await query.rows("read_spaces_ranked", **_FIRST_SPACES, as_of=tick_seq)
    alarms = await query.rows("read_alarms", **_FIRST_OPEN_ALARMS)
    site = await query.row("read_site")
    body = Snapshot(
        now=present(deployment.mode, tick_at, wall),
        wall=wall,
        tick_seq=tick_seq,
        tick_at=tick_at,
        deployment_id=deployment.deployment_id,
        mode=deployment.mode,
        spaces_total=site["spaces"] if site else 0,
        spaces=[summary_of(row) for row in spaces],
        alarms=[AlarmOut.model_validate(row) for row in alarms],
        observed=_observed(await query.rows("read_freshness", latest=newest_until(deployment.mode, wall))),
    )
    return frame("snapshot", body, tick_seq)


_FIRST_SPACES: Mapping[str, Any] = {
    "kind": None,
    "street": None,
    "level": None,
    "level_min": None,
    "limit": MOST_ROWS,
    "after_level": None,
    "after_score": None,
    "after_space": None,
}
_FIRST_OPEN_ALARMS: Mapping[str, Any] = {
    "open": True,
    "subject": None,
    "severity_min": None,
    "limit": MOST_ROWS,
    "after_severity": None,
    "after_raised_at": None,
    "after_subject": None,
    "after_occurrence": None,
}


async def tick_frames(
    query: Query, deployment: Deployment, wall: datetime, *, after: int, up_to: int, limit: int
) -> list[Frame]:
    """Return the events of the next ticks after a number, oldest first; empty when there are none."""
    ticks = await query.rows("read_ticks_after", after=after, up_to=up_to, limit=limit)
    if not ticks:
        return []
    stretch = {"after": after, "up_to": ticks[-1]["tick_seq"]}
    assessments = _by_tick(await query.rows("read_assessments_between", **stretch))
    events = _by_tick(await query.rows("read_alarm_events_between", **stretch))
    alarms = await query.rows("read_alarms_between", **stretch)
    observed = await _fresh(query, after, ticks, newest_until(deployment.mode, wall))
    touched = _touched(events, alarms)
    last = ticks[-1]["tick_seq"]
    return [
        frame(
            "tick",
            Tick(
                now=present(deployment.mode, tick["tick_at"], wall),
                wall=wall,
                tick_seq=tick["tick_seq"],
                tick_at=tick["tick_at"],
                assessments=[summary_of(row) for row in assessments.get(tick["tick_seq"], ())],
                alarm_events=[AlarmEventOut.model_validate(row) for row in events.get(tick["tick_seq"], ())],
                alarms=[AlarmOut.model_validate(row) for row in touched.get(tick["tick_seq"], ())],
                observed=observed if tick["tick_seq"] == last else {},
            ),
            tick["tick_seq"],
        )
        for tick in ticks
    ]


def pulse_frame(deployment: Deployment | None, tick: Row | None, wall: datetime, *, stale: bool) -> Frame:
    """Return the event that says that the service lives, and whether the database does."""
    tick_at = tick["tick_at"] if tick else None
    body = Pulse(
        now=present(deployment.mode, tick_at, wall) if deployment else wall,
        wall=wall,
        tick_seq=tick["tick_seq"] if tick else 0,
        tick_at=tick_at,
        stale=stale,
        tick_age_s=max(0.0, (wall - tick["committed_at"]).total_seconds()) if tick else None,
    )
    return frame("stale" if stale else "pulse", body)


async def _fresh(query: Query, after: int, ticks: list[Row], latest: datetime | None) -> dict[str, datetime]:
    """Newest reading of each space among those committed for these ticks; put on the last of them."""
    before = await query.row("read_tick_before", after=after)
    rows = await query.rows(
        "read_freshness_between",
        after=before["up_to_commit_seq"] if before else 0,
        up_to=ticks[-1]["up_to_commit_seq"],
        latest=latest,
    )
    return _observed(rows)


def _observed(rows: Iterable[Row]) -> dict[str, datetime]:
    return {row["space_id"]: row["observed_at"] for row in rows}


def _by_tick(rows: Iterable[Row]) -> dict[int, list[Row]]:
    """Group rows that come in order of ticks."""
    return {tick_seq: list(group) for tick_seq, group in groupby(rows, key=lambda row: row["tick_seq"])}


def _touched(events: Mapping[int, list[Row]], alarms: Iterable[Row]) -> dict[int, list[Row]]:
    """Put each alarm on the last of these ticks that touched it."""
    last: dict[tuple[str, int], int] = {
        (row["subject"], row["occurrence"]): tick_seq for tick_seq, rows in events.items() for row in rows
    }
    found: dict[int, list[Row]] = {}
    for alarm in alarms:
        tick_seq = last.get((alarm["subject"], alarm["occurrence"]), int(alarm["last_tick_seq"]))
        found.setdefault(tick_seq, []).append(alarm)
    return found
