"""A wrong option of the demonstration is told before anything is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulators.demo.commands import play, scenario_feed
from tests.integration.test_demo import SHORT_STORM
from undercroft.errors import BadInput, ScenarioInvalid

NIGHT = "shenzhen-2023-09-07"


@pytest.mark.parametrize("start", ["x", "99999", "1440"])
def test_a_beginning_outside_the_run(start: str) -> None:
    with pytest.raises(BadInput, match="--from"):
        scenario_feed(NIGHT, "max", start, None)


def test_a_fault_of_a_device_that_the_site_has_not(tmp_path: Path) -> None:
    storm = tmp_path / "storm.toml"
    fault = '\n[[fault]]\nkind = "stuck"\ndevice = "nobody"\nat = 2026-07-01T12:45:00+08:00\n'
    storm.write_text(SHORT_STORM + fault, encoding="utf-8")
    with pytest.raises(ScenarioInvalid, match="nobody"):
        scenario_feed(str(storm), "max", None, None)


def test_a_report_that_is_a_folder(tmp_path: Path) -> None:
    feed = scenario_feed(NIGHT, "max", None, None)
    with pytest.raises(BadInput, match="--report: cannot be written"):
        play(feed, leave=True, headless=True, report=tmp_path, probe_s=0.0)


def test_a_probe_too_short_to_turn_a_space_red_is_refused() -> None:
    feed = scenario_feed("dry-day", "max", None, None)
    with pytest.raises(BadInput, match=r"--probe-seconds 2: expected 0, or at least 4"):
        play(feed, leave=True, headless=True, report=None, probe_s=2.0)
