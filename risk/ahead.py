"""What lies ahead of every wet space, from the ensemble of `risk.nowcast`, made beside the safety tick.

A nowcast is asked of the memory after one tick (`risk.ahead_asked`), worked out (`answered`) while later ticks are
taken, and given to a later one, which keeps it in the memory (`taken`). Its ``nowcast_id`` names the tick whose memory
it was made from. Nothing but that memory goes into it, no chance and no clock, so whoever folds the log again makes the
same nowcast and gives it to the same tick (docs/decisions/0018).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from risk.arrays import NEVER_US, BoolArray, FloatArray, IntArray, iso
from risk.nowcast.calibration import Around, calibrated
from risk.nowcast.ensemble import nowcast
from risk.nowcast.layout import Layout, Now
from risk.past.ask import ByPast, by_past
from risk.past.foreseen import PastAsked
from risk.state import EngineState
from risk.thresholds import ORANGE, RED

TARGETS = (int(ORANGE), int(RED))
NAMES = ("orange", "red")


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What an ensemble is asked: the wet spaces as the memory after a tick has them.

    ``valid_from_us``: since when its thresholds hold. [µs since 1970] ``around``: what its shares are weighed with.
    ``unsure``, shape (spaces, 2): stands at orange, at red, only because a barrier that is not heard counts as open.
    ``past``: what a library of floods is asked, empty without one; ``kept``: what it said last of spaces whose sensor
    is silent or doubted since.
    """

    nowcast_id: int
    site_commit_seq: int
    valid_from_us: int
    made_us: int
    spaces: IntArray
    layout: Layout
    now: Now
    around: Around
    unsure: BoolArray
    past: tuple[PastAsked, ...]
    kept: ByPast


@dataclass(frozen=True, slots=True, eq=False)
class Nowcast:
    """What an ensemble answered, for the spaces that were asked about; nothing lies ahead of the others.

    Attributes
    ----------
    times_min : ndarray, shape (spaces, 2, 3)
        Earliest, likely and latest time to orange and to red; infinite for not within the hour, NaN for unknown. [min]
    probability : ndarray, shape (spaces, 2, 3)
        That it is reached within 15, 30 and 60 minutes, calibrated (`risk.nowcast.calibration`); 1 where it stands
        already, NaN where it does so only by a barrier that is not heard: open, it stands; closed, it may never come.
    members : ndarray, shape (spaces, 2, 3)
        Share of the members in which it is.
    order_min : ndarray, shape (spaces, 2)
        Last minutes of the order, before orange and before red, see `risk.nowcast.deadline`. [min]
    floods : ndarray, shape (spaces,)
        Past floods behind times and probabilities; 0 where the ensemble made them.
    """

    nowcast_id: int
    site_commit_seq: int
    valid_from_us: int
    made_us: int
    spaces: IntArray
    times_min: FloatArray
    probability: FloatArray
    members: FloatArray
    order_min: FloatArray
    floods: IntArray


def there_already(layout: Layout, now: Now) -> BoolArray:
    """Tell which spaces stand at each target, inside or outside, shape (S, 2); what is not known stands at none."""
    stands = now.volume_m3 >= layout.target_m3
    over = layout.target_level_m <= now.outside_m
    for target in range(2):
        stands[target, layout.space[over[target]]] = True
    return np.asarray(stands.T)


def answered(question: Question) -> Nowcast:
    """Run the ensemble; the same question has the same answer, whoever asks and whenever."""
    size = question.spaces.size
    times, members, order = np.zeros((size, 2, 3)), np.zeros((size, 2, 3)), np.zeros((size, 2))
    floods = np.zeros(size, np.int64)
    probability = members
    if size:
        result = nowcast(question.layout, question.now)
        times = np.stack((result.earliest_min, result.likely_min, result.latest_min), axis=-1).swapaxes(0, 1)
        members = result.probability.transpose(2, 1, 0)
        probability = calibrated(members, question.around)
        for found in map(by_past, question.past):
            not_yet = times[found.place] > 0.0
            times[found.place] = np.where(not_yet, found.times_min, times[found.place])
            probability[found.place], members[found.place] = found.probability, found.members
            floods[found.place] = found.floods
        kept, at = question.kept, question.kept.place
        times[at] = np.fmin(times[at], kept.times_min)
        probability[at], members[at] = np.fmax(probability[at], kept.probability), kept.members
        floods[at] = kept.floods
        there = there_already(question.layout, question.now)
        times[there] = 0.0
        probability[times[:, :, 2] <= 0.0] = 1.0  # it is there already
        probability[question.unsure] = np.nan
        order = result.last_order_min.T
    names = question.nowcast_id, question.site_commit_seq, question.valid_from_us, question.made_us
    return Nowcast(*names, question.spaces, times, probability, members, order, floods)


def taken(state: EngineState, found: Nowcast) -> None:
    """Keep a nowcast in the memory until the next; one of another version of the site is not for this one."""
    if found.site_commit_seq != state.site_commit_seq:
        return
    state.nowcast_id = found.nowcast_id
    state.ahead_us[:] = NEVER_US
    state.ahead_us[found.spaces] = found.made_us
    state.ahead_min[found.spaces] = found.times_min
    state.ahead_p[found.spaces] = found.probability
    state.ahead_members[found.spaces] = found.members
    state.ahead_order_min[found.spaces] = found.order_min
    state.ahead_floods[found.spaces] = found.floods


def shown(state: EngineState, space: int) -> dict[str, Any] | None:
    """Return what the nowcast in the memory says of a space, None where it was not asked."""
    if state.ahead_us[space] == NEVER_US:
        return None
    told: dict[str, Any] = {"nowcast_id": state.nowcast_id, "made_at": iso(int(state.ahead_us[space]))}
    for row, name in enumerate(NAMES):
        earliest, likely, latest = (_minutes(value) for value in state.ahead_min[space, row].tolist())
        within, members = (
            [None if np.isnan(p) else round(p, 3) for p in shares[space, row].tolist()]
            for shares in (state.ahead_p, state.ahead_members)
        )
        told[name] = {
            "earliest_min": earliest, "likely_min": likely, "latest_min": latest,
            "within_15": within[0], "within_30": within[1], "within_60": within[2],
            "members_15": members[0], "members_30": members[1], "members_60": members[2],
        }  # fmt: skip
    for order, name in zip(state.ahead_order_min[space].tolist(), ("", "_red"), strict=True):
        told[f"last_order{name}_min"] = _minutes(order)
        finite = "by" if np.isfinite(order) else "too_late" if order < 0 else "not_needed"
        told[f"order{name}"] = "none" if np.isnan(order) else finite
    if state.ahead_floods[space]:
        told["past_floods"] = int(state.ahead_floods[space])
    return told


def _minutes(value: float) -> float | None:
    """Return minutes to one decimal; None for not within the hour, or not known."""
    return round(value + 0.0, 1) if np.isfinite(value) else None
