"""What stands on what an import would take away: told before it is done, in the transaction that would do it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from undercroft.errors import BadInput
from undercroft.site.taken_away import TakenAway
from undercroft.store.connection import Connection
from undercroft.store.sql import sql

WET_M = 0.02
"""Less is a dry floor, as for the engine. [m]"""

REPORT_COUNTS = timedelta(hours=1)
"""How long a report counts that names no end."""

SEVERITIES = ("normal", "blue", "yellow", "orange", "red")


class StandsOn(BadInput):
    """Something stands on what the site file would take away; all of it is told, one per line."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = tuple(lines)
        count = f"{len(lines)} things stand" if len(lines) > 1 else "something stands"
        end = "wait until it is over, or import all the same with --anyway"
        super().__init__("\n".join([*lines, f"not imported: {count} on what the file takes away: {end}"]))


def standing_on(connection: Connection, away: TakenAway, at: datetime) -> list[str]:
    """Return, one per line, the alarms, water, reports, warnings and devices out of service that it would touch."""
    return sorted(
        [
            *_alarms(connection, away),
            *_water(connection, away),
            *_reports(connection, away, at),
            *_warnings(connection, away),
            *_out_of_service(connection, away, at),
        ]
    )


def _alarms(connection: Connection, away: TakenAway) -> Iterator[str]:
    loses = {away.basin_of.get(where[0], ""): key for key, where in away.sensors.items() if ":rain_" in key}
    own = {where[0]: key for key, where in away.sensors.items()}
    for row in connection.execute(sql("standing_alarms")).fetchall():
        kind, _, name = row["subject"].partition("/")
        told = f"alarm {row['subject']} ({SEVERITIES[row['severity']]})"
        if (kind == "space" and name in away.spaces) or (kind == "device" and name in away.devices):
            yield f"{told}: the {kind} is gone, the alarm would end"
        elif kind == "space" and name in away.moved:
            yield f"{told}: the space moves from {away.moved[name]}"
        elif kind == "space" and name in own:
            yield f"{told}: {own[name]} is no longer there"
        elif kind == "space" and away.basin_of.get(name) in loses:
            yield f"{told}: the gauge {loses[away.basin_of[name]]} of its basin is no longer there"


def _water(connection: Connection, away: TakenAway) -> Iterator[str]:
    spaces = sorted({place for place, _ in away.sensors.values()} | away.spaces)
    for row in connection.execute(sql("standing_evidence"), {"spaces": spaces}).fetchall():
        evidence: dict[str, Any] = row["evidence"]
        for shown in (*evidence.get("inside", ()), *evidence.get("entrances", ()), *evidence.get("floats", ())):
            key, depth_m = shown.get("sensor"), shown.get("depth_m")
            if key not in away.sensors or away.sensors[key][0] != row["space_id"]:
                continue
            if shown.get("lifted"):
                yield f"sensor {key} at {_where(away, key)}: lifted, and no longer there"
            elif depth_m is not None and depth_m >= WET_M:
                yield f"sensor {key} at {_where(away, key)}: {depth_m:.2f} m of water, and no longer there"


def _where(away: TakenAway, key: str) -> str:
    return "/".join(part for part in away.sensors[key] if part)


def _reports(connection: Connection, away: TakenAway, at: datetime) -> Iterator[str]:
    newest: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in connection.execute(sql("standing_reports"), {"since": at - timedelta(days=2)}).fetchall():
        body = row["body"]
        by = str(body.get("by") or row["author"])
        newest[row["subject"], str(body.get("entrance") or ""), by] = row
    for (subject, entrance, by), row in newest.items():
        name = subject.removeprefix("space/")
        if row["body"].get("taken_back") is True or _ends(row) <= at:
            continue
        if name in away.spaces:
            yield f"report of {by} at {name}: the space is gone, the report would be forgotten"
        elif (name, entrance) in away.entrances:
            yield f"report of {by} at {name}/{entrance}: the entrance is gone"


def _ends(row: dict[str, Any]) -> datetime:
    """Return until when a report counts; an end that cannot be read is none."""
    acted_at: datetime = row["acted_at"]
    try:
        found = datetime.fromisoformat(str(row["body"]["expires_at"]))
    except (KeyError, ValueError):
        return acted_at + REPORT_COUNTS
    return found if found.tzinfo is not None else acted_at + REPORT_COUNTS


def _warnings(connection: Connection, away: TakenAway) -> Iterator[str]:
    for row in connection.execute(sql("standing_warnings")).fetchall():
        body = row["body"]
        basins, streets = set(body.get("basins") or ()), set(body.get("streets") or ())
        gone = sorted([*(basins & away.basins), *(streets & away.streets)])
        told = f"{row['subject']} ({body.get('colour')})"
        if gone:
            yield f"{told}: {', '.join(gone)} is gone, the warning would cover the district"
        for name, words in sorted(away.moved.items() if basins or streets else ()):
            basin, street = words.partition(" to ")[0].split(", ", 1)
            if basin in basins or street in streets:
                yield f"{told}: {name} moves from {words}, and would stay covered"


def _out_of_service(connection: Connection, away: TakenAway, at: datetime) -> Iterator[str]:
    touched = away.devices | {key.partition(":")[0].partition("/")[0] for key in away.sensors}
    for row in connection.execute(sql("out_of_service_now"), {"at": at, "place": None}).fetchall():
        if row["device_id"] in touched:
            until = f"{row['until']:%Y-%m-%d %H:%M} UTC"
            yield f"device/{row['device_id']}: out of service until {until} ({row['reason']}), and moved or gone"
