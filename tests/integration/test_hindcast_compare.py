"""Would have fired, over a run that a database holds: nothing is written, and the site's own sets are one choice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
import structlog
from typer.testing import CliRunner

from risk.follower import Follower
from risk.run import step_run
from tests.integration.test_engine_run import RUN_START, a_site, commit_minute, opened, sensor_ids
from tests.unit.risk_hindcast.test_compare import EARLY, LATE
from undercroft.cli import build_app
from undercroft.store.site import import_site


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """A command binds the log to the standard error of its runner, which is closed after it."""
    yield
    structlog.reset_defaults()


@pytest.mark.slow
def test_two_sets_over_a_stored_run(exercise_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, late = tmp_path / "early.toml", tmp_path / "late.toml"
    path.write_text(EARLY)
    late.write_text(LATE)
    with opened(exercise_db) as connection:
        import_site(connection, a_site(), "test", RUN_START)
        ids = sensor_ids(connection)
        for minute in range(40):
            commit_minute(connection, ids, minute)
        follower = Follower(connection)
        while step_run(connection, follower):
            pass
        before = connection.execute("select count(*) as n from tick").fetchone()
        monkeypatch.setenv("UNDERCROFT_DATABASE_URL", exercise_db)
        words = ["hindcast", "compare", str(late), str(path), "--json"]
        result = CliRunner().invoke(build_app("hindcast"), words)
        assert result.exit_code == 0, (result.output, result.exception)
        same = CliRunner().invoke(build_app("hindcast"), ["hindcast", "compare", "site", "default", "--json"])
        after = connection.execute("select count(*) as n from tick").fetchone()
    told = orjson.loads(result.stdout)
    road = told["spaces"]["up"]
    assert (road["a"]["hits"], road["b"]["hits"]) == (1, 1)
    assert 0 < road["gained_min_sum"] <= 5  # 2 cm a minute from minute 5: 8 cm at minute 9, 15 cm at minute 13
    assert told["spaces"].keys() == {"gar", "met", "up"}
    unchanged = orjson.loads(same.stdout)["all"]
    assert unchanged["a"] == unchanged["b"]
    assert unchanged["gained_min_sum"] == 0.0
    assert before == after
