"""The alarms as text: why each is as grave as it is, though milder reasons came since."""

from __future__ import annotations

from contextlib import closing

import pytest
from typer.testing import CliRunner

from tests.browser.storm import BARRIER, RED
from tests.browser.world import Happening, World
from undercroft.cli import build_app


def listed(monkeypatch: pytest.MonkeyPatch, url: str) -> str:
    monkeypatch.setenv("UNDERCROFT_DATABASE_URL", url)
    result = CliRunner().invoke(build_app("alarms"), ["alarms", "list", "--zone", "Asia/Shanghai"])
    assert result.exit_code == 0, result.output
    return result.output


def test_what_made_an_alarm_so_grave_stands_before_a_milder_reason_that_came_since(
    live_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(World(live_db)) as world:
        world.import_sample()
        world.tick((), [Happening("space/cp-01", 4, reasons=[RED])])
        assert "始于 since" not in listed(monkeypatch, live_db)
        world.tick((), [Happening("space/cp-01", 4, "reason_added", reasons=[BARRIER])])
    lines = listed(monkeypatch, live_db).splitlines()
    assert lines[1].startswith("    红色 red 始于 since 2023-09-07 19:01:00+08:00:  ")
    assert lines[1].endswith(RED["text_en"])
    assert lines[2].strip() == f"{BARRIER['text_zh']}  {BARRIER['text_en']}"
