"""Key numbers: worst of what is known, never a 0 for what is not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.spaces.numbers import KeyNumbers, key_numbers, stale_after_s

EVIDENCE: dict[str, Any] = {
    "entrances": [
        {
            "entrance": "n",
            "freeboard_m": 0.30,
            "depth_m": 0.1,
            "rise_m_min": 0.01,
            "barrier": "deployed",
            "age_s": 20.0,
        },
        {"entrance": "s", "freeboard_m": -0.02, "depth_m": 0.27, "rise_m_min": 0.02, "barrier": "open", "age_s": 65.0},
        {"entrance": "w", "freeboard_m": None, "barrier": "none", "barrier_needed": False},
    ],
    "inside": [{"depth_m": 0.04, "rise_m_min": 0.001, "age_s": 30.0}, {"depth_m": 0.01}],
    "rain_mm": {"5": 4.0, "10": 9.5, "60": 31.0},
    "pumps": [{"running": False}, {"running": True}],
    "in_rain": True,
    "time_to_orange_min": 0.0,
    "time_to_red_min": 7.5,
}


def test_worst_of_every_number() -> None:
    assert key_numbers(EVIDENCE) == KeyNumbers(
        outside_freeboard_m=-0.02,
        outside_depth_m=0.27,
        inside_depth_m=0.04,
        rise_rate_m_min=0.02,
        rain_10min_mm=9.5,
        rain_60min_mm=31.0,
        time_to_threshold_min=7.5,
        time_to_level="red",
        barrier_state="open",
        pump_running=True,
        in_rain=True,
        age_s=65.0,
    )


@pytest.mark.parametrize("evidence", [None, {}, {"entrances": None}, {"entrances": [], "rain_mm": {}, "pumps": []}])
def test_nothing_known_is_null_not_zero(evidence: dict[str, Any] | None) -> None:
    assert key_numbers(evidence) == KeyNumbers()


def test_time_to_orange_while_it_lies_ahead() -> None:
    numbers = key_numbers({"time_to_orange_min": 4.0, "time_to_red_min": 9.0})
    assert (numbers.time_to_threshold_min, numbers.time_to_level) == (4.0, "orange")


@pytest.mark.parametrize(
    ("states", "worst"),
    [
        ([("deployed", True), ("unknown", True)], "unknown"),
        ([("deployed", True), ("failed", True)], "failed"),
        ([("none", True), ("deployed", True)], "none"),
        ([("none", False), ("deployed", True)], "deployed"),
        ([("none", False)], None),
    ],
)
def test_worst_barrier(states: list[tuple[str, bool]], worst: str | None) -> None:
    entrances = [{"barrier": state, "barrier_needed": needed} for state, needed in states]
    assert key_numbers({"entrances": entrances}).barrier_state == worst


def test_stale_after_three_wet_intervals_in_rain_or_alarm() -> None:
    dry, raining = KeyNumbers(in_rain=False), KeyNumbers(in_rain=True)
    assert stale_after_s(dry, 0, 600.0, 120.0) == 1800.0
    assert stale_after_s(raining, 0, 600.0, 120.0) == 360.0
    assert stale_after_s(dry, 2, 600.0, 120.0) == 360.0
    assert stale_after_s(raining, 0, 600.0, 10.0) == 180.0


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(sorted(EVIDENCE)), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(EVIDENCE)), json_values))
def test_strange_evidence_never_stops_the_page(evidence: dict[str, Any]) -> None:
    assert isinstance(key_numbers(evidence).model_dump_json(), str)
