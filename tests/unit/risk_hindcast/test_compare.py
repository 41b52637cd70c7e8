"""Would have fired: two threshold sets over the same floods, with tables worked out by hand."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from risk.hindcast.compare import Cases, compare, floodnet_cases
from risk.hindcast.compare_commands import sets_of
from risk.hindcast.floodnet_csv import Event
from risk.hydraulics.arrays import floats
from risk.nowcast.track import Track
from undercroft.errors import BadInput

EARLY = """
[[threshold_set]]
id = "early"
author = "test"
source = "test"
valid_from = 2026-01-01T00:00:00Z
rows = [{ rule = "inside-depth", kind = "underpass", severity = "orange", value = 8.0, unit = "cm", source = "test" }]
"""


def flood(name: str, depths_cm: list[float]) -> Event:
    time_s = floats([60.0 * k for k in range(len(depths_cm))])
    at = datetime(2024, 9, 29)  # noqa: DTZ001 - the tables carry local times
    depth_m = floats([depth / 100.0 for depth in depths_cm])
    return Event(name, at.isoformat(), at, Track(name, 0.0, time_s, depth_m, 0.0, 0.0, tidal=False))


def test_tables_and_minutes_by_hand() -> None:
    crossing = np.array([600.0, np.nan, 900.0, 300.0])
    a = Cases(("x", "x", "y", "y"), crossing, np.array([600.0, np.nan, 1200.0, np.nan]))
    b = Cases(("x", "x", "y", "y"), crossing, np.array([240.0, 120.0, 780.0, 240.0]))
    told = compare(a, b, 120.0)
    assert told["all"]["a"] == {"hits": 1, "misses": 2, "false_alarms": 0, "quiet": 1}
    assert told["all"]["b"] == {"hits": 3, "misses": 0, "false_alarms": 1, "quiet": 0}
    assert (told["all"]["both_fired"], told["all"]["gained_min_sum"]) == (2, 13.0)  # 6 and 7 minutes
    assert told["spaces"]["x"]["gained_min_median"] == 6.0
    for side in ("a", "b"):
        for part in ("hits", "misses", "false_alarms", "quiet"):
            assert sum(row[side][part] for row in told["spaces"].values()) == told["all"][side][part]


def test_lower_threshold_fires_earlier_and_costs_a_false_alarm(tmp_path: Path) -> None:
    path = tmp_path / "early.toml"
    path.write_text(EARLY)
    floods = [
        flood("s1", [*np.arange(3.0, 16.1, 0.5).tolist(), *([16.0] * 5)]),  # 15 cm at minute 24, 8 cm at minute 10
        flood("s2", [*np.arange(3.0, 9.1, 0.5).tolist(), *([9.0] * 5), *([3.0] * 5)]),  # never 15 cm
    ]
    default = floodnet_cases(floods, sets_of("default", None), 0.15, 3)
    early = floodnet_cases(floods, sets_of(str(path), None), 0.15, 3)
    assert default.crossing_s.tolist()[0] == 24 * 60
    assert default.fired_s[0] == 25 * 60  # second sample at or above 15 cm
    assert early.fired_s[0] == 11 * 60  # second sample at or above 8 cm
    assert np.isnan(default.fired_s[1])
    told = compare(default, early, 120.0)["all"]
    assert told["a"] == {"hits": 1, "misses": 0, "false_alarms": 0, "quiet": 1}
    assert told["b"] == {"hits": 1, "misses": 0, "false_alarms": 1, "quiet": 0}
    assert told["gained_min_sum"] == 14.0


def test_different_cases_are_refused() -> None:
    a = Cases(("x",), np.array([1.0]), np.array([1.0]))
    with pytest.raises(ValueError, match="not over the same cases"):
        compare(a, Cases(("y",), np.array([1.0]), np.array([1.0])), 0.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "No such file"),
        ("x = 1", r"no \[\[threshold_set\]\]"),
        ("x = [", "early.toml"),
        (EARLY.replace('"orange"', '"mauve"'), "severity"),
    ],
)
def test_bad_set_files_are_named(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "early.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(BadInput, match=message):
        sets_of(str(path), None)
