"""A scenario on a district: who reports what and when, and the count of what must be stored."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any

import orjson
import pytest

from simulators.district import district_run
from simulators.scenario import Scenario
from simulators.scenario_file import load_scenario, parse_scenario
from simulators.steps import Message, Step
from tests.unit.simulators.districts import a_site
from undercroft.errors import ScenarioInvalid, SiteInvalid
from undercroft.model import SpaceKind
from undercroft.site import load_site, sample_site_path

START = datetime.fromisoformat("2026-07-01T04:00:00+00:00")

SMALL = """\
[run]
name = "small"
label = "Small"
start = 2026-07-01T12:00:00+08:00
hours = 4

[storm]
kind = "table"
start = 2026-07-01T13:00:00+08:00
step_min = 30
rates_mm_h = [12.0, 180.0, 120.0]
"""

READING_KEYS = {"observed_at", "at"}


def a_scenario(*parts: str) -> Scenario:
    return parse_scenario(SMALL + "\n".join(parts), "small.toml")


def steps_of(*parts: str, spaces: int = 3, seed: int | None = None, **changes: Any) -> list[Step]:
    return list(district_run(a_site(spaces, **changes), a_scenario(*parts), seed=seed).steps)


def messages_of(steps: Iterable[Step]) -> Iterator[Message]:
    return (message for step in steps for message in step.messages)


def readings_in(message: Message) -> Iterator[tuple[str, datetime, str | None, str, Any]]:
    """Take a message apart again: device, time, probe, quantity, value."""
    device = message.topic.split("/")[4]
    body = orjson.loads(message.payload)
    for reading in body.get("readings", [body]):
        observed_at = datetime.fromisoformat(reading["observed_at"])
        for key, value in reading.items():
            if key not in READING_KEYS:
                yield device, observed_at, reading.get("at"), key, value


def series(steps: Iterable[Step], device: str, quantity: str) -> list[tuple[float, Any]]:
    """Return (minutes from the start, value) of one sensor."""
    return [
        ((at - START) / timedelta(minutes=1), value)
        for message in messages_of(steps)
        if not message.topic.endswith("/status")
        for who, at, _, what, value in readings_in(message)
        if (who, what) == (device, quantity)
    ]


def test_run_begins_with_its_clock_and_statuses() -> None:
    steps = steps_of()
    assert steps[0].messages == ()
    assert (steps[0].seq, steps[0].now) == (1, START)
    assert [step.seq for step in steps] == list(range(1, 242))
    assert steps[-1].now == START + timedelta(hours=4)
    statuses = [m for m in messages_of(steps) if m.topic.endswith("/status")]
    assert statuses == list(steps[1].messages[:13])  # 3 spaces with 4 devices, and the rain gauge
    assert all(m.retain and m.payload == b'{"online":true}' for m in statuses)
    assert all(not m.retain for m in messages_of(steps) if m not in statuses)


def test_every_device_reports_in_the_first_minute() -> None:
    first = [m.topic for m in steps_of()[1].messages if m.topic.endswith("/observation")]
    assert len(set(first)) == len(first) == 13


def test_dry_ten_minutes_wet_one_minute() -> None:
    minutes = [int(at) for at, _ in series(steps_of(), "garage-00-bar", "barrier_state")]
    dry = [b - a for a, b in pairwise(minutes) if a >= 15 and b <= 60]
    wet = [b - a for a, b in pairwise(minutes) if a >= 95 and b <= 150]
    assert set(dry) == {10}
    assert set(wet) == {1}


def test_wet_by_signal_alone() -> None:
    act = (
        '[[act]]\nkind = "warning_signal"\ncolour = "yellow"\n'
        "at = 2026-07-01T12:20:00+08:00\nuntil = 2026-07-01T12:40:00+08:00"
    )
    minutes = {int(at) for at, _ in series(steps_of(act), "rg-1", "rain_total_mm")}
    assert set(range(20, 40 + 15)) <= minutes  # the signal, and the quarter of an hour that wet lasts
    assert len(minutes & set(range(20))) == 2 or len(minutes & set(range(20))) == 3
    assert len(minutes & set(range(56, 66))) <= 1


def test_one_message_per_device_and_instant_in_order_of_time() -> None:
    seen: set[tuple[str, datetime]] = set()
    before = START - timedelta(minutes=1)
    for step in steps_of(DEPLOY):
        for message in step.messages:
            if message.topic.endswith("/status"):
                continue
            device, at, *_ = next(readings_in(message))
            assert (device, at) not in seen
            seen.add((device, at))
            assert before <= at <= step.now
        before = step.now


def test_readings_are_rounded_to_what_sensors_resolve() -> None:
    for message in messages_of(steps_of()):
        for _, _, _, quantity, value in readings_in(message) if not message.topic.endswith("/status") else ():
            if quantity == "water_depth_m":
                assert value >= 0
                assert round(value, 3) == value
            if quantity == "rain_total_mm":
                assert round(value, 1) == value


def test_rain_counter_only_rises_and_ends_at_the_storm_total() -> None:
    counter = [value for _, value in series(steps_of(), "rg-1", "rain_total_mm")]
    assert counter == sorted(counter)
    assert counter[-1] == pytest.approx(6 + 90 + 60, abs=0.1001)  # 30 min each of 12, 180 and 120 mm/h


DEPLOY = '[[act]]\nkind = "deploy_barrier"\ntarget = "garage-00/ramp"\nat = 2026-07-01T13:20:30+08:00'


def test_barrier_is_deployed_after_its_time_and_told_at_once() -> None:
    steps = steps_of(DEPLOY)
    events = [m for m in messages_of(steps) if m.topic.endswith("garage-00-bar/event")]
    told = [next(readings_in(m)) for m in events]
    # Ordered at 80.5 min, so from minute 81; closed 10 min later (deploy_min).
    assert [((at - START) / timedelta(minutes=1), value) for _, at, _, _, value in told] == [
        (81.0, "deploying"),
        (91.0, "deployed"),
    ]
    states = series(steps, "garage-00-bar", "barrier_state")
    assert all(value == "open" for at, value in states if at < 81)
    assert all(value == "deployed" for at, value in states if at >= 91)


def test_barrier_that_fails_lets_the_water_in() -> None:
    site: dict[str, Any] = {"catchment_m2": 30_000.0}
    deepest = {
        outcome: max(value for _, value in series(steps_of(deploy, **site), "garage-00-in", "water_depth_m"))
        for outcome, deploy in {
            "never": "",
            "deployed": DEPLOY,
            "failed": DEPLOY + '\noutcome = "failed"',
        }.items()
    }
    assert deepest["deployed"] < deepest["failed"] == deepest["never"]


def test_power_loss_stops_pumps_and_is_told() -> None:
    act = '[[act]]\nkind = "power_loss"\ntarget = "garage-00"\nat = 2026-07-01T13:30:00+08:00'
    site: dict[str, Any] = {"catchment_m2": 30_000.0}
    with_power, without = steps_of(**site), steps_of(act, **site)
    assert any(value for _, value in series(with_power, "garage-00-pump", "pump_running"))
    assert not any(value for at, value in series(without, "garage-00-pump", "pump_running") if at >= 90)
    assert (90.0, False) in series(without, "garage-00-pump", "mains_power")
    last = series(without, "garage-00-in", "water_depth_m")[-1][1]
    assert last > series(with_power, "garage-00-in", "water_depth_m")[-1][1]


def test_pump_failure_is_silent_about_the_mains() -> None:
    act = '[[act]]\nkind = "pump_failure"\nat = 2026-07-01T12:00:00+08:00'
    steps = steps_of(act, catchment_m2=30_000.0)
    assert not any(value for _, value in series(steps, "garage-00-pump", "pump_running"))
    assert all(value for _, value in series(steps, "garage-00-pump", "mains_power"))


def test_act_on_what_is_not_there() -> None:
    with pytest.raises(ScenarioInvalid, match=r"act\[0\]\.target: the site has no barrier at garage-09"):
        steps_of(DEPLOY.replace("garage-00", "garage-09"))


def test_sensor_that_the_simulator_cannot_compute() -> None:
    devices = [{"id": "odd", "sensors": [{"quantity": "rain_depth_mm"}]}]
    with pytest.raises(SiteInvalid, match="device odd: the simulator has no model for rain_depth_mm"):
        steps_of(spaces=1, devices=devices)


def test_late_start_publishes_the_same_from_there_on() -> None:
    site, scenario = a_site(2), a_scenario()
    late = list(district_run(site, scenario, from_min=100, until_min=110).steps)
    assert (late[0].seq, late[0].now) == (1, START + timedelta(minutes=100))
    assert late[-1].now == START + timedelta(minutes=110)
    whole = {m.topic: m for m in list(district_run(site, scenario).steps)[105].messages}
    assert {m.topic: m for m in late[5].messages} == whole
    assert late[5].rain_total_mm == pytest.approx(6 + 180 * 15 / 60)


def test_late_start_brings_the_hour_of_rain_before_it() -> None:
    late = list(district_run(a_site(2), a_scenario(), from_min=100, until_min=103).steps)
    rain = series(late, "rg-1", "rain_total_mm")
    assert [int(at) for at, _ in rain] == list(range(40, 103))
    whole = dict(series(list(district_run(a_site(2), a_scenario()).steps), "rg-1", "rain_total_mm"))
    assert all(whole.get(at, value) == value for at, value in rain)
    again = [key for message in messages_of(late) if "status" not in message.topic for key in readings_in(message)]
    statuses = sum("status" in message.topic for message in messages_of(late))
    assert sum(step.readings for step in late) == len(again) + statuses


def test_same_seed_same_bytes() -> None:
    def digest(seed: int) -> str:
        found = hashlib.sha256()
        for message in messages_of(steps_of(FAULTS, seed=seed)):
            found.update(message.topic.encode() + b"\0" + message.payload + b"\n")
        return found.hexdigest()

    assert digest(1) == digest(1)
    assert digest(1) != digest(2)


FAULTS = "\n".join(
    f'[[fault]]\nkind = "{kind}"\nchance = 0.5\n{rest}\n'
    "at = 2026-07-01T12:30:00+08:00\nuntil = 2026-07-01T14:00:00+08:00"
    for kind, rest in {
        "dropout": "share = 0.3",
        "duplicate": "",
        "clock_offset": 'device = "garage-01-in"\noffset_s = -600',
        "spike": "by_m = 0.4",
        "stuck": 'device = "garage-02-out"',
        "garbage": 'form = "nan"',
    }.items()
)


def test_expected_readings_are_counted_as_the_store_would() -> None:
    steps = steps_of(FAULTS)
    keys: set[tuple[str, datetime, str | None, str]] = set()
    statuses = unreadable = 0
    for message in messages_of(steps):
        if message.topic.endswith("/status"):
            statuses += 1
        elif b"NaN" in message.payload:
            unreadable += 1
        else:
            keys |= {(device, at, probe, quantity) for device, at, probe, quantity, _ in readings_in(message)}
    assert unreadable > 100
    assert sum(step.readings for step in steps) == len(keys) + statuses
    assert sum(step.dead_letters for step in steps) == unreadable


@cache
def counted(name: str) -> tuple[int, int, int, dict[str, float]]:
    """Play a built-in scenario on the sample district: messages, expected, counted again, deepest inside by space."""
    site = load_site(sample_site_path())
    inside = {
        device.id: space.id
        for space in site.spaces
        for device in space.devices
        if any(s.quantity == "water_depth_m" and s.entrance is None for s in device.sensors)
    }
    messages = expected = 0
    keys: set[int] = set()
    deepest: dict[str, float] = defaultdict(float)
    for step in district_run(site, load_scenario(name)).steps:
        messages += len(step.messages)
        expected += step.readings
        for message in step.messages:
            if message.topic.endswith("/status"):
                keys.add(hash(message.topic))
                continue
            for device, at, probe, quantity, value in readings_in(message):
                keys.add(hash((device, at, probe, quantity)))
                if quantity == "water_depth_m" and device in inside:
                    deepest[inside[device]] = max(deepest[inside[device]], value)
    return messages, expected, len(keys), dict(deepest)


@pytest.mark.parametrize(
    "name",
    ["shenzhen-2023-09-07", pytest.param("shenzhen-2023-09-07-envelope", marks=pytest.mark.slow), "dry-day"],
)
def test_built_in_scenarios_send_what_they_promise(name: str) -> None:
    messages, expected, found, _ = counted(name)
    assert messages >= load_scenario(name).expect.messages_at_least
    assert expected == found


ORANGE_INSIDE_M = {SpaceKind.UNDERPASS: 0.15, SpaceKind.METRO_ENTRANCE: 0.01, SpaceKind.MALL: 0.01}
RED_INSIDE_M = {SpaceKind.UNDERPASS: 0.27, SpaceKind.METRO_ENTRANCE: 0.10, SpaceKind.MALL: 0.10}
"""Depth inside alone, of the domain note 1.5; car parks and civil defence: 5 cm and 30 cm."""


def flooded(name: str) -> Counter[str]:
    site = load_site(sample_site_path())
    deepest = counted(name)[3]
    levels: Counter[str] = Counter()
    for space in site.spaces:
        depth_m = deepest.get(space.id, 0.0)
        levels["orange"] += depth_m >= ORANGE_INSIDE_M.get(space.kind, 0.05)
        levels["red"] += depth_m >= RED_INSIDE_M.get(space.kind, 0.30)
    return levels


@pytest.mark.slow
def test_storms_flood_a_sensible_part_of_the_sample_district() -> None:
    futian, envelope = flooded("shenzhen-2023-09-07"), flooded("shenzhen-2023-09-07-envelope")
    assert 0.2 <= futian["orange"] / 40 <= 0.45
    assert 1 <= futian["red"] <= 16
    assert envelope["orange"] > futian["orange"]
    assert envelope["red"] > futian["red"]
    assert flooded("dry-day") == Counter(orange=0, red=0)
