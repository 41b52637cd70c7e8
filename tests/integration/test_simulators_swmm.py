"""The SWMM district against hand numbers: weirs, barriers, pumps, mass balance."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest

from simulators.rain import Storm, chicago_storm
from simulators.scenario_file import load_scenario
from simulators.swmm.drains import drain_of
from simulators.swmm.run import Continuity, SwmmRun, minutes_of, swmm_run
from simulators.world import FloatArray
from tests.unit.simulators.districts import a_site
from undercroft.site import load_site, sample_site_path
from undercroft.site.model import Site

START = load_scenario("dry-day").run.start
FLAT = [{"depth_m": 0.0, "area_m2": 2000.0}]
WIDTH_M = 6.0
CREST_DEPTH_M = 0.15
"""Crest of the first space of `a_site` over its roadway. [m]"""

HARD = Storm(10, (240.0,) * 12)
"""An hour of 240 mm/h."""


def traced(site: Site, storm: Storm, minutes: int, *, deployed: bool = False) -> tuple[FloatArray, FloatArray]:
    """Return street and inside depth of the first space at every minute, pumps off. [m]"""
    street, inside = [0.0], [0.0]
    with swmm_run(site, storm, START, minutes) as run:
        run.set_barrier(0, 0, deployed=deployed)
        for _ in minutes_of(run, minutes):
            street.append(float(run.street_depth_m[0]))
            inside.append(float(run.inside_depth_m[0]))
    return np.array(street), np.array(inside)


def weir_m3(street_depth_m: FloatArray, crest_m: float) -> FloatArray:
    """Volume over a weir in each minute by Q = 1.7 B h^1.5, flow taken linear between minutes. [m³]"""
    flow = 1.7 * WIDTH_M * np.clip(street_depth_m - crest_m, 0.0, None) ** 1.5
    return np.asarray((flow[1:] + flow[:-1]) / 2 * 60.0)


@pytest.mark.parametrize("deployed", [False, True])
def test_inflow_is_that_of_a_weir_on_the_crest_or_on_the_barrier(*, deployed: bool) -> None:
    barrier = {"height_m": 0.1, "deploy_min": 0.0}
    entrances = [
        {
            "id": "ramp",
            "name_zh": "坡道",
            "name_en": "Ramp",
            "width_m": WIDTH_M,
            "crest_level_m": 5.0 + CREST_DEPTH_M,
            "roadway_level_m": 5.0,
            "barrier": barrier,
        }
    ]
    site = a_site(1, storage=FLAT, pumps=[], entrances=entrances, catchment_m2=30_000.0)
    street, inside = traced(site, HARD, 70, deployed=deployed)
    crest_m = CREST_DEPTH_M + (0.1 if deployed else 0.0)
    assert street.max() > crest_m + 0.05, "the storm must overtop for this test to mean anything"
    stored_m3 = 2000.0 * np.diff(inside)
    by_hand_m3 = weir_m3(street, crest_m)
    assert stored_m3.sum() == pytest.approx(by_hand_m3.sum(), rel=0.01)
    running = by_hand_m3 > 20.0
    assert running.sum() > 10
    assert stored_m3[running] == pytest.approx(by_hand_m3[running], rel=0.05)


def test_weir_number_of_the_domain_note() -> None:
    # Section 3.2: 0.10 m of head give 0.054 m³/s per metre; in one minute 0.054 * 6 * 60 = 19.4 m³.
    assert weir_m3(np.array([0.25, 0.25]), CREST_DEPTH_M)[0] == pytest.approx(19.4, abs=0.1)


def test_high_barrier_keeps_all_water_out() -> None:
    site = a_site(1, storage=FLAT, pumps=[], catchment_m2=30_000.0)
    street, inside = traced(site, HARD, 70, deployed=True)
    assert CREST_DEPTH_M < street.max() < CREST_DEPTH_M + 0.6
    assert inside.max() == 0.0


def test_drain_alone_carries_what_it_is_sized_for() -> None:
    # 92 % of the catchment is paved; rain at half the drain's rate must leave the street nearly dry.
    site = a_site(1, pumps=[])
    space = site.spaces[0]
    rate_mm_h = 0.5 * drain_of(space).capacity_m3_s / space.catchment_m2 * 3.6e6
    street, inside = traced(site, Storm(0, (rate_mm_h,) * 24), 120)
    assert street.max() < 0.05
    assert inside.max() == 0.0


def test_pump_starts_and_stops_at_its_depths_and_stands_still_without_power() -> None:
    pump = {"id": "p1", "capacity_m3_s": 0.2, "on_depth_m": 0.3, "off_depth_m": 0.1}
    site = a_site(1, storage=FLAT, catchment_m2=30_000.0, pumps=[pump])
    depths: dict[bool, list[float]] = {True: [], False: []}
    for power in (True, False):
        changes: list[tuple[float, bool]] = []
        with swmm_run(site, HARD, START, 600) as run:
            for _ in minutes_of(run, 600):
                depth_m = float(run.inside_depth_m[0])
                changes += [(depth_m, on) for on in run.switch_pumps(np.array([power])).values()]
                depths[power].append(depth_m)
        if not power:
            assert changes == []
            continue
        (start_m, started), (stop_m, stopped) = changes
        assert (started, stopped) == (True, False)
        assert start_m >= 0.3  # on_depth_m
        assert 0.1 - 0.2 * 60 / 2000 <= stop_m <= 0.1  # off_depth_m, to within one minute of pumping
    assert depths[True][-1] < depths[False][-1]


@pytest.mark.parametrize("name", ["shenzhen-2023-09-07", "shenzhen-2023-09-07-envelope"])
def test_water_is_conserved_on_the_sample_district(name: str) -> None:
    scenario = load_scenario(name)
    with swmm_run(load_site(sample_site_path()), scenario.rain(), START, scenario.minutes) as run:
        for _ in minutes_of(run, scenario.minutes):
            run.switch_pumps(np.ones(40, dtype=np.bool_))
    assert isinstance(run.continuity, Continuity)
    assert abs(run.continuity.runoff_percent) < 1.0
    assert abs(run.continuity.routing_percent) < 1.0


def test_levels_over_datum_are_roadway_and_floor_where_dry() -> None:
    with swmm_run(a_site(2), Storm(0, ()), START, 5) as run:
        for _ in minutes_of(run, 5):
            assert run.street_level_m.tolist() == [5.0, 5.0]
            assert run.inside_level_m.tolist() == [2.0, 2.0]


def test_no_file_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    run: SwmmRun
    with swmm_run(a_site(1), Storm(0, ()), START, 2) as run:
        run.advance()
        assert list(tmp_path.iterdir())
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RuntimeError, match="planned"), swmm_run(a_site(1), Storm(0, ()), START, 2):
        raise RuntimeError("planned")
    assert list(tmp_path.iterdir()) == []


def test_harder_rain_never_means_less_water() -> None:
    site = a_site(6)
    peaks = []
    for years in (2, 10, 50):
        with swmm_run(site, chicago_storm(years, 120), START, 240) as run:
            peak = np.zeros(6)
            for _ in minutes_of(run, 240):
                peak = np.maximum(peak, run.street_depth_m)
        peaks.append(peak)
    assert (peaks[0] < peaks[1]).all()
    assert (peaks[1] < peaks[2]).all()


def test_time_is_an_argument() -> None:
    """The same run on another date gives the same water."""
    later = START.replace(year=2031)
    site = a_site(1, catchment_m2=30_000.0)
    runs = []
    for start in (START, later):
        with swmm_run(site, HARD, start, 40) as run:
            runs.append([float(run.street_depth_m[0]) for _ in minutes_of(run, 40)])
    assert runs[0] == pytest.approx(runs[1], abs=1e-6)
