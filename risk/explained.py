"""A nowcast taken apart for one space: every member, what it rests on, and what each assumption does to the times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from risk.ahead import NAMES, Nowcast, Question, answered
from risk.arrays import FloatArray, SiteArrays, iso
from risk.engine import Engine
from risk.nowcast.calibration import TERMS, contributions
from risk.nowcast.ensemble import nowcast
from risk.nowcast.members import OUTSIDE_PATHS, SHARES
from risk.nowcast.summary import LIKELY, WITHIN_MIN, weighted_quantiles
from risk.past.foreseen import PastAsked, members_of
from risk.rules_barrier import outside_of

HOLDS = ("hold", "fail")
RUNS = ("run", "fail")


@dataclass(frozen=True, slots=True)
class Member:
    """One way in which it may go on, and when that brings the space to orange and red; None: not within the hour.

    Attributes
    ----------
    share : float
        How likely it is held, all members together 1.
    rain_persistence, rise_factor : float
        The rain goes on at this multiple, the street rises at this multiple of its recent rate.
    barriers, pumps : str
        Whether the closed barriers hold and the pumps run.
    """

    share: float
    rain_persistence: float
    rise_factor: float
    barriers: str
    pumps: str
    orange_min: float | None
    red_min: float | None


@dataclass(frozen=True, slots=True)
class Driver:
    """What one assumption does: over the members that make it, the likely times, and how many get there at all.

    A share of None: not known, since what a space would start from was never heard.
    """

    assumption: str
    value: str
    share: float
    orange_likely_min: float | None
    red_likely_min: float | None
    orange_within_60: float | None
    red_within_60: float | None


@dataclass(frozen=True, slots=True)
class Weighed:
    """How the share of the members became a probability; None: not known, or stands only by an unheard barrier.

    Attributes
    ----------
    members, probability : float
        Before and after.
    terms : dict
        What each term of the formula adds to the logit (docs/nowcast.md); what adds nothing is left out.
    formula : str
        ``street``, ``inside`` where nothing measures outside, ``past`` where a library of past floods knows the sensor
        there, ``kept`` where its last answer stays, since the sensor is silent or doubted, or ``members`` where no
        gauge is heard and they say more.
    """

    severity: str
    within_min: float
    members: float | None
    probability: float | None
    terms: dict[str, float]
    formula: str


@dataclass(frozen=True, slots=True)
class Likeness:
    """A moment of a past flood that looked like this one: what it foresees in half an hour, and how much it counts."""

    sensor: str
    started_at: str
    minute: float
    weight: float
    foreseen_m: float


@dataclass(frozen=True, slots=True)
class Explained:
    """A nowcast of one space: what it was made from, its members, its drivers, and how the probabilities came.

    ``library, past``: version of the library of past floods and the moments in it that made times and probabilities,
    heaviest first; None and empty where the ensemble made them.
    ``known``: False where what the space would start from was never heard: then None means that a time is not known.
    """

    nowcast_id: int
    made_at: str
    space: str
    known: bool
    likely_min: dict[str, float | None]
    inputs: dict[str, Any]
    members: tuple[Member, ...]
    drivers: tuple[Driver, ...]
    weighed: tuple[Weighed, ...]
    library: int | None
    past: tuple[Likeness, ...]


def explained(engine: Engine, asked: Question, space_id: str) -> Explained | None:
    """Return a nowcast taken apart; None where the space was dry and nothing was asked of it."""
    arrays = engine.plant.arrays
    rows = np.flatnonzero(asked.spaces == arrays.space_index[space_id])
    if rows.size == 0:
        return None
    row = int(rows[0])
    result = nowcast(asked.layout, asked.now)
    minutes = np.asarray(result.member_min[..., row], np.float64)
    answer = answered(asked)
    known = not bool(np.isnan(minutes).any())
    likely = {name: _minutes(answer.times_min[row, place, 1]) for place, name in enumerate(NAMES)}
    members = tuple(
        Member(
            round(float(SHARES[place]), 6), OUTSIDE_PATHS[place[0]].rain_persistence,
            OUTSIDE_PATHS[place[0]].rise_factor, HOLDS[place[1]], RUNS[place[2]],
            _minutes(minutes[(0, *place)]), _minutes(minutes[(1, *place)]),
        )
        for place in product(*(range(size) for size in SHARES.shape))
    )  # fmt: skip
    return Explained(
        asked.nowcast_id, iso(asked.made_us) or "", space_id, known, likely,
        {**_inputs(engine, asked, row, arrays), "past_sample_age_s": _sample_age_s(asked, answer, row)}, members,
        tuple(_drivers(minutes)), tuple(_weighed(asked, answer, row)), *_past(asked, answer, row),
    )  # fmt: skip


def _sample_age_s(asked: Question, answer: Nowcast, row: int) -> float | None:
    """Return how old the sample is that past floods were set beside; None where none spoke. [s]"""
    place = _place_in_past(asked, answer, row)
    return None if place is None else round(float(place[0].since_us[place[1]]) / 1e6, 1)


def _place_in_past(asked: Question, answer: Nowcast, row: int) -> tuple[PastAsked, int] | None:
    """Return which question to a library made what is foreseen of a space, and its place in it; None for none.

    Raises
    ------
    ValueError
        If a library made the answer and was not asked.
    """
    if not answer.floods[row] or (asked.kept.place == row).any():
        return None
    for of in asked.past:
        for place in np.flatnonzero(of.place == row).tolist():
            return of, place
    raise ValueError("the floods behind a nowcast are not those of its question")


def _past(asked: Question, answer: Nowcast, row: int) -> tuple[int | None, tuple[Likeness, ...]]:
    """Return the library and the moments that made what is foreseen of a space."""
    place = _place_in_past(asked, answer, row)
    if place is None:
        return None, ()
    found = (
        Likeness(one.sensor, iso(one.started_us) or "", one.minute, one.weight, one.foreseen_m)
        for one in members_of(*place)
    )
    return place[0].version, tuple(found)


def _weighed(asked: Question, answer: Nowcast, row: int) -> Iterator[Weighed]:
    """Yield the probabilities of a space, each with what made it."""
    by_past, kept = bool(answer.floods[row]), bool((asked.kept.place == row).any())
    added = contributions(answer.members, asked.around)[row]
    inside, silent = bool(asked.around.by_inside[row]), bool(asked.around.no_gauge[row])
    for (k, name), (h, within_min) in product(enumerate(NAMES), enumerate(WITHIN_MIN)):
        members, probability = float(answer.members[row, k, h]), float(answer.probability[row, k, h])
        says_more = silent and not inside and probability == members
        formula = (
            "kept" if kept else "past" if by_past else "inside" if inside else "members" if says_more else "street"
        )
        told = {
            term: round(value, 2)
            for term, value in zip(TERMS, added[k, h].tolist(), strict=True)
            if np.isfinite(value) and round(value, 2) and not by_past
        }
        yield Weighed(name, within_min, _share(members), _share(probability), told, formula)


def _share(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 3)


def _minutes(value: float) -> float | None:
    return round(float(value), 1) if np.isfinite(value) else None


def _drivers(minutes: FloatArray) -> list[Driver]:
    """Return what each value of each assumption does. ``minutes`` has shape (2, paths, barriers, pumps)."""
    paths = np.array([(path.rain_persistence, path.rise_factor) for path in OUTSIDE_PATHS])
    shape = SHARES.shape
    cases: list[tuple[str, str, NDArray[np.bool_]]] = []
    for column, name in enumerate(("rain goes on at", "street rises at")):
        for value in np.unique(paths[:, column]).tolist():
            chosen = (paths[:, column] == value)[:, None, None]
            cases.append((name, f"{value:g} of its rate", np.broadcast_to(chosen, shape)))
    for axis, name, words in ((1, "closed barriers", HOLDS), (2, "pumps", RUNS)):
        for place, word in enumerate(words):
            index = [1, 1, 1]
            index[axis] = shape[axis]
            chosen = (np.arange(shape[axis]) == place).reshape(index)
            cases.append((name, word, np.broadcast_to(chosen, shape)))
    found = []
    for name, value, chosen in cases:
        share = SHARES[chosen]
        times = minutes[:, chosen]
        likely = [weighted_quantiles(one[:, None], share / share.sum(), (LIKELY,))[0][0] for one in times]
        within = [np.nan if np.isnan(one).any() else float(share[one <= 60.0].sum() / share.sum()) for one in times]
        found.append(
            Driver(
                name,
                value,
                round(float(share.sum()), 3),
                _minutes(likely[0]),
                _minutes(likely[1]),
                _share(within[0]),
                _share(within[1]),
            )
        )
    return found


def _inputs(engine: Engine, asked: Question, row: int, arrays: SiteArrays) -> dict[str, Any]:
    """Return what the members start from: water, rates, barriers, pumps, rain, and the thresholds they run to."""
    state, layout, now = engine.state, asked.layout, asked.now
    space = int(asked.spaces[row])
    place = arrays.spaces[space]
    out_depth, _ = outside_of(state, arrays)
    entrances = []
    of_space = np.flatnonzero(arrays.e_space == space).tolist()
    for entrance, e in zip(of_space, np.flatnonzero(layout.space == row).tolist(), strict=True):
        at = [
            level for level in engine.plant.statics.level_rows[space].tolist() if arrays.l_entrance[level] == entrance
        ]
        levels = [level for level in at if np.isfinite(state.held[arrays.l_sensor[level]])]
        worst = max(levels, key=lambda level: float(state.held[arrays.l_sensor[level]]), default=None)
        entrances.append(
            {
                "entrance": arrays.entrances[entrance].entrance.id,
                "level_m": _number(now.outside_m[e]),
                "rise_m_min": _number(now.rise_m_min[e], 4),
                "crest_m": _number(layout.crest_m[e]),
                "width_m": _number(layout.width_m[e]),
                "barrier": "closed" if now.closed[e] else "none" if np.isnan(layout.deploy_min[e]) else "not closed",
                "sensor": None if worst is None else arrays.sensors[int(arrays.l_sensor[worst])].key,
                "taken_from_another_entrance": bool(np.isnan(out_depth[entrance])),
                "orange_at_m": _number(layout.target_level_m[0, e]),
                "red_at_m": _number(layout.target_level_m[1, e]),
            }
        )
    return {
        "entrances": entrances,
        "inside_m3": _number(now.volume_m3[row], 1),
        "orange_at_m3": _number(layout.target_m3[0, row], 1),
        "red_at_m3": _number(layout.target_m3[1, row], 1),
        "rain_mm_h": _number(now.rain_mm_h[row], 1),
        "unseen_m3_min": _number(now.unseen_m3_min[row], 2),
        "pump_m3_s": round(float(layout.pump_m3_s[row].sum()), 4),
        "pump_running": bool(now.pump_running[row].any()),
        "basin": place.basin,
    }


def _number(value: float, decimals: int = 3) -> float | None:
    return round(float(value) + 0.0, decimals) if np.isfinite(value) else None
