"""Alarms that stayed open before the engine ended those of spaces that left the site: the migration ends them."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

from risk.departed import AUTHOR, WHY
from tests.unit.risk.builders import site, space
from undercroft.site.document import canonical_json
from undercroft.store.connection import Connection, connect
from undercroft.store.migrate import migrations

LAST = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)
RAISED = LAST - timedelta(hours=2)
ALARM = (
    "insert into alarm (subject, occurrence, subject_kind, severity, peak_severity, active, acknowledged, latched,"
    " raised_at, reasons, last_tick_seq) values (%s, 1, 'space', 3, 4, %s, false, %s, %s, '[]', 5)"
)
EVENT = (
    "insert into alarm_event (subject, event_no, occurrence, tick_seq, tick_at, kind, severity, reasons)"
    " values (%s, %s, 1, 5, %s, 'raised', 3, '[]')"
)


def rows(db: Connection) -> dict[str, tuple[object, ...]]:
    found = db.execute("select subject, active, latched, acknowledged, cleared_at from alarm").fetchall()
    return {row["subject"]: (row["active"], row["latched"], row["acknowledged"], row["cleared_at"]) for row in found}


def test_what_stayed_open_of_spaces_that_left_ends_at_the_last_tick(exercise_db: str) -> None:
    """``gone`` left and stayed active, ``waits`` left unacknowledged; ``late`` left after the last tick."""
    names = ("gone", "waits", "here", "late")
    with closing(connect(exercise_db, application_name="tests", autocommit=True)) as db:
        for seq, kept in ((1, names), (10, ("here", "late")), (30, ("here",))):
            document = canonical_json(site(*(space(name, "car_park") for name in kept)))
            db.execute("insert into site_version values (%s, 'x', 'li', now(), %s)", (seq, document))
        db.execute(
            "insert into tick (tick_seq, tick_at, up_to_commit_seq) values (5, %s, 5), (8, %s, 20)", (RAISED, LAST)
        )
        for name in names:
            db.execute(ALARM, (f"space/{name}", name != "waits", name == "waits", RAISED))
            db.execute(EVENT, (f"space/{name}", 7, RAISED))
        (migration,) = [one for one in migrations() if one.version == 230]
        db.execute(migration.text)
        untouched = (True, False, False, None)
        assert rows(db) == {
            "space/gone": (False, False, False, LAST), "space/waits": (False, False, True, None),
            "space/here": untouched, "space/late": untouched,
        }  # fmt: skip
        events = db.execute(
            "select subject, event_no, tick_seq, kind, severity, detail from alarm_event where event_no > 7 order by 1"
        ).fetchall()
        assert [tuple(row.values()) for row in events] == [
            ("space/gone", 8, 8, "cleared", 0, {"by": WHY, "peak_severity": 4, "lasted_s": 7200}),
            ("space/waits", 8, 8, "acknowledged", 0, {"author": AUTHOR, "comment": WHY}),
        ]
