"""``undercroft site`` as a person or a machine runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.unit.undercroft.site_text import SITE_TEXT, changed, write_site
from undercroft.cli import build_app
from undercroft.errors import BadInput
from undercroft.site import load_site, site_document
from undercroft.site.schema import schema_text

RUN = CliRunner()


def test_check_tells_what_is_there_and_what_is_not_covered(tmp_path: Path) -> None:
    path = write_site(tmp_path, changed('{ quantity = "rain_total_mm" }', '{ quantity = "battery_v" }'))

    result = RUN.invoke(build_app(), ["site", "check", str(path)])

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"{path}:8: warning: basin[b1].id: found none, expected a rain gauge in this basin",
        f"{path}: valid: 1 spaces, 1 entrances, 1 barriers, 3 devices, 4 sensors, 1 gauges, 0 depots, 1 basins;"
        " 1 warnings",
    ]


def test_check_tells_errors_on_standard_error_with_exit_code_2(tmp_path: Path) -> None:
    path = write_site(tmp_path, changed("width_m = 6", "width_m = 0", changed("lat = 22.5", "lat = 99")))

    result = RUN.invoke(build_app(), ["site", "check", str(path)])

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        f"{path}:17: space[s1].lat: found 99, expected a number from -90 to 90",
        f"{path}:37: space[s1].entrances[n].width_m: found 0, expected a number above 0, at most 60",
    ]


def test_check_answers_machines(tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    good.mkdir()
    bad.mkdir()
    write_site(good)
    write_site(bad, changed("width_m = 6", "width_m = 0"))

    fine = RUN.invoke(build_app(), ["site", "check", "--json", str(good / "site.toml")])
    wrong = RUN.invoke(build_app(), ["site", "check", "--json", str(bad / "site.toml")])
    absent = RUN.invoke(build_app(), ["site", "check", "--json", str(tmp_path / "none.toml")])

    assert (fine.exit_code, wrong.exit_code, absent.exit_code) == (0, 2, 2)
    answer = json.loads(fine.stdout)
    assert (answer["ok"], answer["errors"], answer["spaces"], answer["kinds"]) == (True, [], 1, {"car_park": 1})
    (error,) = json.loads(wrong.stdout)["errors"]
    assert (error["line"], error["field"], error["found"]) == (37, "space[s1].entrances[n].width_m", "0")
    assert json.loads(absent.stdout)["errors"][0]["message"].endswith("cannot be read: No such file or directory")


def test_show_and_schema(tmp_path: Path) -> None:
    path = write_site(tmp_path)

    shown = RUN.invoke(build_app(), ["site", "show", str(path)])
    document = RUN.invoke(build_app(), ["site", "show", "--json", str(path)])
    schema = RUN.invoke(build_app(), ["site", "schema"])

    assert shown.stdout.splitlines()[-2:] == ["s1  car_park  福田  一  One", "g1  gauge  福田  雨量  Rain"]
    assert json.loads(document.stdout) == site_document(load_site(path))
    assert schema.stdout == schema_text()


def test_import_without_database_says_which_setting_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UNDERCROFT_DATABASE_URL", raising=False)
    path = write_site(tmp_path, SITE_TEXT)

    result = RUN.invoke(build_app(), ["site", "import", str(path)])

    assert isinstance(result.exception, BadInput)
    assert "UNDERCROFT_DATABASE_URL" in str(result.exception)
