"""A district in a database, written as ingest and the engine write it: readings, ticks, assessments, alarms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from undercroft.site.load import load_site, sample_site_path
from undercroft.store.commit import TICK_CHANNEL, take_commit_seq
from undercroft.store.connection import Connection, connect
from undercroft.store.site import import_site

START = datetime(2023, 9, 7, 11, 0, tzinfo=UTC)
"""19:00 in Shenzhen on the evening of the storm."""

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """An assessment to write."""

    space_id: str
    level: int = 0
    score: float = 0.0
    blind: bool = False
    reasons: Sequence[JsonObject] = ()
    evidence: JsonObject = field(default_factory=dict)
    contributions: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Happening:
    """An alarm event to write, with the alarm it leads to."""

    subject: str
    severity: int
    kind: str = "raised"
    reasons: Sequence[JsonObject] = ()
    occurrence: int = 1
    suppressed_by: str | None = None
    shelved_until: datetime | None = None
    taken_by: str | None = None


def reason(severity: int = 3, **changes: object) -> JsonObject:
    """Return a reason of the shape that the engine writes."""
    return {
        "rule": "outside-head",
        "severity": severity,
        "value": 0.06,
        "unit": "m",
        "threshold": 0.0,
        "source": "weir formula Q = 1.7 B h^1.5: any water over an open crest flows in",
        "sensor": "cp-01-level:water_depth_m",
        "observed_at": START.isoformat(),
        "text_en": "Water 0.06 m over the open crest of the north ramp (threshold 0.00 m)",
        "text_zh": "北坡道水位高出未封闭坎顶0.06米（阈值0.00米）",
        **changes,
    }


class World:
    """Writes to one database; every method commits."""

    def __init__(self, url: str, *, start: datetime = START) -> None:
        self.connection: Connection = connect(url, application_name="test-world", autocommit=True)
        self.now = start
        self.tick_seq = 0
        self._event_no: dict[str, int] = {}

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def import_sample(self) -> None:
        """Import the sample district."""
        import_site(self.connection, load_site(sample_site_path()), "test", self.now)

    def space_ids(self) -> list[str]:
        """Return all spaces by id."""
        return [row["space_id"] for row in self.connection.execute("select space_id from space order by space_id")]

    def sensor_keys(self, place_id: str) -> dict[str, int]:
        """Return the key and number of every sensor of a place."""
        rows = self.connection.execute(
            "select sensor_id, device_id, at, quantity from sensor where place_id = %s order by sensor_id", (place_id,)
        )
        return {
            f"{row['device_id']}{'/' + row['at'] if row['at'] else ''}:{row['quantity']}": row["sensor_id"]
            for row in rows
        }

    def observe(self, sensor_id: int, readings: Iterable[tuple[datetime, float]]) -> None:
        """Commit one batch of readings of one sensor."""
        rows = list(readings)
        with self.connection.transaction():
            batch = self.connection.execute("select nextval('batch_id_seq') as id").fetchone()
            assert batch is not None
            self.connection.execute(
                "insert into observation (sensor_id, observed_at, value, quality, received_at, batch_id)"
                " select %s, at, value, 1, at, %s"
                " from unnest(%s::timestamptz[], %s::double precision[]) as new (at, value)",
                (sensor_id, batch["id"], [at for at, _ in rows], [value for _, value in rows]),
            )
            newest = max(at for at, _ in rows)
            seq = take_commit_seq(self.connection)
            self.connection.execute(
                "insert into batch (batch_id, commit_seq, lane, run_now, observed_from, observed_to, messages,"
                " readings, stored, duplicates, conflicts, dead_letters)"
                " values (%s, %s, 'exercise', %s, %s, %s, %s, %s, %s, 0, 0, 0)",
                (batch["id"], seq, newest, rows[0][0], newest, len(rows), len(rows), len(rows)),
            )

    def tick(
        self,
        findings: Iterable[Finding] = (),
        happenings: Iterable[Happening] = (),
        *,
        forward: timedelta = timedelta(minutes=1),
    ) -> int:
        """Commit one tick with its assessments, alarms and events, and notify; return its number."""
        self.now += forward
        self.tick_seq += 1
        with self.connection.transaction():
            self.connection.execute(
                "insert into tick (tick_seq, tick_at, up_to_commit_seq) select %s, %s, commit_seq from commit_counter",
                (self.tick_seq, self.now),
            )
            for finding in findings:
                self._assess(finding)
            for happening in happenings:
                self._happen(happening)
            self.connection.execute("select pg_notify(%s, %s)", (TICK_CHANNEL, str(self.tick_seq)))
        return self.tick_seq

    def _assess(self, finding: Finding) -> None:
        self.connection.execute(
            "insert into assessment values (%s, %s, %s, %s, %s, %s, %s::jsonb, %s::jsonb, %s::jsonb)",
            (
                finding.space_id,
                self.tick_seq,
                self.now,
                finding.level,
                finding.score,
                finding.blind,
                _json(list(finding.reasons)),
                _json(finding.contributions),
                _json(finding.evidence),
            ),
        )

    def _happen(self, happening: Happening) -> None:
        event_no = self._event_no[happening.subject] = self._event_no.get(happening.subject, 0) + 1
        cleared = happening.kind == "cleared"
        values = {
            "subject": happening.subject,
            "occurrence": happening.occurrence,
            "kind": happening.subject.split("/")[0],
            "severity": happening.severity,
            "active": not cleared,
            "now": self.now,
            "cleared_at": self.now if cleared else None,
            "reasons": _json(list(happening.reasons)),
            "tick": self.tick_seq,
            "suppressed_by": happening.suppressed_by,
            "shelved_until": happening.shelved_until,
            "event_no": event_no,
            "event": happening.kind,
            "acknowledged": happening.taken_by is not None,
            "detail": _json({"author": happening.taken_by} if happening.taken_by else {}),
        }
        self.connection.execute(
            "insert into alarm (subject, occurrence, subject_kind, severity, peak_severity, active, raised_at, reasons,"
            " last_tick_seq, suppressed_by, shelved_until, acknowledged)"
            " values (%(subject)s, %(occurrence)s, %(kind)s, %(severity)s, %(severity)s, %(active)s, %(now)s,"
            " %(reasons)s::jsonb, %(tick)s, %(suppressed_by)s, %(shelved_until)s, %(acknowledged)s)"
            " on conflict (subject, occurrence) do update set severity = excluded.severity,"
            " peak_severity = greatest(alarm.peak_severity, excluded.severity), active = excluded.active,"
            " cleared_at = %(cleared_at)s, reasons = excluded.reasons, last_tick_seq = excluded.last_tick_seq,"
            " suppressed_by = excluded.suppressed_by, shelved_until = excluded.shelved_until,"
            " acknowledged = excluded.acknowledged",
            values,
        )
        self.connection.execute(
            "insert into alarm_event (subject, event_no, occurrence, tick_seq, tick_at, kind, severity, reasons,"
            " detail) values (%(subject)s, %(event_no)s, %(occurrence)s, %(tick)s, %(now)s, %(event)s,"
            " case when %(active)s then %(severity)s else 0 end, %(reasons)s::jsonb, %(detail)s::jsonb)",
            values,
        )


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
