"""The members of a nowcast in force, worked out again from the tick log: on the command line and over HTTP."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import orjson
import pytest
import structlog

from risk.follower import Follower
from risk.run import step_run
from tests.integration.test_api_rest import get, running
from tests.integration.test_engine_run import RUN_START, a_site, commit_minute, opened, sensor_ids
from tests.integration.test_priority_commands import _logging_as_before as _logging_as_before  # noqa: PLC0414
from tests.integration.test_priority_commands import run
from undercroft.errors import BadInput
from undercroft.store import asof
from undercroft.store.site import import_site

AT = RUN_START + timedelta(minutes=12, seconds=30)


async def test_the_members_are_those_of_the_time_that_was_asked_for(
    exercise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNDERCROFT_DATABASE_URL", exercise_db)
    with opened(exercise_db) as connection:
        import_site(connection, a_site(), "test", RUN_START)
        ids = sensor_ids(connection)
        follower = Follower(connection)
        for minute in range(18):
            commit_minute(connection, ids, minute)
            step_run(connection, follower)
        tick = asof.tick_at(connection, AT)
        assert tick is not None
        (written,) = asof.assessments(connection, tick["tick_seq"], "gar")
    told: dict[str, Any] = orjson.loads(run("nowcast", "--space", "gar", "--at", AT.isoformat(), "--json"))
    found = told["nowcast"]
    # A run's tick takes the nowcast of the tick before it; what was written then is what comes out again.
    assert (told["tick"]["tick_seq"], found["nowcast_id"]) == (tick["tick_seq"], tick["tick_seq"] - 1)
    assert told["as_written"] is True
    assert told["ahead"] == written["evidence"]["ahead"]
    assert len(found["members"]) == 64
    assert sum(member["share"] for member in found["members"]) == pytest.approx(1.0, abs=1e-4)
    # Minute 11: 12 cm outside, 2 cm a minute; over the open crest of 30 cm in 9 min at that rate, sooner at 1.7 of it.
    (door,) = found["inputs"]["entrances"]
    assert (door["level_m"], door["rise_m_min"], door["barrier"]) == (0.12, pytest.approx(0.02), "not closed")
    assert (door["sensor"], door["orange_at_m"]) == ("gar-out:water_depth_m", 0.3)
    orange = {m["orange_min"] for m in found["members"] if m["rain_persistence"] == 1.0 and m["rise_factor"] == 1.7}
    assert max(orange) == min(orange) == pytest.approx(0.18 / 0.034, abs=0.15)
    steady = [driver for driver in found["drivers"] if driver["value"] == "0 of its rate"]
    assert [(driver["assumption"], driver["share"]) for driver in steady] == [("rain goes on at", 0.15)]
    weighed = {(w["severity"], w["within_min"]): w for w in found["weighed"]}[("orange", 30.0)]
    assert weighed["formula"] == "street"
    z = sum(weighed["terms"].values())
    bent = -2.83 + 0.45 * min(z + 2, 0) + 1.44 * min(max(z + 2, 0), 2) + 1.13 * min(max(z, 0), 2) + 0.8 * max(z - 2, 0)
    by_formula = 1.0 / (1.0 + math.exp(-bent))
    assert weighed["probability"] == pytest.approx(by_formula, abs=0.01)
    assert weighed["probability"] == written["evidence"]["ahead"]["orange"]["within_30"]
    assert "the same" in run("nowcast", "--space", "gar", "--at", AT.isoformat())
    assert "the space was dry" in run(
        "nowcast", "--space", "met", "--at", (RUN_START + timedelta(minutes=3)).isoformat()
    )
    with pytest.raises(BadInput, match="no nowcast was in force at tick 1"):
        run("nowcast", "--space", "gar", "--at", RUN_START.isoformat())
    structlog.reset_defaults()  # the commands bound the log to a runner's standard error, which is closed
    async with running(exercise_db) as client:
        answer = await get(client, "/spaces/gar/nowcast", at=AT.isoformat())
        assert answer["members"] == found["members"]
        assert answer["weighed"] == found["weighed"]
        assert (answer["nowcast_id"], answer["as_written"]) == (found["nowcast_id"], True)
        assert (await get(client, "/spaces/gar/nowcast", 404, at=RUN_START.isoformat()))["error"] == "NowcastNotKnown"
        assert (await get(client, "/spaces/none/nowcast", 404))["error"] == "SpaceUnknown"
