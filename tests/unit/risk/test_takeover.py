"""Memory of another version of the engine carried on by name, and the alarms of its log taken into it."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import orjson
import pytest

from risk import snapshot
from risk.snapshot import MEMORY_SINCE, carry_state, dump_state
from risk.state import FAMILIES, RAIN_SLOTS, EngineState, fresh_state
from risk.takeover import _FAMILIES, LoggedAlarm, take_over
from tests.unit.risk.builders import Crank, site, underpass
from undercroft.rules import RULE_UNITS

OLDEST = str(MEMORY_SINCE)


@pytest.fixture
def crank() -> Crank:
    turned = Crank(site(underpass()), nowcast=False)
    for minute in range(3):
        turned.tick(minute, ("up-lvl:water_depth_m", minute, 0.5), ("rain-1:rain_total_mm", minute, 4.0 * minute))
    return turned


def as_it_was(crank: Crank, **changed: np.ndarray[Any, Any] | None) -> bytes:
    """The memory as a version with other arrays kept it; None: it had none of that name."""
    whole = dump_state(crank.engine.state, crank.engine.plant.arrays)
    header = snapshot.read_header(whole)
    arrays = {name: value for name, value in snapshot._arrays_of(whole).items() if name not in changed}
    arrays |= {name: value for name, value in changed.items() if value is not None}
    listed, offset = [], 0
    for name, value in arrays.items():
        listed.append([name, value.dtype.str, list(value.shape), offset])
        offset += value.nbytes
    head = orjson.dumps(header | {"arrays": listed})
    return snapshot._HEADER.pack(len(head)) + head + b"".join(value.tobytes() for value in arrays.values())


def carried(crank: Crank, data: bytes, version: str = OLDEST) -> EngineState | None:
    return carry_state(data, crank.engine.plant.arrays, version=version)


def test_what_both_versions_know_is_carried_on(crank: Crank) -> None:
    state, was = carried(crank, as_it_was(crank)), crank.engine.state
    assert state is not None
    for entry in fields(EngineState):
        if entry.name != "closed_bits":  # the forecast is made again
            np.testing.assert_equal(getattr(state, entry.name), getattr(was, entry.name), entry.name)


def test_what_is_new_begins_and_samples_are_lined_up_by_the_newest(crank: Crank) -> None:
    state, was = crank.engine.state, None
    short, long = state.curve_us[:, -40:], np.pad(state.sure_us, ((0, 0), (9, 0)), constant_values=7)
    by_family = np.arange(len(FAMILIES) - 1, dtype=np.int8)[None, :]
    was = carried(
        crank, as_it_was(crank, curve_us=short, sure_us=long, rained_us=None, gone=np.zeros(3), stood_down_on=by_family)
    )
    assert was is not None
    assert was.curve_us.shape == (1, RAIN_SLOTS)
    assert was.curve_us[0, -3:].tolist() == state.curve_us[0, -3:].tolist()
    assert was.sure_us.tolist() == state.sure_us.tolist()
    assert was.stood_down_on[0].tolist() == [*range(len(FAMILIES) - 1), 0]
    assert was.rained_us[0] == fresh_state(crank.engine.plant.arrays, 1).rained_us[0]


@pytest.mark.parametrize("version", ["x", str(MEMORY_SINCE - 1), "1000000"])
def test_what_means_something_else_is_not_read(crank: Crank, version: str) -> None:
    assert carried(crank, as_it_was(crank), version) is None
    assert carried(crank, as_it_was(crank, order_us=np.zeros(99, np.int64))) is None


def logged(**changed: Any) -> LoggedAlarm:
    said: dict[str, Any] = {
        "subject": "space/up", "events": 7, "occurrence": 3, "severity": 3, "peak": 4, "active": True,
        "acknowledged": True, "latched": False, "raised_us": 5, "shelved_us": 9, "suppressed_by": None,
        "said": (("inside-depth", "up-lvl:water_depth_m"), ("rain-10min", "rain-1:rain_total_mm")), "reasons": (),
    }  # fmt: skip
    return LoggedAlarm(**said | changed)


def test_the_log_holds_whatever_was_remembered(crank: Crank) -> None:
    state = crank.engine.state
    take_over(state, crank.engine.plant.arrays, [logged()], silent=())
    assert (state.alarm_events[0], state.alarm_occurrence[0], state.alarm_severity[0]) == (7, 3, 3)
    assert (state.alarm_acked[0], state.alarm_shelved_us[0], state.alarm_raised_us[0]) == (True, 9, 5)
    assert state.implicated.tolist() == [True]
    take_over(state, crank.engine.plant.arrays, [logged(active=False, acknowledged=False, latched=True)], silent=())
    assert (state.alarm_severity[0], state.alarm_families[0], state.alarm_latched[0]) == (0, 0, True)
    take_over(state, crank.engine.plant.arrays, [], silent=())
    assert (state.alarm_events[0], state.alarm_occurrence[0], state.alarm_latched[0]) == (0, 0, False)


def test_an_alarm_of_a_space_that_the_site_has_not_is_ended_by_the_next_tick(crank: Crank) -> None:
    take_over(crank.engine.state, crank.engine.plant.arrays, [logged(subject="space/gone")], silent=())
    output = crank.tick(3)
    assert [(e.subject, e.event_no, e.kind) for e in output.events if e.subject == "space/gone"] == [
        ("space/gone", 8, "cleared")
    ]


def test_an_alarm_of_which_nothing_is_told_ends_openly_and_what_is_told_is_raised(crank: Crank) -> None:
    state, arrays = crank.engine.state, crank.engine.plant.arrays
    reason = {"rule": "offline", "severity": 2, "observed_at": "2026-07-01T08:00:00Z", "value": None}
    lag, off = logged(subject="system/ingest-lag"), logged(subject="device/up-lvl", reasons=(reason,))
    take_over(state, arrays, [lag, off], silent=["offline"])
    output = crank.tick(3)
    assert [(e.event_no, e.kind) for e in output.events if e.subject == "system/ingest-lag"] == [(8, "cleared")]
    assert "upgrade" in next(e for e in output.events if e.subject == "system/ingest-lag").detail["by"]
    assert state.conditions["device/up-lvl"].severity == 3
    take_over(state, arrays, [logged(subject="device/up-lvl", active=False, shelved_us=None)], silent=())
    raised = [entry for entry in crank.tick(4).events if entry.subject == "device/up-lvl"]
    assert [(entry.event_no, entry.occurrence, entry.kind) for entry in raised][:1] == [(8, 4, "raised")]


def test_every_rule_has_its_family() -> None:
    assert set(_FAMILIES) == set(RULE_UNITS)


def test_a_family_that_the_log_told_of_is_not_told_anew_and_the_acknowledgement_stays() -> None:
    turned = Crank(site(underpass()), nowcast=False)
    turned.tick(0)
    state = turned.engine.state
    take_over(state, turned.engine.plant.arrays, [logged(severity=4, shelved_us=None)], silent=())
    output = turned.tick(1, ("up-lvl:water_depth_m", 1, 0.5))
    assert [entry.kind for entry in output.events if entry.subject == "space/up"] == []
    assert state.alarm_acked[0]
    take_over(state, turned.engine.plant.arrays, [logged(severity=4, shelved_us=None, said=())], silent=())
    state.alarm_families[0] = 0
    output = turned.tick(2, ("up-lvl:water_depth_m", 2, 0.5))
    assert [entry.kind for entry in output.events if entry.subject == "space/up"] == ["reason_added"]
