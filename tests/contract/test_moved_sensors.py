"""Charts of a sensor that an import moved: each place shows what was observed there, and no other's."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from dashboards.macros import fill
from dashboards.queries import query
from tests.contract.moments import HOUR, MINUTE, asked
from tests.unit.risk.builders import depth_sensor, device, entrance, gauge, site, space
from undercroft.site.model import Site
from undercroft.store.connection import Connection, connect
from undercroft.store.migrate import migrations
from undercroft.store.site import import_site

END = datetime(2026, 7, 1, 6, 0, tzinfo=UTC)
MOVED = END - 3 * HOUR - 25 * MINUTE
"""In the midst of a bucket of an hour and of one of ten minutes; the sensor spoke each minute, on the minute."""
BACK = END - HOUR
"""On the edge of buckets of every width."""
STARTED = END - 6 * HOUR
SENSOR = "rain-1:rain_total_mm"


def sites(*, at: str, zero_level_m: float | None = None, gone: str = "") -> Site:
    """Return `a` and `b`, with the probe inside `a` or outside `b`; what is `gone` has no device."""
    inside = device("probe", depth_sensor(zero_level_m=zero_level_m), {"quantity": "pump_running"})
    outside = device("probe", depth_sensor("north"), {"quantity": "pump_running"})
    gauges = {**gauge("rain-1"), "id": "g"}, {**gauge("rain-2"), "id": "g2", "name_en": "Second"}
    if at == "b":
        first, second = (each["devices"] for each in gauges)
        gauges = {**gauges[0], "devices": second}, {**gauges[1], "devices": first}
    places = [
        space("a", "car_park", name_en="A", devices=[inside] if at == "a" and gone != "probe" else []),
        space(
            "b", "car_park", name_en="B", entrances=[entrance(roadway_level_m=2.0, crest=2.5)],
            devices=[outside] if at == "b" else [],
        ),
    ]  # fmt: skip
    return site(*places, gauges=gauges)


def drawn(db: Connection, name: str, interval_ms: int, until: datetime = END, **chosen: list[str]) -> dict[int, float]:
    """Return the value of each minute after the start at which one is drawn."""
    text = fill(query(name).sql, STARTED, until, interval_ms=interval_ms, variables=chosen)
    rows = [row for row in db.execute(text.encode()).fetchall() if "Crest" not in row["metric"]]
    found = {round((row["time"] - STARTED) / MINUTE): row["value"] for row in rows if row["value"] is not None}
    assert len(found) == sum(row["value"] is not None for row in rows), "nothing is drawn twice"
    return found


def minutes(found: dict[int, float]) -> tuple[int, int]:
    return min(found), max(found)


@pytest.fixture
def moved_db(any_db: str) -> str:
    """The depth is the minute in millimetres: 0 in `a`, from minute 155 on 0.155 in `b`, from 300 on again in `a`."""
    with closing(connect(any_db, application_name="tests", autocommit=True)) as db:
        import_site(db, sites(at="a"), "li", STARTED)
        import_site(db, sites(at="b"), "li", MOVED)
        import_site(db, sites(at="a", zero_level_m=-3.5), "li", BACK)
        db.execute(
            "insert into observation (sensor_id, observed_at, value, quality, received_at, batch_id)"
            " select sensor_id, t.at, case quantity when 'water_depth_m' then n / 1000.0 when 'rain_total_mm' then n"
            " else n %% 2 end, 1, t.at, 1 from sensor, generate_series(0, 360) n"
            " cross join lateral (select %s::timestamptz + n * interval '1 minute' as at) t"
            " where quantity <> 'online' and device_id <> 'rain-2'",
            (STARTED,),
        )
        for seq, level in enumerate((1, 3)):
            db.execute(
                "insert into assessment (space_id, tick_seq, tick_at, level, score, blind, reasons, contributions,"
                " evidence) select space_id, %s, %s, %s, 0, false, '[]', '{}', '{}' from space",
                (seq, STARTED + 3 * seq * HOUR, level),
            )
    return any_db


def test_each_place_shows_what_was_observed_there(moved_db: str) -> None:
    """Expected by hand: 155 and 300 are the minutes of the moves; whole buckets are told by their last minute."""
    with closing(connect(moved_db, application_name="tests", autocommit=True)) as db:
        for interval_ms, width in ((1_000, 1), (60_000, 1), (600_000, 10), (3_600_000, 60)):
            inside = drawn(db, "space_depth", interval_ms, place=["a"])
            assert minutes({m: v for m, v in inside.items() if m < 300}) == (0, 154)
            assert minutes({m: v for m, v in inside.items() if m >= 155}) == (300, 360)
            if width > 1:  # a bucket's height is its last minute; of the one in which it moved the minutes themselves
                whole = 155 // width * width
                assert inside[whole - width] == (whole - 1) / 1000
                assert [inside[m] for m in range(whole, 155)] == [m / 1000 for m in range(whole, 155)]
            assert drawn(db, "space_depth", interval_ms, place=["b"]) == {}, "it stood outside"
            outside = drawn(db, "space_levels", interval_ms, place=["b"])
            assert minutes(outside) == (155, 300 - width)
            assert outside[300 - width] == pytest.approx(2.0 + 0.299), "over the roadway"
            assert drawn(db, "space_freeboard", interval_ms, place=["b"])[155] == pytest.approx(2.5 - 2.155)
            over = drawn(db, "space_levels", interval_ms, place=["a"])
            assert over[0] == pytest.approx(-4.0 + (width - 1) / 1000), "over the floor"
            assert over[360] == pytest.approx(-3.5 + 0.360), "over the zero that it was given since"


def test_every_panel_of_a_place_knows_where_a_sensor_stood(moved_db: str) -> None:
    with closing(connect(moved_db, application_name="tests", autocommit=True)) as db:
        peaks = {row["space_id"]: row["depth_m"] for row in asked(db, "storm_peaks", STARTED, BACK - MINUTE)}
        assert peaks == {"a": 0.154, "b": None}, "what it said outside of b is no depth inside"
        assert {r["space_id"]: r["depth_m"] for r in asked(db, "storm_peaks", MOVED, END)} == {"a": 0.36, "b": None}
        for place, at, value in (("a", MOVED - MINUTE, 0.154), ("b", MOVED, 0.155), ("b", BACK - MINUTE, 0.299)):
            rows = asked(db, "space_now", STARTED, at, place=[place])
            assert [row["value"] for row in rows if row["sensor"] == "probe:water_depth_m"] == [value], at
            assert asked(db, "space_now", STARTED, at, place=["ab".replace(place, "")]) == []
            rows = asked(db, "rewind_readings", STARTED, at)
            assert {(r["place"], r["value"]) for r in rows if "depth" in r["sensor"]} == {
                (f"测试 {place.upper()}", value)
            }
        (pump,) = [
            r for r in asked(db, "space_now", STARTED, MOVED, place=["b"]) if r["sensor"] == "probe:pump_running"
        ]
        assert (pump["value"], pump["says"]) == (1.0, "● 运行 Running"), "minute 155 is odd"
        pumps = {place: [r["time"] for r in asked(db, "space_pumps", STARTED, END, place=[place])] for place in "ab"}
        assert [(min(times), max(times)) for times in pumps.values()] == [(STARTED, END), (MOVED, BACK)]
        assert [at for at in pumps["a"] if MOVED <= at < BACK] == [MOVED], "unknown once it left, then nothing"


def test_rain_fell_where_its_gauge_stood(moved_db: str) -> None:
    with closing(connect(moved_db, application_name="tests", autocommit=True)) as db:
        text = fill(query("rain_gauges").sql, STARTED, END, interval_ms=1_000)
        fell: dict[str, list[Any]] = {}
        for row in db.execute(text.encode()).fetchall():
            fell.setdefault(row["metric"], []).append(row)
        assert {name: (len(rows), {row["value"] for row in rows}) for name, rows in fell.items()} == {
            f"测试 Test · {SENSOR}": (154 + 61, {60.0}), f"测试 Second · {SENSOR}": (145, {60.0}),
        }  # fmt: skip
        sums = {row["gauge"]: row["rain_range_mm"] for row in asked(db, "rain_sums", STARTED, END)}
        assert sums == {"测试 Second": 145, "测试 Test": 215}


def test_one_that_was_taken_away_is_still_drawn_where_it_stood(any_db: str) -> None:
    with closing(connect(any_db, application_name="tests", autocommit=True)) as db:
        import_site(db, sites(at="a"), "li", STARTED)
        db.execute(
            "insert into observation (sensor_id, observed_at, value, quality, received_at, batch_id)"
            " select sensor_id, %(at)s, 0.5, 1, %(at)s, 1 from sensor where quantity = 'water_depth_m'",
            {"at": STARTED + HOUR},
        )
        import_site(db, sites(at="a", gone="probe"), "li", MOVED)
        assert drawn(db, "space_depth", 1_000, place=["a"]) == {60: 0.5}
        assert asked(db, "space_now", STARTED, END, place=["a"]) == []


def test_one_that_moved_from_the_inside_to_an_entrance_is_no_depth_inside(any_db: str) -> None:
    with closing(connect(any_db, application_name="tests", autocommit=True)) as db:
        for at, spot in ((STARTED, None), (MOVED, "north")):
            place = space("a", "car_park", devices=[device("probe", depth_sensor(spot))])
            import_site(db, site(place), "li", at)
        db.execute(
            "insert into observation (sensor_id, observed_at, value, quality, received_at, batch_id)"
            " select sensor_id, t.at, 0.5, 1, t.at, 1 from sensor, unnest(%s::timestamptz[]) t (at)"
            " where quantity = 'water_depth_m'",
            ([STARTED, MOVED],),
        )
        assert drawn(db, "space_depth", 1_000, place=["a"]) == {0: 0.5}
        assert drawn(db, "space_freeboard", 1_000, place=["a"]) == {155: pytest.approx(0.3 - 0.5)}


def test_an_exercise_moves_it_with_the_first_batch_after_the_import(any_db: str) -> None:
    """Played on a date a year before its imports."""
    with closing(connect(any_db, application_name="tests", autocommit=True)) as db:
        import_site(db, sites(at="a"), "li", END + 365 * 24 * HOUR)
        import_site(db, sites(at="b"), "li", END + 366 * 24 * HOUR)
        db.execute("update site_version set commit_seq = 10 * commit_seq")
        db.execute("update sensor_past_place set until_seq = 10 * until_seq")
        for number, at in ((11, STARTED), (21, MOVED), (22, BACK)):
            db.execute(
                "insert into batch (batch_id, commit_seq, lane, run_now, messages, readings, stored, duplicates,"
                " conflicts, dead_letters) values (%s, %s, 'exercise', %s, 1, 1, 1, 0, 0, 0)",
                (number, number, at),
            )
        db.execute(
            "insert into observation (sensor_id, observed_at, value, quality, received_at, batch_id)"
            " select sensor_id, t.at, 0.5, 1, t.at, 1 from sensor, unnest(%s::timestamptz[]) t (at)"
            " where quantity = 'water_depth_m'",
            ([STARTED, MOVED - MINUTE, MOVED, END],),
        )
        assert minutes(drawn(db, "space_depth", 1_000, place=["a"])) == (0, 154)
        assert minutes(drawn(db, "space_levels", 1_000, place=["b"])) == (155, 360)


def test_the_migration_finds_the_moves_of_before(moved_db: str) -> None:
    """What imports wrote, and what the migration reads from the versions of the site, is the same."""
    told = "select * from sensor_past_place order by sensor_id, until_seq"
    with closing(connect(moved_db, application_name="tests", autocommit=True)) as db:
        import_site(db, sites(at="a", gone="probe"), "li", END)
        written = db.execute(told).fetchall()
        assert len(written) == 7 + 7 + 3, "depth, pump, online; rain and online of two gauges"
        (migration,) = [one for one in migrations() if one.version == 345]
        db.execute("drop table sensor_past_place cascade; drop view site_since cascade")
        db.execute(migration.text.encode())
        assert db.execute(told).fetchall() == written
