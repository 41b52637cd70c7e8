"""What holds for every storm, barrier, seed and fault."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.payload import Sent, Value, payload_of
from simulators.rain import STEP_MIN, Storm, chicago_storm, depth_shenzhen_2015_mm, nested_storm
from simulators.rhythm import Rhythm
from simulators.sensors import WET_HOLD_MIN, virtual_devices
from simulators.swmm.run import minutes_of, swmm_run
from simulators.world import FloatArray
from tests.unit.simulators.districts import a_site
from undercroft.quantities import BARRIER_STATE_BY_WORD

START = datetime(2026, 7, 1, tzinfo=UTC)

hourly_blocks = st.lists(st.floats(1.0, 150.0), min_size=2, max_size=12).map(lambda rates: sorted(rates, reverse=True))


@given(blocks=hourly_blocks, peak_share=st.floats(0.0, 0.999), total_mm=st.floats(10.0, 900.0))
def test_nested_storm_keeps_every_maximum_wherever_its_peak_is(
    blocks: list[float], peak_share: float, total_mm: float
) -> None:
    maxima = [(hours, sum(blocks[:hours])) for hours in range(1, len(blocks) + 1)]
    peak_min = int(peak_share * len(blocks) * 60)
    storm = nested_storm(maxima, hours=len(blocks), start_min=0, peak_min=peak_min, total_mm=total_mm)
    scale = total_mm / maxima[-1][1]
    assert np.isclose(storm.total_mm, total_mm)
    for hours, depth_mm in maxima:
        assert np.isclose(storm.most_mm(hours * 60), depth_mm * scale)


@given(years=st.floats(2.0, 100.0), steps=st.integers(2, 36), ratio=st.floats(0.05, 0.95))
def test_chicago_storm_never_holds_more_than_the_formula(years: float, steps: int, ratio: float) -> None:
    storm = chicago_storm(years, steps * STEP_MIN, peak_ratio=ratio)
    assert np.isclose(storm.total_mm, depth_shenzhen_2015_mm(steps * STEP_MIN, years))
    for width in range(1, steps + 1):
        assert storm.most_mm(width * STEP_MIN) <= depth_shenzhen_2015_mm(width * STEP_MIN, years) * (1 + 1e-9)


def _inside_m(storm: Storm, *, deployed: bool) -> FloatArray:
    site = a_site(4, catchment_m2=20_000.0, pumps=[])
    with swmm_run(site, storm, START, 90) as run:
        for space in range(4):
            run.set_barrier(space, 0, deployed=deployed)
        for _ in minutes_of(run, 90):
            pass
        return run.inside_depth_m


@settings(max_examples=15, deadline=None)
@given(rates=st.lists(st.floats(0.0, 300.0), min_size=1, max_size=12))
def test_deployed_barrier_never_means_more_water_inside(rates: list[float]) -> None:
    storm = Storm(5, tuple(rates))
    closed, opened = _inside_m(storm, deployed=True), _inside_m(storm, deployed=False)
    flooded = opened > 0.01
    assert (closed[flooded] < opened[flooded]).all()
    assert (closed <= opened + 1e-6).all()


@settings(max_examples=15, deadline=None)
@given(rates=st.lists(st.floats(0.0, 300.0), min_size=1, max_size=12))
def test_what_falls_is_stored_or_drained(rates: list[float]) -> None:
    storm = Storm(5, tuple(rates))
    with swmm_run(a_site(4, catchment_m2=20_000.0), storm, START, 180) as run:
        for _ in minutes_of(run, 180):
            run.switch_pumps(np.ones(4, dtype=np.bool_))
    assert run.continuity is not None
    # Percentages of next to nothing say nothing: a hundredth of the rain, and a fiftieth of a millimetre.
    for error_percent in (run.continuity.runoff_percent, run.continuity.routing_percent):
        assert abs(error_percent) / 100.0 * storm.total_mm <= 0.01 * storm.total_mm + 0.02


texts = st.one_of(
    st.floats(0.0, 9.999).map(lambda depth: ("water_depth_m", f"{depth:.3f}")),
    st.booleans().map(lambda on: ("pump_running", "true" if on else "false")),
    st.sampled_from(sorted(BARRIER_STATE_BY_WORD)).map(lambda word: ("barrier_state", f'"{word}"')),
)


@given(
    second=st.integers(0, 4_000_000_000),
    found=st.dictionaries(st.one_of(st.none(), st.sampled_from(["north", "p-2"])), texts, min_size=1),
)
def test_payload_says_what_was_measured(second: int, found: dict[str | None, tuple[str, str]]) -> None:
    values = tuple(Value(at, quantity, text) for at, (quantity, text) in found.items())
    body = orjson.loads(payload_of(Sent("tank-1", second, values)))
    told = {}
    for reading in body.get("readings", [body]):
        assert datetime.fromisoformat(reading.pop("observed_at")).timestamp() == second
        at = reading.pop("at", None)
        told.update({(at, quantity): value for quantity, value in reading.items()})
    assert told == {(at, quantity): orjson.loads(text) for at, (quantity, text) in found.items()}


runs = st.lists(st.tuples(st.booleans(), st.integers(1, 40)), min_size=1, max_size=8)


@given(runs=runs, seed=st.integers(0, 100))
def test_devices_report_each_minute_while_wet_and_within_ten_while_dry(runs: list[tuple[bool, int]], seed: int) -> None:
    devices = virtual_devices(a_site(1), seed)
    rhythm = Rhythm(devices, 1, 1)
    wet_by_minute = [wet for wet, minutes in runs for _ in range(minutes)]
    reported: dict[str, list[int]] = {device.id: [] for device in devices}
    for minute, wet in enumerate(wet_by_minute):
        rhythm.note_wetness(minute, np.zeros(2), rain_5_min_mm=2.0 if wet else 1.9, signal=False)
        for device in rhythm.due(minute):
            reported[device.id].append(minute)
    for minutes in reported.values():
        assert minutes[0] == 0
        for minute, wet in enumerate(wet_by_minute):
            held = any(wet_by_minute[max(0, minute - WET_HOLD_MIN) : minute + 1])
            if wet or held:
                assert minute in minutes
        assert all(b - a <= 10 for a, b in zip(minutes, [*minutes[1:], len(wet_by_minute)], strict=True))
