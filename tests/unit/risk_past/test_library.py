"""What is kept of past floods: the same document for the same floods, of bounded size, and none that still runs."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from risk.arrays import NEVER_US
from risk.engine import Engine
from risk.nowcast.analogues import RAIN_TUNING, TIDE_TUNING, kept_samples
from risk.past.inforce import has_moment
from risk.past.library import (
    FLOODS_OF_SENSOR,
    SAMPLES,
    PastFlood,
    PastSensor,
    document,
    library_of,
    read_document,
    sha256_of,
    track_of,
)  # fmt: skip
from risk.past.spells import BEFORE_US, GAP_US, finished_floods
from tests.unit.risk.builders import START, Crank, site, underpass
from tests.unit.risk_past.kit import SENSOR, days_before, flood, library, rises

MINUTE_US = 60_000_000


def test_the_document_is_the_same_whatever_order_floods_come_in_and_is_read_back_whole() -> None:
    floods = [flood(days_before(9), rises(0.2)), flood(days_before(3), rises(0.1)), flood(days_before(3), [0.1], "b")]
    sensors = [PastSensor("b", math.nan, math.nan, tidal=True), PastSensor(SENSOR, 1.5, -2.25, tidal=False)]
    one, other = library_of(sensors, floods), library_of(sensors[::-1], floods[::-1])
    assert document(one) == document(other)
    again = read_document(document(one))
    assert again.floods == one.floods
    assert sha256_of(document(again)) == sha256_of(document(one))
    assert [sensor.tidal for sensor in again.sensors] == [True, False]
    assert math.isnan(again.sensors[0].x_km)


def test_only_the_newest_floods_are_kept_and_a_long_one_is_thinned_but_keeps_its_peak() -> None:
    many = [flood(days_before(k), rises(0.1)) for k in range(FLOODS_OF_SENSOR + 10, 0, -1)]
    kept = library_of([PastSensor(SENSOR, 0.0, 0.0, tidal=False)], many).floods
    assert len(kept) == FLOODS_OF_SENSOR
    assert kept == tuple(many[-FLOODS_OF_SENSOR:])
    depths = [0.02] * 2000
    depths[777] = 0.9
    (long,) = library_of([PastSensor(SENSOR, 0.0, 0.0, tidal=False)], [flood(days_before(1), depths)]).floods
    assert len(long.time_s) <= SAMPLES
    assert max(long.depth_mm) == 900
    assert long.time_s[-1] == 60 * 1999
    assert library(peaks_m=[0.1], sensor="x").floods[0].sensor == "x"


def samples(depths_m: list[float]) -> list[tuple[int, float]]:
    return [(k * MINUTE_US, depth) for k, depth in enumerate(depths_m)]


def test_a_flood_that_still_runs_and_readings_from_later_are_not_there() -> None:
    """Up to minute 20 and dry from 21: it has ended once half an hour has passed since its last centimetre."""
    readings = samples([0.0, *[0.01 * k for k in range(1, 21)], *([0.0] * 60)])
    ended = 20 * MINUTE_US + GAP_US
    (found,) = finished_floods("s", readings, ended)
    assert (found.started_us, found.time_s[-1], max(found.depth_mm)) == (0, 21 * 60, 200)
    assert list(finished_floods("s", readings, ended - MINUTE_US)) == []
    later = [*readings, (81 * MINUTE_US, 5.0), (82 * MINUTE_US, 5.0)]
    assert list(finished_floods("s", later, ended)) == [found]
    assert list(finished_floods("s", samples([0.0, 0.015, 0.015, 0.015, *([0.0] * 60)]), 10**12)) == []


def test_a_flood_begins_at_a_dry_reading_only_if_that_is_close() -> None:
    late = [(-BEFORE_US - 1, 0.0), *samples([0.05, 0.06, 0.07, 0.06, *([0.0] * 40)])]
    (found,) = finished_floods("s", late, 40 * MINUTE_US)
    assert found.started_us == 0


@given(
    depths=st.lists(st.sampled_from([0.0, 0.004, 0.01, 0.03, 0.2]), min_size=1, max_size=40),
    gaps=st.lists(st.sampled_from([1, 1, 2, 11, 31]), min_size=40, max_size=40),
)
def test_the_memory_of_the_engine_and_stored_readings_cut_floods_alike(depths: list[float], gaps: list[int]) -> None:
    """What runs in memory after the last reading is what is not finished then; what was finished began before it."""
    crank = Crank(site(underpass()), nowcast=False)
    minute, readings = 0, []
    for depth, gap in zip(depths, gaps, strict=False):
        minute += gap
        crank.tick(minute, (SENSOR, minute, depth))
        readings.append((minute * MINUTE_US, depth))
    spell_us, peak_m = _spell(crank.engine)
    floods = list(finished_floods(SENSOR, readings, readings[-1][0]))
    if spell_us is None:
        assert all(depth < 0.01 for depth in depths) or readings[-1][1] < 0.01
        assert peak_m == 0.0
    else:
        start = spell_us - int(START.timestamp() * 1e6)
        assert all(one.ended_us <= start + BEFORE_US for one in floods if one.started_us != start)
        assert peak_m == max(depth for at, depth in readings if at >= start)


def _spell(engine: Engine) -> tuple[int | None, float]:
    state = engine.state
    level = int(engine.plant.arrays.s_slot[engine.plant.arrays.sensor_index[SENSOR]])
    start = int(state.spell_us[level])
    return (None if start == NEVER_US else start), float(state.spell_peak_m[level])


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 30)), min_size=1, max_size=8), st.booleans())
def test_a_flood_has_a_moment_where_one_of_its_samples_would_be_kept(steps: list[tuple[int, int]], tidal: bool) -> None:
    at_s = [sum(step for step, _ in steps[: k + 1]) for k in range(len(steps))]
    one = PastFlood(SENSOR, 0, tuple(at_s), tuple(depth for _, depth in steps))
    track = track_of(one, PastSensor(SENSOR, 0.0, 0.0, tidal=tidal))
    kept = kept_samples(track, TIDE_TUNING if tidal else RAIN_TUNING)
    assert has_moment(one, tidal=tidal) == (kept.size > 0)
