"""A library of past floods from stored readings: made, taken into use in the commit order, and folded again."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import structlog

from risk.canonical import canonical_log
from risk.follower import Follower
from risk.past.library import sha256_of
from risk.past_commands import TABLE_BEGINS
from risk.refold import refold
from risk.rows import event_rows
from risk.run import step_run
from risk.snapshot import dump_state
from tests.integration.test_api_rest import get, running
from tests.integration.test_engine_run import RUN_START, a_site, commit_batch, commit_minute, opened, sensor_ids
from tests.integration.test_priority_commands import _logging_as_before as _logging_as_before  # noqa: PLC0414
from tests.integration.test_priority_commands import run
from undercroft.errors import BadInput
from undercroft.store import asof
from undercroft.store import engine as store
from undercroft.store.connection import Connection
from undercroft.store.floods import library_document
from undercroft.store.site import import_site
from undercroft.store.sql import sql

SENSOR = "up-lvl:water_depth_m"
FLOODS = 22
"""Finished ones; a last one still runs."""


def commit_history(connection: Connection, sensor_id: int) -> None:
    """Floods of 13 cm, one a day, and one that has not ended when the run begins."""
    depths = [0.0, *[0.02 * k for k in range(1, 7)], 0.13, 0.13, 0.1, 0.06, 0.03, 0.0]
    rows = [
        (sensor_id, RUN_START - timedelta(days=30 - day) + timedelta(minutes=minute), depth)
        for day in range(FLOODS)
        for minute, depth in enumerate(depths)
    ]
    rows += [(sensor_id, RUN_START - timedelta(minutes=20 - minute), 0.05) for minute in range(10)]
    commit_batch(connection, rows, None)


async def test_a_library_is_made_used_shown_and_folded_again(exercise_db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERCROFT_DATABASE_URL", exercise_db)
    with opened(exercise_db) as connection:
        import_site(connection, a_site(), "test", RUN_START)
        ids = sensor_ids(connection)
        commit_history(connection, ids[SENSOR])
        made: dict[str, Any] = orjson.loads(run("floods", "build", "--until", RUN_START.isoformat(), "--json"))
        assert (made["version"], made["floods"], made["sensors_with_floods"]) == (1, FLOODS, 1)
        assert sha256_of(library_document(connection, 1)["document"]) == made["sha256"]
        follower = Follower(connection)
        for minute in range(16):
            if minute == 3:
                in_use = "flood library 1 in use, says something of 5 sensors of the site"
                assert in_use in run("floods", "use", "1", "--author", "Li")
            if minute == 14:
                run("floods", "use", "none")
            commit_minute(connection, ids, minute)
            step_run(connection, follower)
            if minute == 8:
                kept = asdict(follower.snapshot())
                connection.execute(sql("engine_insert_snapshot").encode(), kept)
        in_force = connection.execute("select flood_library from tick order by tick_seq").fetchall()
        assert [row["flood_library"] for row in in_force] == [None] * 3 + [1] * 11 + [None] * 2
        assert follower.engine is not None
        again, outputs = refold(connection, follower.tick_seq, before=1)
        assert again.engine is not None
        arrays = follower.engine.plant.arrays
        assert dump_state(again.engine.state, arrays) == dump_state(follower.engine.state, arrays)
        (from_kept, later) = refold(connection, follower.tick_seq)
        assert from_kept.engine is not None
        assert len(later) == 7, "begun from the snapshot of tick 9, with the library that was in force there"
        assert dump_state(from_kept.engine.state, arrays) == dump_state(follower.engine.state, arrays)
        log = [{**row, "reasons": row["reasons"]} for row in event_rows(outputs)]
        assert canonical_log(log) == canonical_log(store.alarm_events(connection))
        at = (RUN_START + timedelta(minutes=10, seconds=30)).isoformat()
        tick = asof.tick_at(connection, RUN_START + timedelta(minutes=10, seconds=30))
        assert tick is not None
        (written,) = asof.assessments(connection, tick["tick_seq"], "up")
    assert written["evidence"]["ahead"]["past_floods"] > 10
    told: dict[str, Any] = orjson.loads(run("nowcast", "--space", "up", "--at", at, "--json"))
    found = told["nowcast"]
    assert told["as_written"] is True
    assert (found["library"], {one["sensor"] for one in found["past"]}) == (1, {SENSOR})
    assert {one["formula"] for one in found["weighed"]} == {"past"}
    assert "moments of" in run("nowcast", "--space", "up", "--at", at)
    assert "in use" not in run("floods", "list")
    structlog.reset_defaults()  # the commands bound the log to a runner's standard error, which is closed
    async with running(exercise_db) as client:
        answer = await get(client, "/spaces/up/nowcast", at=at)
        assert answer["past"] == found["past"]
        (item,) = (await get(client, "/flood-libraries"))["items"]
        assert (item["version"], item["floods"], item["in_force"]) == (1, FLOODS, False)


def test_floods_of_elsewhere_are_brought_in_and_mistakes_are_named(
    exercise_db: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("UNDERCROFT_DATABASE_URL", exercise_db)
    events, sensors, names = (tmp_path / name for name in ("events.csv", "sensors.csv", "names.csv"))
    events.write_text(
        "sensor_id,flood_start_time,flood_profile_depth_inches,flood_profile_time_secs\n"
        'ny-1,2024-01-02T03:00:00,"[0, 2, 4, 0]","[0, 60, 120, 180]"\n'
        'ny-2,2024-01-02T03:00:00,"[0, 2, 4, 0]","[0, 60, 120, 180]"\n'
    )
    sensors.write_text("sensor_id,latitude,longitude,tidally_influenced\nny-1,40,-74,Yes\nny-2,40,-74,No\n")
    names.write_text(f"sensor_id,sensor\nny-1,{SENSOR}\n")
    with opened(exercise_db) as connection:
        import_site(connection, a_site(), "test", RUN_START)
    given = ("floods", "import", str(events), "--sensors", str(sensors), "--utc-offset-h", "-5", "--use")
    told = run(*given, "--names", str(names))
    assert "in use from commit" in told
    assert "SAYS NOTHING of any sensor of the site: that takes 20 floods" in told
    with opened(exercise_db) as connection:
        body = orjson.loads(library_document(connection, 1)["document"])
    tidal = {key: tide for key, _, _, tide in body["sensors"]}
    assert tidal[SENSOR] is True
    assert tidal["ny-2"] is False
    at_us = round((TABLE_BEGINS.replace(year=2024, day=2, hour=8)).timestamp() * 1e6)  # 3:00 five hours west
    assert [(key, at, depths) for key, at, _, depths in body["floods"]] == [
        ("ny-2", at_us, [0, 51, 102, 0]), (SENSOR, at_us, [0, 51, 102, 0]),
    ]  # fmt: skip
    assert "in use" in run("floods", "list")
    with pytest.raises(BadInput, match="no flood library 9"):
        run("floods", "use", "9")
    with pytest.raises(BadInput, match="'x' is neither"):
        run("floods", "use", "x")
    with pytest.raises(BadInput, match="the site has no level sensor 'pump'"):
        run("floods", "build", "--tidal", "pump")
    names.write_text("sensor,other\n")
    with pytest.raises(BadInput, match="column sensor_id is missing"):
        run(*given, "--names", str(names))
