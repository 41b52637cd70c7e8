"""Nowcast of the inside of every space: an ensemble of water balances, minute by minute.

Everything is counted in volume, so no water is made or lost: thresholds and pump switches are volumes too, taken once
from the storage curve. Submergence is left out: the inside is taken to stay below the crest, which errs early.

Members that cannot differ are run once: all paths where no level rises and no rain runs in, barriers that hold and that
fail where none is closed, pumps that run and that fail where none has power. Their shares are added.
"""

from __future__ import annotations

import numpy as np

from risk.hydraulics.arrays import BoolArray
from risk.nowcast.balance import run_balance
from risk.nowcast.block import Block, Likeness, block_of
from risk.nowcast.crossing import reached_min
from risk.nowcast.deadline import last_orders_min, no_later_than
from risk.nowcast.layout import IntArray, Layout, Now
from risk.nowcast.members import EFFECTIVE_MIN
from risk.nowcast.summary import NowcastResult, dry, summarise

SPACES_AT_A_TIME = 256
"""So that one step of a block stays in the cache."""


def nowcast(layout: Layout, now: Now) -> NowcastResult:
    """Return times and probabilities of every space; dry spaces that stay dry are not run.

    Examples
    --------
    See ``tests/unit/risk_nowcast/test_ensemble.py``: 2000 m², a 6 m ramp, 0.20 m over the crest and steady: 0.15 m
    inside in 5.5 min, as in ``docs/hydraulics.md``.
    """
    result = dry(layout.target_m3.shape[0], layout.target_m3.shape[1])
    wet = np.flatnonzero(_may_get_wet(layout, now))
    likeness = Likeness.of(layout, now)
    wet = wet[np.argsort(likeness.rank[wet], kind="stable")]
    for start in range(0, wet.size, SPACES_AT_A_TIME):
        chosen = wet[start : start + SPACES_AT_A_TIME]
        _run_block(block_of(layout, now, chosen, likeness), chosen, result)
    return result


def _may_get_wet(layout: Layout, now: Now) -> BoolArray:
    """Tell where water is inside, comes in or reaches an outside threshold on any path, or evidence is missing."""
    highest = now.outside_m + EFFECTIVE_MIN[-1].max() * np.maximum(now.rise_m_min, 0.0)
    least = np.minimum(layout.crest_m, layout.target_level_m.min(axis=0))
    entrance_dry = (highest <= least) & (highest < least + 1.0)
    touched = np.bincount(layout.space, ~entrance_dry, minlength=now.volume_m3.size) > 0
    rain_in = now.rain_mm_h * layout.ramp_m2
    comes_in = ~(rain_in <= 0.0) | ~(now.unseen_m3_min <= 0.0)
    return np.asarray(touched | ~(now.volume_m3 <= 0.0) | comes_in, dtype=np.bool_)


def _run_block(block: Block, chosen: IntArray, result: NowcastResult) -> None:
    """Run the ensemble of some spaces and write it into the result."""
    shape = block.shape
    run = run_balance(block)
    minutes = run.minutes
    outside = np.full((minutes.shape[0], shape.paths, *block.head_m.shape), np.inf, np.float32)
    for k, level in enumerate(block.target_level_m):
        if np.isfinite(level).any():
            outside[k] = reached_min(level - block.outside_m, block.rise_m_min, shape.paths)
            reached = outside[k].min(axis=1).reshape(shape.paths, 1, 1, -1)
            np.minimum(minutes[k], reached, out=minutes[k])
    share = shape.shares()
    order, deploy = last_orders_min(block, run, minutes[:, :, 0, -1], outside)
    summarise(result, chosen, minutes, share, order, block.unknown)
    result.last_order_min[:, chosen] = no_later_than(
        result.last_order_min[:, chosen], deploy, result.earliest_min[:, chosen]
    )
