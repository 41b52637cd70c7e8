"""The nowcast beside the tick: it never makes an alarm later or lower, and a log folded again says the same."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from risk.ahead import Nowcast, answered
from risk.engine import Engine, plant_of, question, tick, with_past
from risk.forecast import TimeToThreshold
from risk.past.inforce import Past
from risk.rules_forecast import with_ensemble
from risk.snapshot import dump_state, load_state
from tests.property.test_engine import GATE, IN, OUT, RAIN, UP, log_of
from tests.unit.risk.builders import START, Crank, gauge, guarded, site, underpass
from tests.unit.risk_past.kit import library
from undercroft.site.model import Site

feed = st.lists(
    st.lists(
        st.tuples(
            st.sampled_from([UP, OUT, OUT, IN, GATE, RAIN, "s-in:pump_running"]),
            st.sampled_from([0.0, 0.02, 0.04, 0.1, 0.16, 0.22, 0.28, 0.33, 0.36, 0.5, 3.0]),
            st.sampled_from([1, 1, 1, 1, 2, 3, 4, 9]),
        ),
        max_size=6,
    ),
    min_size=4,
    max_size=25,
)
"""Per minute: readings as (key, value, quality)."""


PAST = Past(1, library([0.11, 0.40] * 15))
"""A library that knows the underpass."""


def taken_at(engine: Engine, minute: int, taken: int) -> Engine:
    """Take the library into use at a minute, and out of it ten minutes on, as acts at their ticks do."""
    if minute == taken:
        return with_past(engine, PAST)
    return with_past(engine, None) if minute == taken + 10 else engine


def a_site() -> Site:
    return site(underpass(), guarded("s", "car_park", pump=True), guarded("met", "metro_entrance"))


@settings(max_examples=30)
@given(ticks=feed)
def test_no_alarm_comes_later_or_lower_because_of_the_nowcast(ticks: list[list[Any]]) -> None:
    plain, with_it = Crank(a_site(), nowcast=False), Crank(a_site())
    for minute, entries in enumerate(ticks):
        readings = [(key, minute, value, quality) for key, value, quality in entries]
        for crank in (plain, with_it):
            crank.tick(minute, *readings)
        assert (with_it.engine.state.alarm_severity >= plain.engine.state.alarm_severity).all()
        assert (with_it.engine.state.alarm_peak >= plain.engine.state.alarm_peak).all()


def lagging(
    ticks: list[list[Any]], lags: list[int], snapshot_at: int, taken: int
) -> tuple[bytes, bytes, list[int | None]]:
    """Take ticks live: each nowcast comes some ticks after it was asked for. Return log, a snapshot, what was used."""
    crank = Crank(a_site(), nowcast=False)
    on_its_way: tuple[int, Nowcast] | None = None
    asked, kept = 0, b""
    for minute, entries in enumerate(ticks):
        inputs = crank.inputs(minute, [(key, minute, value, quality) for key, value, quality in entries])
        if on_its_way is not None and minute >= on_its_way[0]:
            inputs, on_its_way = with_nowcast(inputs, on_its_way[1]), None
        crank.engine = taken_at(crank.engine, minute, taken)
        crank.engine, output = tick(crank.engine, inputs)
        crank.outputs.append(output)
        if on_its_way is None:
            if minute <= snapshot_at:
                kept = dump_state(crank.engine.state, crank.engine.plant.arrays)
            on_its_way = (minute + lags[asked % len(lags)], answered(question(crank.engine)))
            asked += 1
    return log_of(crank.outputs), kept, [output.nowcast_id for output in crank.outputs]


def with_nowcast(inputs: Any, found: Nowcast) -> Any:
    values = {name: getattr(inputs, name) for name in type(inputs).__slots__}
    return type(inputs)(**(values | {"nowcast": found}))


def folded_again(ticks: list[list[Any]], snapshot: bytes, used: list[int | None], taken: int) -> tuple[int, bytes]:
    """Go on from a snapshot as the log says: what a tick used is made from the memory after the tick it names."""
    crank = Crank(a_site(), nowcast=False)
    crank.engine = Engine(load_state(snapshot, crank.engine.plant.arrays), plant_of(a_site(), START))
    if crank.engine.state.library:
        crank.engine = with_past(crank.engine, PAST)
    first = crank.engine.state.tick_seq
    questions = {first: question(crank.engine)}
    crank.outputs = [None] * first  # type: ignore[list-item]
    for minute in range(first, len(ticks)):
        inputs = crank.inputs(minute, [(key, minute, value, quality) for key, value, quality in ticks[minute]])
        named = used[minute]
        if named is not None and named != crank.engine.state.nowcast_id:
            inputs = with_nowcast(inputs, answered(questions[named]))
        crank.engine = taken_at(crank.engine, minute, taken)
        crank.engine, output = tick(crank.engine, inputs)
        crank.outputs.append(output)
        questions[output.tick_seq] = question(crank.engine)
    return first, log_of(crank.outputs[first:])


@settings(max_examples=20)
@given(
    ticks=feed,
    lags=st.lists(st.integers(1, 4), min_size=1, max_size=5),
    at=st.integers(0, 24),
    taken=st.sampled_from([0, 3, 10, 99]),
)
def test_a_log_folded_again_from_any_snapshot_says_the_same(
    ticks: list[list[Any]], lags: list[int], at: int, taken: int
) -> None:
    log, snapshot, used = lagging(ticks, lags, at, taken)
    first, again = folded_again(ticks, snapshot, used, taken)
    assert log.split(b"\n")[first:] == (again.split(b"\n") if first < len(ticks) else [])
    assert used == sorted(used, key=lambda value: value or 0)
    assert np.isin([value for value in used if value], np.arange(1, len(ticks) + 1)).all()


minutes = st.lists(st.sampled_from([0.5, 3.0, 20.0, 59.0, np.inf, np.nan]), min_size=3, max_size=3)


@given(orange=minutes, red=minutes, ahead_orange=minutes, ahead_red=minutes)
def test_the_nowcast_only_ever_brings_a_time_forward(
    orange: list[float], red: list[float], ahead_orange: list[float], ahead_red: list[float]
) -> None:
    """Told apart from the rules, where a later time seldom changes an alarm: NaN is never, and never stays or comes."""
    engine = Engine.start(a_site(), 1, START)
    state, arrays = engine.state, engine.plant.arrays
    state.ahead_us[:] = state.ahead_min[:] = 1
    state.ahead_min[:, 0, 1], state.ahead_min[:, 1, 1] = ahead_orange, ahead_red
    simple = TimeToThreshold(np.array(orange), np.array(red))
    depth, rows = np.full(arrays.l_sensor.size, 0.05), np.arange(arrays.l_sensor.size)
    found, _, _ = with_ensemble(state, arrays, simple, (depth, np.full((4, depth.size), 1.0), rows))
    for before, after in ((simple.orange_min, found.orange_min), (simple.red_min, found.red_min)):
        assert (np.nan_to_num(after, nan=1e9) <= np.nan_to_num(before, nan=1e9)).all()


def in_rain(first: float, second: float, rise_m_min: float, silent: set[str]) -> tuple[np.ndarray, list[int]]:
    """Rain at two gauges that grows so much a minute; then no gauge speaks, and some are said to be offline.

    Returns what the nowcast then says, and the levels, of the two minutes after.
    """
    crank = Crank(site(*[guarded("s", "car_park", barrier=None)], gauges=[gauge("rain-1"), gauge("rain-2")]))
    total = {"rain-1": 0.0, "rain-2": 0.0}
    said: list[np.ndarray] = []
    levels = []
    for minute in range(41):
        readings: list[Any] = [(OUT, minute, max(0, minute - 20) * rise_m_min), (IN, minute, 0.0)]
        for name, grows in (("rain-1", first), ("rain-2", second)):
            total[name] += 0.06 * grows**minute
            if minute < 38:
                readings.append((f"{name}:rain_total_mm", minute, total[name]))
            elif minute == 38 and name in silent:
                readings.append((f"{name}:online", minute, 0.0))
        crank.tick(minute, *readings)
        if minute > 38:
            said.append(crank.engine.state.ahead_p[0].copy())
            levels.append(crank.levels["s"])
    return np.stack(said), levels


@settings(max_examples=6, deadline=None)
@given(
    first=st.sampled_from([0.93, 1.0, 1.07, 1.12]), second=st.sampled_from([0.9, 1.0, 1.1]),
    rise=st.sampled_from([0.002, 0.006, 0.012]), silent=st.sets(st.sampled_from(["rain-1", "rain-2"]), min_size=1),
)  # fmt: skip
@example(first=1.07, second=0.9, rise=0.006, silent={"rain-1"})
@example(first=1.07, second=1.0, rise=0.006, silent={"rain-1", "rain-2"})
def test_gauges_that_go_offline_in_rain_make_nothing_less_likely(
    first: float, second: float, rise: float, silent: set[str]
) -> None:
    plain, plain_levels = in_rain(first, second, rise, set())
    found, levels = in_rain(first, second, rise, silent)
    assert (found >= plain - 1e-12).all()
    assert all(b >= a for a, b in zip(plain_levels, levels, strict=True))
