"""The kernel against a balance written out plainly: one member at a time, the formulas of `risk.hydraulics`."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.hydraulics.weir import entrance_inflow_m3_s
from risk.nowcast.balance import run_balance
from risk.nowcast.block import Likeness, block_of
from risk.nowcast.ensemble import nowcast
from risk.nowcast.layout import Layout, Now
from risk.nowcast.members import EFFECTIVE_MIN, MIDDLE_MIN, OUTSIDE_PATHS, STEPS
from tests.unit.risk_nowcast.spaces import garages, street


def drawn(seed: int, spaces: int) -> tuple[Layout, Now]:
    """Spaces of one to three entrances and up to two pumps, some barriers closed, some streets falling."""
    rng = np.random.default_rng(seed)
    count = rng.integers(1, 4, spaces)
    size, area = int(count.sum()), rng.uniform(200.0, 3000.0, spaces)
    has_barrier = rng.random(size) < 0.7
    layout = Layout(
        target_m3=np.stack([area * 0.05, area * 0.3]),
        pump_m3_s=rng.uniform(0.0, 0.05, (spaces, 2)) * (rng.random((spaces, 2)) < 0.6),
        pump_on_m3=np.tile(area[:, None] * 0.1, 2),
        pump_off_m3=np.tile(area[:, None] * 0.05, 2),
        ramp_m2=np.where(rng.random(spaces) < 0.3, 200.0, 0.0),
        space=np.repeat(np.arange(spaces), count),
        width_m=rng.uniform(1.0, 8.0, size),
        crest_m=12.0 + rng.uniform(0.0, 0.4, size),
        barrier_height_m=np.where(has_barrier, 0.6, 0.0),
        leakage_m3_h_m2=np.full(size, 0.05),
        deploy_min=np.where(has_barrier, 5.0, np.nan),
        barrier_raises_m=np.where(has_barrier, 0.6, 0.0),
        target_level_m=np.full((2, size), np.inf),
    )
    now = Now(
        volume_m3=area * rng.uniform(0.0, 0.1, spaces) * (rng.random(spaces) < 0.5),
        rain_mm_h=rng.uniform(0.0, 80.0, spaces),
        pump_running=rng.random((spaces, 2)) < 0.3,
        pump_powered=rng.random((spaces, 2)) < 0.8,
        outside_m=12.0 + rng.uniform(-0.2, 0.6, size),
        rise_m_min=np.where(rng.random(size) < 0.4, -0.01, rng.uniform(0.0, 0.03, size)),
        closed=has_barrier & (rng.random(size) < 0.3),
        unseen_m3_min=np.where(rng.random(spaces) < 0.3, rng.uniform(0.0, 5.0, spaces), 0.0),
    )
    return layout, now


def crossing_min(layout: Layout, now: Now, space: int, path: int, *, hold: bool, run: bool) -> list[float]:
    """Step one member of one space by the formulas, and say when each target is reached."""
    rows = np.flatnonzero(layout.space == space)
    volume, running = float(now.volume_m3[space]), now.pump_running[space].copy()
    usable = now.pump_powered[space] & run
    rain = now.rain_mm_h[space] / 3.6e6 * layout.ramp_m2[space] * OUTSIDE_PATHS[path].rain_persistence
    minutes = [0.0 if volume >= target else np.inf for target in layout.target_m3[:, space]]
    for step in range(STEPS):
        rise = MIDDLE_MIN[step, path] * np.maximum(now.rise_m_min[rows], 0.0)
        flow = entrance_inflow_m3_s(
            layout.width_m[rows],
            now.outside_m[rows] + rise - layout.crest_m[rows],
            layout.barrier_height_m[rows],
            now.closed[rows] & hold,
            layout.leakage_m3_h_m2[rows],
        )
        running = (volume >= layout.pump_on_m3[space]) | (running & (volume > layout.pump_off_m3[space]))
        pumped = float((layout.pump_m3_s[space] * (running & usable)).sum())
        unseen = float(now.unseen_m3_min[space]) * (EFFECTIVE_MIN[step + 1, path] - EFFECTIVE_MIN[step, path])
        after = max(volume + (float(flow.sum()) + float(rain) - pumped) * 60.0 + unseen, 0.0)
        for k, target in enumerate(layout.target_m3[:, space]):
            if np.isinf(minutes[k]) and after >= target:
                minutes[k] = step + (target - volume) / (after - volume)
        volume = after
    return minutes


@pytest.mark.parametrize("seed", range(12))
def test_every_member_is_the_balance_of_the_formulas(seed: int) -> None:
    layout, now = drawn(seed, 3)
    found = nowcast(layout, now).member_min
    for space in range(3):
        for path in (0, 6, 15):
            for hold, run in ((True, True), (True, False), (False, True), (False, False)):
                expected = crossing_min(layout, now, space, path, hold=hold, run=run)
                got = found[:, path, int(not hold), int(not run), space]
                np.testing.assert_allclose(got, expected, atol=0.02)


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1))
def test_members_that_are_run_once_are_alike(seed: int) -> None:
    """A space alone runs only members that differ; among others it runs all of them, with the same numbers."""
    layout, now = drawn(seed, 12)
    whole = nowcast(layout, now)
    for space in range(0, 12, 5):
        mine = layout.space == space
        alone = nowcast(*one_space(layout, now, space, mine))
        assert alone.member_min[..., 0].tolist() == whole.member_min[..., space].tolist()
        assert alone.likely_min[:, 0].tolist() == whole.likely_min[:, space].tolist()


def one_space(layout: Layout, now: Now, space: int, mine: np.ndarray) -> tuple[Layout, Now]:
    """Cut one space out."""
    by_space = {
        "volume_m3",
        "rain_mm_h",
        "pump_running",
        "pump_powered",
        "pump_m3_s",
        "pump_on_m3",
        "pump_off_m3",
        "ramp_m2",
        "unseen_m3_min",
    }

    def cut(name: str, values: np.ndarray) -> np.ndarray:
        if name == "target_m3":
            return values[:, space : space + 1]
        if name == "target_level_m":
            return values[:, mine]
        return values[space : space + 1] if name in by_space else values[mine]

    layouts = {name: cut(name, getattr(layout, name)) for name in Layout.__slots__}
    layouts["space"] = np.zeros(int(mine.sum()), np.int64)
    return Layout(**layouts), Now(**{name: cut(name, getattr(now, name)) for name in Now.__slots__})


def test_water_is_neither_made_nor_lost() -> None:
    """Without pumps all that came in is inside at the end: start and inflow add up, member by member."""
    layout, now = drawn(11, 200)
    layout.pump_m3_s[:] = 0.0
    block = block_of(layout, now, np.arange(200), Likeness.of(layout, now))
    run = run_balance(block)
    for space in range(0, 200, 7):
        rows = np.flatnonzero(layout.space == space)
        for path in (0, 9, 15):
            rise = MIDDLE_MIN[:, path, None] * np.maximum(now.rise_m_min[rows], 0.0)
            head = now.outside_m[rows] + rise - layout.crest_m[rows]
            came = entrance_inflow_m3_s(
                layout.width_m[rows],
                head,
                layout.barrier_height_m[rows],
                now.closed[rows],
                layout.leakage_m3_h_m2[rows],
            ).sum()
            fell = now.rain_mm_h[space] / 3.6e6 * layout.ramp_m2[space] * OUTSIDE_PATHS[path].rain_persistence * STEPS
            unseen = now.unseen_m3_min[space] * EFFECTIVE_MIN[-1, path]
            expected = now.volume_m3[space] + (came + fell) * 60.0 + unseen
            np.testing.assert_allclose(run.volume_m3[-1, path, 0, -1, space], expected, rtol=1e-5, atol=1e-3)


def test_what_pumps_lift_is_what_is_missing_inside() -> None:
    """Rain in, a running pump out: a target is reached when start, inflow and what was lifted add up to it.

    By hand: 100 m³, 7.2 m³/min in, 0.05 m³/s = 3 m³/min out: 300 m³ after 200 / 4.2 = 47.6 min; with no pump 27.8 min.
    """
    layout, size = garages(40, pump_m3_s=0.05), 40
    rng = np.random.default_rng(3)
    start_m3, in_m3_min = rng.uniform(60.0, 250.0, size), rng.uniform(0.0, 20.0, size)
    start_m3[0], in_m3_min[0] = 100.0, 7.2
    layout.ramp_m2[:] = 60_000.0  # 1 mm/h is 1 m³/min
    now = street(layout, -1.0)
    now.volume_m3[:], now.rain_mm_h[:], now.pump_running[:] = start_m3, in_m3_min, True
    minutes = run_balance(block_of(layout, now, np.arange(size), Likeness.of(layout, now))).minutes
    for path, of in enumerate(OUTSIDE_PATHS):
        for pumps, out_m3_min in enumerate((3.0, 0.0)):
            net = of.rain_persistence * in_m3_min - out_m3_min
            missing = layout.target_m3 - start_m3
            expected = np.divide(missing, net, out=np.full(missing.shape, np.inf), where=net > 0.0)
            clear = np.abs(expected - STEPS) > 0.1
            got = minutes[:, path, 0, pumps]
            np.testing.assert_allclose(got[clear], np.where(expected > STEPS, np.inf, expected)[clear], rtol=1e-3)
    whole = [path for path, of in enumerate(OUTSIDE_PATHS) if of.rain_persistence == 1.0]
    assert minutes[0, whole[0], 0, :, 0] == pytest.approx([47.62, 27.78], abs=0.05)
