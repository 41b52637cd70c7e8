"""A site file in PostgreSQL: all of it or nothing, once, with sensor ids that stay."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ingest.sensors import build_directory
from tests.unit.undercroft.site_text import SITE_TEXT, changed, write_site
from undercroft.cli import build_app
from undercroft.errors import BadInput, StoreRejected
from undercroft.model import Mode
from undercroft.site import load_site, sample_site_path, site_document
from undercroft.site.model import Site
from undercroft.store.connection import Connection, connect
from undercroft.store.sensors import fetch_sensor_table
from undercroft.store.site import import_site, latest_site, sensors, site_at

AT = datetime(2026, 7, 1, tzinfo=UTC)
LATER = AT + timedelta(days=1)
TABLES = [
    "site_version",
    "basin",
    "place",
    "space",
    "entrance",
    "device",
    "sensor",
    "stock",
    "requirement",
    "threshold_set",
    "threshold",
    "commit_counter",
]


@pytest.fixture
def connection(live_db: str) -> Iterator[Connection]:
    with closing(connect(live_db, application_name="test", autocommit=True)) as opened:
        yield opened


def _site(folder: Path, text: str = SITE_TEXT) -> Site:
    return load_site(write_site(folder, text))


def _rows(connection: Connection, table: str) -> list[dict[str, Any]]:
    return connection.execute(f"select * from {table} order by 1, 2").fetchall()  # noqa: S608


def _everything(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    return {table: connection.execute(f"select * from {table}").fetchall() for table in TABLES}  # noqa: S608


def test_ingest_knows_the_periods_of_rain_depths(connection: Connection, tmp_path: Path) -> None:
    """The probe is another of the device's, whose rain has no probe."""
    rain = '}, { quantity = "rain_depth_mm", period_s = 300 }, { quantity = "water_depth_m", at = "low" }] },'
    import_site(connection, _site(tmp_path, SITE_TEXT.replace("}] },", rain, 1)), "li", AT)
    table = fetch_sensor_table(connection)
    assert table.rain_periods_s == {("s1-in", ""): 300.0}
    devices = build_directory(Mode.LIVE, table).devices
    assert (devices["s1-in"].periods_s, devices["s1-n"].periods_s) == ({"": 300.0, "low": 300.0}, {})


def test_import_fills_the_tables(connection: Connection, tmp_path: Path) -> None:
    result = import_site(connection, _site(tmp_path), "li", AT)

    assert result.changed
    assert result.commit_seq == 1
    assert result.counts == {
        "basin": 1,
        "place": 2,
        "space": 1,
        "entrance": 1,
        "device": 3,
        "sensor": 7,
        "stock": 1,
        "requirement": 1,
        "threshold_set": 1,
        "threshold": 1,
    }
    for table, count in result.counts.items():
        assert len(_everything(connection)[table]) == count, table


def test_sensors_have_units_zero_levels_and_an_online_sensor_per_device(connection: Connection, tmp_path: Path) -> None:
    import_site(connection, _site(tmp_path), "li", AT)

    found = [(s.device_id, s.quantity, s.place_id, s.entrance_id, s.zero_level_m, s.unit) for s in sensors(connection)]
    assert found == [
        ("s1-in", "water_depth_m", "s1", None, 1.0, "m"),  # the floor
        ("s1-in", "online", "s1", None, None, ""),
        ("s1-n", "water_depth_m", "s1", "n", 4.0, "m"),  # the roadway of its entrance
        ("s1-n", "barrier_state", "s1", "n", None, ""),
        ("s1-n", "online", "s1", None, None, ""),
        ("g1-rain", "rain_total_mm", "g1", None, None, "mm"),
        ("g1-rain", "online", "g1", None, None, ""),
    ]


def test_same_file_again_changes_nothing(connection: Connection, tmp_path: Path) -> None:
    first = import_site(connection, _site(tmp_path), "li", AT)
    before = _everything(connection)

    again = import_site(connection, _site(tmp_path, SITE_TEXT + "\n# a comment\n"), "wang", LATER)

    assert not again.changed
    assert again.commit_seq == first.commit_seq
    assert again.counts == first.counts
    assert _everything(connection) == before


def test_sensor_ids_stay_through_changes_and_return(connection: Connection, tmp_path: Path) -> None:
    import_site(connection, _site(tmp_path), "li", AT)
    before = {(s.device_id, s.quantity): s.sensor_id for s in sensors(connection)}
    without = changed('{ id = "s1-in", sensors = [{ quantity = "water_depth_m" }] },', "")

    import_site(connection, _site(tmp_path, without), "li", LATER)
    remaining = {(s.device_id, s.quantity): s.sensor_id for s in sensors(connection)}
    assert remaining == {key: sensor_id for key, sensor_id in before.items() if key[0] != "s1-in"}

    import_site(connection, _site(tmp_path), "li", LATER)
    assert {(s.device_id, s.quantity): s.sensor_id for s in sensors(connection)} == before
    assert sorted(before.values()) == list(range(1, 8))


