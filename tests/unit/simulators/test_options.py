"""What ``--from``, ``--until`` and ``--speed`` accept."""

from __future__ import annotations

import pytest

from simulators.minutes import minute_asked_for
from simulators.playing import speed_asked_for
from simulators.scenario_file import load_scenario
from undercroft.errors import BadInput

STORM = load_scenario("shenzhen-2023-09-07")
PEAK = 10 * 60 + 32  # the row from 22:30 to 22:35 local, run from 12:00


@pytest.mark.parametrize(
    ("text", "minute"),
    [
        (None, 5),
        ("90", 90),
        ("30 min before peak", PEAK - 30),
        ("2 h after peak", PEAK + 120),
        (" 0 min before peak ", PEAK),
        ("100 h before peak", 0),
        ("100 h after peak", 1440),
    ],
)
def test_minute_asked_for(text: str | None, minute: int) -> None:
    assert minute_asked_for("--from", text, STORM, default=5) == minute


@pytest.mark.parametrize("text", ["noon", "30 minutes before peak", "-5", "1441", "before peak"])
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match="--from"):
        minute_asked_for("--from", text, STORM, default=0)


@pytest.mark.parametrize("text", ["0", "-1", "nan", "1e-300", "1e7", "fast"])
def test_other_speeds_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match="--speed"):
        speed_asked_for(text)


def test_dry_day_has_no_peak() -> None:
    with pytest.raises(BadInput, match="no rain, so no peak"):
        minute_asked_for("--from", "30 min before peak", load_scenario("dry-day"), default=0)


def test_speed() -> None:
    assert speed_asked_for("max") is None
    assert speed_asked_for("240") == 240.0
    for text in ("0", "-1", "fast", "nan", "inf", "1e9"):
        with pytest.raises(BadInput, match="--speed"):
            speed_asked_for(text)
