"""``dispatch`` and ``priority`` on a run that the engine took: what staff get to read, and what machines do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import structlog
from typer.testing import CliRunner

from risk.run import Follower, step_run
from tests.integration.test_engine_run import RUN_START, commit_minute, opened, sensor_ids
from tests.unit.risk.builders import NAMES, guarded, site, underpass
from undercroft.cli import build_app
from undercroft.errors import BadInput
from undercroft.site.model import Site
from undercroft.store.site import import_site


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """A command binds the log to the standard error of its runner, which is closed after it."""
    yield
    structlog.reset_defaults()


def a_site() -> Site:
    depot = {"id": "store", **NAMES, "street": "Futian", "lat": 22.5, "lon": 114.0}
    return site(
        underpass(), guarded("gar", "car_park", barrier=None, pump=True), guarded("met", "metro_entrance"),
        depot=[depot | {"stock": [{"item": "sandbag", "quantity": 50.0}]}],
    )  # fmt: skip


def run(*words: str) -> str:
    done = CliRunner().invoke(build_app(words[0]), list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_what_is_sent_and_what_comes_first(exercise_db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERCROFT_DATABASE_URL", exercise_db)
    with opened(exercise_db) as connection:
        import_site(connection, a_site(), "test", RUN_START)
        with pytest.raises(BadInput, match="dispatch: the engine has not ticked yet"):
            run("dispatch")
        ids = sensor_ids(connection)
        follower = Follower(connection)
        for minute in range(9):
            commit_minute(connection, ids, minute)
            step_run(connection, follower)
    told: dict[str, Any] = orjson.loads(run("dispatch", "--all", "--json"))
    needs = {need["space"]: need for need in told["needs"]}
    assert {name: need["quantity"] for name, need in needs.items()} == {"up": 45.0, "gar": 45.0}
    assert told["entrances_without_barrier"] == ["up/north", "gar/north"]
    # 10 min of loading and no way, then 45 / 4 min of laying: who is due sooner gets nothing, and is told why.
    late = {name for name, need in needs.items() if need["due_min"] is not None and need["due_min"] < 10.0 + 45.0 / 4.0}
    assert "up" in late, "6 cm and 2 cm a minute: orange long before"
    assert {sent["space"]: sent["quantity"] for sent in told["shipments"]} == dict.fromkeys(needs.keys() - late, 45)
    assert {(left["space"], left["why"]) for left in told["unmet"]} == {(name, "too_late") for name in late}
    assert "barriers: 1 of 3 entrances that need one have one" in run("dispatch")
    first: dict[str, Any] = orjson.loads(run("priority", "--json"))
    assert [one["rank"] for one in first["top"]] == [1, 2, 3]
    assert {one["space"] for one in first["top"]} == {"up", "gar", "met"}
    assert all(one["best_rank"] <= one["rank"] <= one["worst_rank"] for one in first["top"])
    assert first["entering"] == []
    assert "ranks with each weight 20% up and down" in run("priority")