def test_what_vanished_is_retired_not_deleted(connection: Connection, tmp_path: Path) -> None:
    import_site(connection, _site(tmp_path), "li", AT)
    without_gauge = SITE_TEXT[: SITE_TEXT.index("[[gauge]]")]
    renamed = changed('id = "n"', 'id = "m"', without_gauge).replace('entrance = "n"', 'entrance = "m"')

    import_site(connection, _site(tmp_path, renamed), "li", LATER)

    retired = {
        table: {row[key]: row["retired_at"] for row in _rows(connection, table)}
        for table, key in [("place", "place_id"), ("device", "device_id"), ("entrance", "entrance_id")]
    }
    assert retired == {
        "place": {"g1": LATER, "s1": None},
        "device": {"g1-rain": LATER, "s1-in": None, "s1-n": None},
        "entrance": {"n": LATER, "m": None},
    }


def test_stock_in_hand_is_left_to_movements(connection: Connection, tmp_path: Path) -> None:
    import_site(connection, _site(tmp_path), "li", AT)
    connection.execute("update stock set quantity = 3")

    import_site(connection, _site(tmp_path, changed("width_m = 6", "width_m = 7")), "li", LATER)

    assert [row["quantity"] for row in _rows(connection, "stock")] == [3.0]


def test_requirements_and_thresholds_follow_the_file(connection: Connection, tmp_path: Path) -> None:
    import_site(connection, _site(tmp_path), "li", AT)
    text = changed("value = 0.25", "value = 0.2", changed('requirements = [{ item = "sandbag", quantity = 10 }]', ""))

    second = import_site(connection, _site(tmp_path, text), "li", LATER)

    assert _rows(connection, "requirement") == []
    thresholds = {row["commit_seq"]: (row["value"], row["severity"]) for row in _rows(connection, "threshold")}
    assert thresholds == {1: (0.25, 4), second.commit_seq: (0.2, 4)}


def test_nothing_is_left_of_an_import_that_fails_at_its_last_row(connection: Connection, tmp_path: Path) -> None:
    connection.execute("alter table threshold add constraint planted check (value > 0.3)")
    before = _everything(connection)

    with pytest.raises(StoreRejected, match="planted"):
        import_site(connection, _site(tmp_path), "li", AT)

    assert _everything(connection) == before


def test_a_failing_second_import_leaves_the_first(connection: Connection, tmp_path: Path) -> None:
    site = _site(tmp_path)
    import_site(connection, site, "li", AT)
    connection.execute("alter table threshold add constraint planted check (value > 0.2)")
    before = _everything(connection)

    with pytest.raises(StoreRejected, match="planted"):
        import_site(connection, _site(tmp_path, changed("value = 0.25", "value = 0.1")), "li", LATER)

    assert _everything(connection) == before
    assert latest_site(connection) == (1, site)


def test_versions_are_read_back_whole(connection: Connection, tmp_path: Path) -> None:
    first, second = _site(tmp_path), _site(tmp_path, changed("width_m = 6", "width_m = 7"))
    import_site(connection, first, "li", AT)
    connection.execute("update commit_counter set commit_seq = 10")
    import_site(connection, second, "li", LATER)

    assert latest_site(connection) == (11, second)
    assert site_at(connection, 10) == (1, first)
    assert site_at(connection, 11) == (11, second)
    assert site_at(connection, 999) == (11, second)
    with pytest.raises(BadInput, match="no site"):
        site_at(connection, 0)
    assert [row["document"] for row in _rows(connection, "site_version")] == [
        site_document(first),
        site_document(second),
    ]


def test_a_database_without_site_says_what_to_do(connection: Connection) -> None:
    with pytest.raises(BadInput, match="undercroft site import FILE"):
        latest_site(connection)
    assert sensors(connection) == []


def test_import_and_show_on_the_command_line(live_db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERCROFT_DATABASE_URL", live_db)
    runner, app = CliRunner(), build_app()
    command = ["site", "import", str(sample_site_path()), "--author", "li", "--json"]

    first = json.loads(runner.invoke(app, command).stdout)
    again = json.loads(runner.invoke(app, command).stdout)

    assert first["changed"]
    assert again == {**first, "changed": False}
    assert first["counts"]["space"] == 40
    shown = json.loads(runner.invoke(app, ["site", "show", "--json"]).stdout)
    assert shown == site_document(load_site(sample_site_path()))


def test_a_wrong_file_is_refused_before_the_database_is_touched(
    live_db: str, connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNDERCROFT_DATABASE_URL", live_db)
    before = _everything(connection)
    path = write_site(tmp_path, changed("width_m = 6", "width_m = 0"))

    result = CliRunner().invoke(build_app(), ["site", "import", str(path)])

    assert result.exit_code == 2
    told = "space[s1].entrances[n].width_m: found 0, expected a number above 0, at most 60"
    assert result.stderr == f"{path}:37: {told}\n"
    assert _everything(connection) == before
