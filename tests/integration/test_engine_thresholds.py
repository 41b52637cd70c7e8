"""Threshold sets end to end: from the site in the database to the level, the reason and its source."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from risk.follower import Follower
from risk.run import step_run
from tests.integration.test_engine_run import RUN_START, commit_batch, opened, sensor_ids
from tests.unit.risk.builders import guarded, site, underpass
from undercroft.site.model import Site
from undercroft.store.connection import Connection
from undercroft.store.site import import_site


def row(value_cm: float, **extra: Any) -> dict[str, Any]:
    return {"rule": "inside-depth", "severity": "orange", "value": value_cm, "unit": "cm", "source": "order 7", **extra}


def a_site() -> Site:
    """The road `a` closes at 8 cm from the start; from minute 10 every road at 12 cm, `a` still at 8."""
    sets = [
        {"id": "own", "author": "Li", "source": "x", "valid_from": RUN_START.isoformat(), "rows": [row(8, space="a")]},
        {
            "id": "later", "author": "Wang", "source": "x",
            "valid_from": (RUN_START + timedelta(minutes=10)).isoformat(), "rows": [row(12, kind="underpass")],
        },
    ]  # fmt: skip
    return site(underpass("a"), underpass("b"), guarded("gar", "car_park"), threshold_set=sets)


def feed(connection: Connection, follower: Follower, minute: int, **depth_m: float) -> dict[str, Any]:
    """Commit a minute and take its tick; return the newest assessment of each space."""
    ids = sensor_ids(connection)
    at = RUN_START + timedelta(minutes=minute)
    keys = {"a": "a-lvl:water_depth_m", "b": "b-lvl:water_depth_m", "gar": "gar-in:water_depth_m"}
    commit_batch(connection, [(ids[keys[name]], at, depth) for name, depth in depth_m.items()], (at, minute))
    assert step_run(connection, follower) == 1
    rows = connection.execute(
        "select distinct on (space_id) space_id, level, reasons from assessment order by space_id, tick_seq desc"
    ).fetchall()
    return {entry["space_id"]: entry for entry in rows}


def test_sets_apply_per_space_and_from_their_time_and_each_reason_names_its_source(exercise_db: str) -> None:
    with opened(exercise_db) as connection:
        import_site(connection, a_site(), "test", RUN_START)
        follower = Follower(connection)
        for minute in (0, 1, 2):
            found = feed(connection, follower, minute, a=0.13, b=0.13)
        assert (found["a"]["level"], found["b"]["level"]) == (3, 2)
        reason = found["a"]["reasons"][0]
        assert (reason["threshold"], reason["source"]) == (0.08, "order 7 (own, Li)")
        assert "Seoul" in found["b"]["reasons"][0]["source"]
        follower = Follower(connection)  # a restart in between changes nothing
        follower.restore()
        found = feed(connection, follower, 9, a=0.13, b=0.13)
        assert found["b"]["level"] == 2
        found = feed(connection, follower, 10, a=0.13, b=0.13)
        assert (found["a"]["level"], found["b"]["level"]) == (3, 3)
        assert found["b"]["reasons"][0]["source"] == "order 7 (later, Wang)"
        assert found["a"]["reasons"][0]["source"] == "order 7 (own, Li)"


def test_rising_and_falling_water_of_one_depth_are_two_levels(exercise_db: str) -> None:
    with opened(exercise_db) as connection:
        import_site(connection, a_site(), "test", RUN_START)
        follower = Follower(connection)
        for minute, depth in enumerate((0.10, 0.12, 0.14, 0.16)):
            found = feed(connection, follower, minute, gar=depth)
        assert found["gar"]["level"] == 4
        assert found["gar"]["reasons"][0]["rule"] == "inside-depth-rising"
        for minute, depth in enumerate((0.20, 0.19, 0.18, 0.17, 0.165, 0.16), 10):
            found = feed(connection, follower, minute, gar=depth)
        assert found["gar"]["level"] == 3
        assert found["gar"]["reasons"][0]["rule"] == "inside-depth"
