"""Panels of a moment whose site is not today's: its spaces, and the thresholds that the engine held then."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

from risk.thresholds import thresholds_at
from tests.contract.flavours import slow_on_timescale
from tests.contract.moments import END, HOUR, MINUTE, asked, one
from undercroft.model import SpaceKind
from undercroft.rules import RULE_UNITS
from undercroft.site.load import read_site_file
from undercroft.site.model import Site, ThresholdRow, ThresholdSet
from undercroft.store.connection import Connection, connect
from undercroft.store.site import import_site

DAY = timedelta(days=1)
SAMPLE = Path(str(files("undercroft.site") / "sample" / "futian.toml"))


def red_inside(value_m: float, kind: SpaceKind | None = None, space: str | None = None) -> ThresholdRow:
    return ThresholdRow(
        rule="inside-depth", kind=kind, space=space, severity="red", value=value_m, unit="m", source="drill"
    )


def sites() -> tuple[Site, Site]:
    """Two versions: the second lacks the first space, names a new one, and has the set "all" only from +3 h on."""
    sample = read_site_file(SAMPLE).site
    own = sample.spaces[-1]
    of_kind = ThresholdSet(
        id="kind", author="li", source="s", valid_from=END - 2 * DAY, rows=(red_inside(0.25, SpaceKind.CAR_PARK),)
    )
    of_all = ThresholdSet(
        id="all",
        author="li",
        source="s",
        valid_from=END,
        rows=(red_inside(0.12, SpaceKind.MALL), red_inside(0.2), red_inside(0.4, space=own.id)),
    )
    last = ThresholdSet(
        id="last", author="li", source="s", valid_from=END, rows=(red_inside(0.22, SpaceKind.UNDERPASS),)
    )
    first = sample.model_copy(update={"threshold_sets": (of_all, last, of_kind)})
    later = of_all.model_copy(update={"valid_from": END + 3 * HOUR})
    new = sample.spaces[0].model_copy(update={"id": "brand-new", "devices": ()})
    second = sample.model_copy(update={"threshold_sets": (later,), "spaces": (*sample.spaces[1:], new)})
    return first, second


def thresholds_are_those_of_the_engine(db: Connection, first: Site, second: Site) -> None:
    seen = set()
    for site, hours in ((first, -24), (first, -1), (first, 1), (second, 2.5), (second, 4)):
        until = END + hours * HOUR
        table = thresholds_at(site, until)
        for space in {space.kind: space for space in site.spaces}.values():
            held = {
                (rule, level): (found.value, found in table.by_space.values())
                for rule in RULE_UNITS
                for level in (1, 2, 3, 4)
                if (found := table.find(rule, space.id, space.kind, level))
            }
            rows = asked(db, "space_thresholds", until - HOUR, until, place=[space.id])
            assert {(r["rule"], r["level"]): r["value"] for r in rows} == {
                key: value for key, (value, _) in held.items()
            }, (hours, space.id)
            seen.add(held["inside-depth", 4][0])
    assert seen >= {0.3, 0.25, 0.2, 0.12, 0.22, 0.4}  # a default, and each of the sets' own


def a_moment_has_the_spaces_of_its_site(db: Connection, first: Site, second: Site) -> None:
    """All red a day ago; then one space was taken out and one put in."""
    gone, count = first.spaces[0].id, len(first.spaces)
    for seq, at in enumerate((END - DAY, END + 4 * HOUR), 1):
        db.execute(
            "insert into tick (tick_seq, tick_at, up_to_commit_seq, committed_at) values (%s, %s, 0, %s)", (seq, at, at)
        )
        db.execute(
            "insert into assessment (space_id, tick_seq, tick_at, level, score, blind, reasons, contributions,"
            " evidence) select space_id, %s, %s, 4, 0, false, '[]', '{}', '{}' from grafana.space_at(%s)",
            (seq, at, at),
        )
    for until, lost, named in ((END - DAY + MINUTE, "brand-new", gone), (END + 4 * HOUR + MINUTE, gone, "brand-new")):
        row = one(db, "level_counts", until)
        assert (row["red"], row["not_judged"], row["blind_share"]) == (count, 0, 0.0)
        shown = db.execute("select space_id from grafana.space_at(%s)", (until,)).fetchall()
        assert (named in {r["space_id"] for r in shown}, lost in {r["space_id"] for r in shown}) == (True, False)
        assert len(shown) == count
    db.execute(
        "insert into observation (sensor_id, observed_at, value, quality, received_at, batch_id)"
        " select sensor_id, %s, 0.1, 1, %s, 1 from sensor where quantity <> 'online'",
        (END - DAY, END - DAY),
    )
    every = db.execute("select count(*) as n from sensor where quantity <> 'online'").fetchone()
    rows = asked(db, "rewind_readings", END - 2 * DAY, END - DAY + MINUTE)
    assert every == {"n": len(rows)}  # of the space that is gone, too


def an_exercise_is_played_at_any_date(db: Connection) -> None:
    """Imported a year after the date that is played: a site is in force from the first batch that came after it."""
    db.execute("update site_version set imported_at = imported_at + interval '1 year', commit_seq = 10 * commit_seq")
    for number, at in ((11, END - DAY), (21, END + HOUR)):
        db.execute(
            "insert into batch (batch_id, commit_seq, lane, run_now, messages, readings, stored, duplicates, conflicts,"
            " dead_letters) values (%s, %s, 'routine', %s, 1, 1, 1, 0, 0, 0)",
            (number, number, at),
        )
    moments = (END - 2 * DAY, END - DAY, END, END + HOUR, END + 2 * DAY)
    found = [db.execute("select grafana.site_at(%s) as seq", (at,)).fetchone() for at in moments]
    assert found == [{"seq": 10}, {"seq": 10}, {"seq": 10}, {"seq": 20}, {"seq": 20}]


@slow_on_timescale
def test_a_moment_has_the_site_of_its_time(any_db: str) -> None:
    first, second = sites()
    with closing(connect(any_db, application_name="tests", autocommit=True)) as connection:
        import_site(connection, first, "li", END - 3 * DAY)
        import_site(connection, second, "li", END + 2 * HOUR)
        with connection.transaction(force_rollback=True):
            thresholds_are_those_of_the_engine(connection, first, second)
        with connection.transaction(force_rollback=True):
            a_moment_has_the_spaces_of_its_site(connection, first, second)
        with connection.transaction(force_rollback=True):
            an_exercise_is_played_at_any_date(connection)
