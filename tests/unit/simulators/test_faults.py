"""Faults of sensors as pure changes, and the plan of who has them."""

from __future__ import annotations

import json

import pytest

from simulators.faults import FaultPlan, garbage_payload, shifted, spiked, stuck
from simulators.payload import Sent, Value, payload_of
from simulators.scenario import Scenario
from simulators.scenario_file import parse_scenario
from undercroft.errors import ScenarioInvalid

SENT = Sent(
    "tank-1",
    1_000,
    (
        Value(None, "water_depth_m", "0.120"),
        Value(None, "pump_running", "true"),
        Value(None, "barrier_state", '"open"'),
        Value(None, "rain_total_mm", "7.5"),
    ),
)

FRAME = """\
[run]
name = "faulty"
label = "Faults"
start = 1970-01-01T00:00:00Z
hours = 1

[storm]
kind = "none"

[[fault]]
at = 1970-01-01T00:10:00Z
until = 1970-01-01T00:20:00Z
"""


def a_plan(fault: str, places: dict[str, str] | None = None) -> FaultPlan:
    return FaultPlan(a_scenario(fault), places or {"tank-1": "garage", "tank-2": "mall"}, seed=7)


def a_scenario(fault: str) -> Scenario:
    return parse_scenario(FRAME + fault, "f.toml")


def test_spike_moves_levels_only() -> None:
    texts = [value.text for value in spiked(SENT, -0.5).values]
    assert texts == ["-0.380", "true", '"open"', "7.5"]


def test_stuck_holds_numbers_and_lets_states_change() -> None:
    later = Sent(
        "tank-1",
        1_060,
        (
            Value(None, "water_depth_m", "0.400"),
            Value(None, "pump_running", "false"),
            Value(None, "barrier_state", '"deployed"'),
            Value(None, "rain_total_mm", "9.0"),
        ),
    )
    held = stuck(later, SENT)
    assert held.observed_s == 1_060
    assert [value.text for value in held.values] == ["0.120", "false", '"deployed"', "7.5"]


def test_shift_moves_the_time_alone() -> None:
    assert shifted(SENT, -90) == Sent("tank-1", 910, SENT.values)


def test_each_garbage_is_bad_in_its_own_way() -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(garbage_payload("not_json", SENT))
    with pytest.raises(UnicodeDecodeError):
        garbage_payload("not_utf8", SENT).decode()
    nan = json.loads(garbage_payload("nan", SENT))
    assert nan["water_depth_m"] != nan["water_depth_m"]
    assert "observed_at" not in json.loads(garbage_payload("no_timestamp", SENT))
    unknown = json.loads(garbage_payload("unknown_quantity", SENT))
    assert set(unknown) == {"observed_at", "colour_of_the_water"}
    with pytest.raises(ValueError, match="form"):
        garbage_payload("pretty", SENT)


def test_unknown_quantity_of_a_device_with_several_probes_is_still_json() -> None:
    sent = Sent("d", 0, (Value("a", "water_depth_m", "0.1"), Value("b", "water_depth_m", "0.2")))
    assert len(json.loads(payload_of(sent))["readings"]) == 2
    assert json.loads(garbage_payload("unknown_quantity", sent))["colour_of_the_water"] == 7


def test_fault_holds_from_its_beginning_to_before_its_end() -> None:
    plan = a_plan('kind = "dropout"\ndevice = "tank-1"')
    assert [plan.apply(SENT, minute).sent is None for minute in (9, 10, 19, 20)] == [False, True, True, False]
    assert "tank-1" in plan
    assert "tank-2" not in plan


def test_fault_of_a_place_hits_its_devices() -> None:
    plan = a_plan('kind = "duplicate"\ndevice = "garage"')
    assert plan.apply(SENT, 12).copies == 2
    assert "tank-2" not in plan


def test_stuck_remembers_the_first_message_of_the_fault() -> None:
    plan = a_plan('kind = "stuck"')
    before = Sent("tank-1", 540, (Value(None, "water_depth_m", "0.010"),))
    first = Sent("tank-1", 600, (Value(None, "water_depth_m", "0.020"),))
    later = Sent("tank-1", 660, (Value(None, "water_depth_m", "0.900"),))
    assert plan.apply(before, 9).sent == before
    assert plan.apply(first, 10).sent == first
    held = plan.apply(later, 11).sent
    assert held is not None
    assert held.values[0].text == "0.020"


def test_garbage_comes_beside_the_right_message() -> None:
    faulty = a_plan('kind = "garbage"\nform = "nan"').apply(SENT, 10)
    assert faulty.sent == SENT
    assert len(faulty.garbage) == 1


def test_chance_hits_its_share_and_the_same_every_time() -> None:
    plan, again = a_plan('kind = "spike"\nby_m = 1.0\nchance = 0.3'), a_plan('kind = "spike"\nby_m = 1.0\nchance = 0.3')
    messages = [Sent("tank-1", second, SENT.values) for second in range(1000)]
    hits = [plan.apply(sent, 12).sent != sent for sent in messages]
    assert hits == [again.apply(sent, 12).sent != sent for sent in messages]
    assert 240 < sum(hits) < 360


def test_share_picks_some_devices() -> None:
    places = {f"d-{number}": "p" for number in range(200)}
    plan = a_plan('kind = "dropout"\nshare = 0.25', places)
    assert 30 < sum(device in plan for device in places) < 70


def test_unknown_device_is_refused() -> None:
    with pytest.raises(ScenarioInvalid, match=r"fault\[0\]\.device: the site has no device or place tank-9"):
        a_plan('kind = "dropout"\ndevice = "tank-9"')
