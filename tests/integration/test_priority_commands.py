"""``dispatch`` and ``priority`` on a run that the engine took: what staff get to read, and what machines do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import structlog
from typer.testing import CliRunner

from duty.door.door import new_token
from risk.follower import Follower
from risk.run import step_run
from tests.integration.test_engine_run import RUN_START, commit_minute, opened, sensor_ids
from tests.unit.risk.builders import NAMES, guarded, site, underpass
from undercroft.cli import build_app
from undercroft.errors import BadInput
from undercroft.site.model import Site
from undercroft.store import asof
from undercroft.store.duty_acts import add_operator
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


def supplies_points(url: str) -> dict[str, float]:
    """How short of supplies each space is, as its newest assessment shows it."""
    with opened(url) as connection:
        rows = asof.assessments(connection, 2**31, None)
    return {
        row["space_id"]: next(f["x"] for f in row["contributions"]["factors"] if f["factor"] == "supplies")
        for row in rows
    }


def token_for(url: str) -> str:
    token, hashed = new_token()
    with opened(url) as connection:
        add_operator(connection, "li", "李", "officer", hashed, RUN_START)
    return token


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
    assert {(w["space"], w["people"], w["minutes"], w["panels"]) for w in told["work"]} == {
        ("up", 4, 11.25, 4), ("gar", 4, 11.25, 4), ("met", 2, 10.0, 0),
    }  # fmt: skip
    assert told["entrances_without_barrier"] == ["up/north", "gar/north"]
    # 10 min of loading and no way, then 45 / 4 min of laying: what is due sooner leaves now, and comes late.
    late = {name for name, need in needs.items() if need["due_min"] is not None and need["due_min"] < 10.0 + 45.0 / 4.0}
    assert "up" in late, "6 cm and 2 cm a minute: orange long before"
    assert sum(sent["quantity"] for sent in told["shipments"]) == 50, "all that the depot has"
    assert {sent["space"] for sent in told["shipments"] if sent["late_min"] > 0.0} <= late
    assert {left["why"] for left in told["unmet"]} == {"no_stock"}
    assert told["travel_gap"] == 0.0
    assert "barriers: 1 of 3 entrances that need one have one" in run("dispatch")
    before = supplies_points(exercise_db)
    monkeypatch.setenv("UNDERCROFT_TOKEN", token_for(exercise_db))
    run("stock", "move", "depot/store", "sandbag", "-30", "--reason", "lent to the next district")
    with pytest.raises(BadInput, match="depot/store holds 20 sandbag, 21 cannot be taken"):
        run("stock", "move", "depot/store", "sandbag", "-21", "--reason", "more")
    run("stock", "count", "space/gar", "sandbag", "45")
    assert orjson.loads(run("stock", "list", "--json")) == [
        {"place": "gar", "item": "sandbag", "quantity": 45.0}, {"place": "store", "item": "sandbag", "quantity": 20.0},
    ]  # fmt: skip
    assert "-30 sandbag" in run("stock", "movements", "--place", "store")
    with opened(exercise_db) as connection:
        follower = Follower(connection)
        follower.restore()
        for minute in range(9, 16):
            commit_minute(connection, ids, minute)
            step_run(connection, follower)
    # The depot had 50 of the 90 that were lacking; now gar has its 45, and up lacks 45 of which it has 20.
    after = supplies_points(exercise_db)
    assert (before, after) == ({"up": 0.444, "gar": 0.444, "met": 0.0}, {"up": 0.556, "gar": 0.0, "met": 0.0})
    told = orjson.loads(run("dispatch", "--all", "--json"))
    assert [(need["space"], need["quantity"]) for need in told["needs"]] == [("up", 45.0)]
    first: dict[str, Any] = orjson.loads(run("priority", "--json"))
    assert [one["rank"] for one in first["top"]] == [1, 2, 3]
    assert {one["space"] for one in first["top"]} == {"up", "gar", "met"}
    assert all(one["best_rank"] <= one["rank"] <= one["worst_rank"] for one in first["top"])
    assert first["entering"] == []
    assert "ranks with each weight 20% up and down" in run("priority")
