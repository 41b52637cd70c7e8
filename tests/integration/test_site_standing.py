"""An import tells what stands on what it would take away, before it does anything, and then does it only if told to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner

from risk.follower import Follower
from risk.run import step_run
from tests.integration.test_engine_run import RUN_START, commit_batch, opened, sensor_ids
from tests.unit.risk.builders import NAMES, depth_sensor, device, gauge, guarded, site, underpass
from tests.unit.undercroft.site_text import SITE_TEXT, write_site
from undercroft.cli import build_app
from undercroft.clock import SystemClock
from undercroft.site import load_site
from undercroft.site.model import Site
from undercroft.stack.up import _site_in_force
from undercroft.store.acts import record_act
from undercroft.store.connection import Connection
from undercroft.store.site import import_site, latest_site, stands_on
from undercroft.store.site_standing import StandsOn

AT = RUN_START + timedelta(minutes=5)


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def of(**changes: Any) -> Site:
    """A car park and an underpass, in basin b1 at street Futian; and what an import changes."""
    garage = guarded("gar", "car_park") | changes.pop("garage", {})
    road = underpass() | changes.pop("road", {})
    places = [place for place in (garage, road) if place.get("id")]
    return site(*places, **changes)


def told(connection: Connection, kind: str, subject: str, **body: Any) -> None:
    record_act(connection, kind, subject, "sun", RUN_START, body)


def night(connection: Connection) -> None:
    """55 cm before the car park (red), half a metre on the road (red), rain, people and a warning."""
    import_site(connection, of(), "li", RUN_START)
    ids = sensor_ids(connection)
    told(connection, "rain_warning", "warning/a", colour="red", state="in_force", basins=["b1"], streets=[])
    end = (RUN_START + timedelta(hours=1)).isoformat()
    told(connection, "field_report", "space/gar", entrance="north", depth_m=0.5, by="Wang", expires_at=end)
    told(connection, "field_report", "space/up", entrance=None, depth_m=0.5, by="Zhao", expires_at=end)
    past = (RUN_START + timedelta(minutes=1)).isoformat()
    told(connection, "field_report", "space/gar", entrance="north", depth_m=0.1, by="Chen", expires_at=past)
    told(connection, "out_of_service", "device/gar-in", reason="painted", minutes=60.0)
    for minute in range(4):
        at = RUN_START + timedelta(minutes=minute)
        said = {"up-lvl:water_depth_m": 0.5, "gar-out:water_depth_m": 0.55, "gar-out:barrier_state": 0.0}
        rows = [(ids[key], at, value) for key, value in (said | {"rain-1:rain_total_mm": 3.0 * minute}).items()]
        commit_batch(connection, rows, (at, minute))
    follower = Follower(connection)
    while step_run(connection, follower):
        pass


RENAMED = [{**guarded("gar", "car_park")["entrances"][0], "id": "main"}]
MOVED = [device("gar-out", depth_sensor("main")), device("gar-in", depth_sensor())]

CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing that matters": ({"garage": {"name_en": "Another name"}}, []),
    "a space": (
        {"road": {"id": "road", "devices": [device("up-lvl", depth_sensor())]}},
        ["alarm space/up (red): the space is gone, the alarm would end", "report of Zhao at up: the space is gone",
         "sensor up-lvl:water_depth_m at up: 0.50 m of water"],
    ),
    "an entrance": (
        {"garage": {"entrances": RENAMED, "devices": MOVED}},
        ["alarm space/gar (red): gar-out:", "report of Wang at gar/north: the entrance is gone",
         "sensor gar-out:water_depth_m at gar/north: 0.55 m of water"],
    ),
    "a sensor": (
        {"garage": {"devices": [device("gar-out", depth_sensor("north"))]}},
        ["alarm space/gar (red): gar-in:water_depth_m is no longer there", "device/gar-in: out of service until"],
    ),
    "a gauge": ({"gauges": []}, ["alarm space/gar (red): the gauge", "alarm space/up (red): the gauge"]),
    "a basin": (
        {"garage": {"basin": "b9"}, "road": {"basin": "b9"}, "gauges": [gauge(basin="b9")],
         "basin": [{"id": "b9", **NAMES}]},
        ["alarm space/gar (red): the space moves", "alarm space/up (red): the space moves",
         "warning/a (red): b1 is gone, the warning would cover the district", "warning/a (red): gar moves",
         "warning/a (red): up moves"],
    ),
}  # fmt: skip


def test_each_is_named_and_nothing_is_done(exercise_db: str) -> None:
    with opened(exercise_db) as connection:
        night(connection)
        before = latest_site(connection)
        for name, (changes, expected) in CASES.items():
            after = of(**changes)
            lines = stands_on(connection, after, AT)
            assert len(lines) == len(expected), (name, lines)
            for line, begins in zip(lines, expected, strict=True):
                assert line.startswith(begins), name
            if expected:
                with pytest.raises(StandsOn, match="--anyway"):
                    import_site(connection, after, "li", AT)
                assert latest_site(connection) == before, name
                assert connection.execute("select count(*) as n from audit").fetchone() == {"n": 0}


def test_when_it_is_over_nothing_stands(exercise_db: str) -> None:
    with opened(exercise_db) as connection:
        night(connection)
        told(connection, "rain_warning", "warning/a", state="ended")
        told(connection, "in_service", "device/gar-in")
        connection.execute("update alarm set active = false")
        connection.execute("update assessment set evidence = '{}'")
        for changes, _ in CASES.values():
            assert stands_on(connection, of(**changes), RUN_START + timedelta(hours=2)) == []


def test_a_start_in_a_storm_goes_on_with_the_site_in_force(live_db: str, tmp_path: Path) -> None:
    now, said = SystemClock().now(), list[str]()
    with opened(live_db) as connection:
        import_site(connection, load_site(write_site(tmp_path, SITE_TEXT)), "li", now)
        record_act(connection, "rain_warning", "warning/a", "sun", now, {"colour": "red", "basins": ["b1"]})
    moved = load_site(write_site(tmp_path, SITE_TEXT.replace('"b1"', '"b9"')))
    assert _site_in_force(live_db, moved, said.append).spaces[0].basin == "b1"
    assert any("warning/a (red): b1 is gone" in line for line in said)
    assert "--anyway" in said[-1]
    with opened(live_db) as connection:
        record_act(connection, "rain_warning", "warning/a", "sun", now, {"state": "ended"})
    assert _site_in_force(live_db, moved, said.append).spaces[0].basin == "b9"


def test_the_command_refuses_and_anyway_is_in_the_audit(
    live_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNDERCROFT_DATABASE_URL", live_db)
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
    runner, app = CliRunner(), build_app("site")
    path = str(write_site(first, SITE_TEXT))
    assert runner.invoke(app, ["site", "import", path, "--author", "li"]).exit_code == 0
    with opened(live_db) as connection:
        body = {"colour": "red", "state": "in_force", "basins": ["b1"], "streets": []}
        record_act(connection, "rain_warning", "warning/a", "sun", SystemClock().now(), body)
    moved = str(write_site(second, SITE_TEXT.replace('"b1"', '"b9"')))

    refused = runner.invoke(app, ["site", "import", moved, "--author", "li"])
    assert refused.exit_code == 2
    assert "warning/a (red): b1 is gone, the warning would cover the district" in refused.stderr
    as_json = runner.invoke(app, ["site", "import", moved, "--json"])
    assert as_json.exit_code == 2
    assert json.loads(as_json.stdout)["stands"][0].startswith("warning/a (red): b1 is gone")
    checked = runner.invoke(app, ["site", "check", moved, "--against-database"])
    assert checked.exit_code == 0
    assert "warning: stands on what an import would take away: warning/a" in checked.stdout
    with opened(live_db) as connection:
        assert latest_site(connection)[1].spaces[0].basin == "b1"

    assert runner.invoke(app, ["site", "import", moved, "--author", "li", "--anyway"]).exit_code == 0
    with opened(live_db) as connection:
        assert latest_site(connection)[1].spaces[0].basin == "b9"
        (row,) = connection.execute("select operator_id, action, outcome, detail from audit").fetchall()
    assert (row["operator_id"], row["action"], row["outcome"]) == ("li", "site_import", "done")
    assert row["detail"]["anyway"][0].startswith("warning/a (red): b1 is gone")
