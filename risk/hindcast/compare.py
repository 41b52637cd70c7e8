"""Would have fired: two threshold sets over the same storms, told apart per space and in all.

The truth is water, not a rule: a case *happened* when good readings inside a space or on its road reached
``truth_m``. A set *fired* when it raised a space's alarm to the alarm severity; it *hit* when it did so no later than
``late_s`` after the crossing. Minutes gained are those by which B fired before A, over the cases that happened and
where both fired.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from risk.ahead import Nowcast, Question, answered
from risk.arrays import IntArray, to_us
from risk.engine import Decision, Engine, Inputs, decide, question
from risk.evidence import Samples
from risk.hindcast.floodnet_csv import Event
from risk.hindcast.history import START, Batch
from risk.hindcast.scores import contingency
from risk.hydraulics.arrays import FloatArray, floats
from risk.past.ask import PastOfSite
from undercroft.quality import Quality
from undercroft.site.model import Site, ThresholdSet

TICK_S = 60
LONGEST_S = 12 * 3600


@dataclass(frozen=True, slots=True, eq=False)
class Cases:
    """What happened and when a set fired, NaN for never; ``group`` is the space or sensor of each case. [s]"""

    group: tuple[str, ...]
    crossing_s: FloatArray
    fired_s: FloatArray


def with_sets(site: Site, sets: Sequence[ThresholdSet]) -> Site:
    """Return a site on these threshold sets alone, in force from the beginning; without any on the defaults."""
    always = datetime(1970, 1, 1, tzinfo=UTC)
    order = sorted(sets, key=lambda entry: (entry.valid_from, entry.id))
    # All from one instant: the id decides which of two wins, so it gets its place in the old order in front.
    chosen = [
        entry.model_copy(update={"id": f"{place:04d}-{entry.id}"[:40], "valid_from": always})
        for place, entry in enumerate(order)
    ]
    return site.model_copy(update={"threshold_sets": tuple(chosen)})


def compare(first: Cases, second: Cases, late_s: float) -> dict[str, Any]:
    """Return hits, misses, false alarms and minutes gained, in all and per group.

    Raises
    ------
    ValueError
        If the two are not over the same cases.
    """
    if first.group != second.group or not np.array_equal(first.crossing_s, second.crossing_s, equal_nan=True):
        raise ValueError("the two runs are not over the same cases")
    groups = np.array(first.group)
    spaces = {
        str(group): _row(first, second, np.flatnonzero(groups == group), late_s) for group in sorted(set(first.group))
    }
    return {"late_s": late_s, "all": _row(first, second, np.arange(groups.size), late_s), "spaces": spaces}


def _row(first: Cases, second: Cases, chosen: IntArray, late_s: float) -> dict[str, Any]:
    crossing = first.crossing_s[chosen]
    row: dict[str, Any] = {"cases": int(chosen.size)}
    for name, cases in (("a", first), ("b", second)):
        table = contingency(cases.fired_s[chosen] - late_s, crossing)
        row[name] = {
            "hits": table.hits, "misses": table.misses, "false_alarms": table.false_alarms, "quiet": table.quiet,
        }  # fmt: skip
    gained = (first.fired_s[chosen] - second.fired_s[chosen])[np.isfinite(crossing)] / 60.0
    both = gained[np.isfinite(gained)]
    row["both_fired"] = int(both.size)
    row["gained_min_sum"] = round(float(both.sum()), 1)
    row["gained_min_median"] = round(float(np.median(both)), 1) if both.size else None
    return row


def floodnet_cases(
    events: Sequence[Event],
    batches: Iterable[Batch],
    sets: Sequence[ThresholdSet],
    truth_m: float,
    alarm_severity: int,
) -> Cases:
    """Run the engine over observed street floods, each event a road of its own, one tick a minute."""
    fired = np.full(len(events), np.nan)
    for batch in batches:
        fired[batch.ids] = _fired(events, batch, sets, alarm_severity)
    crossing = np.array([event.track.crossing_s(truth_m) for event in events], np.float64)
    crossing[crossing > LONGEST_S] = np.nan
    return Cases(tuple(event.sensor_id for event in events), crossing, fired)


def _fired(events: Sequence[Event], batch: Batch, sets: Sequence[ThresholdSet], alarm_severity: int) -> FloatArray:
    """Return when the alarm of each road came after its flood began, NaN for never. [s]"""
    fired = np.full(batch.ids.size, np.nan)
    last_s = np.array([float(events[k].track.time_s[-1]) for k in batch.ids.tolist()])
    for tick in road_ticks(events, batch, sets):
        for change in tick.decision.changes:
            now_s = tick.now_s - batch.offset_s[change.space]
            late = now_s > min(last_s[change.space] + TICK_S, LONGEST_S)  # what follows the last sample is silence
            if change.severity >= alarm_severity and np.isnan(fired[change.space]) and not late:
                fired[change.space] = now_s
    return fired


@dataclass(frozen=True, slots=True)
class RoadTick:
    """One tick over roads: when after the batch began, what was decided, what was asked and answered after it. [s]"""

    now_s: float
    decision: Decision
    asked: Question
    answer: Nowcast


def road_ticks(events: Sequence[Event], batch: Batch, sets: Sequence[ThresholdSet]) -> Iterator[RoadTick]:
    """Run the engine over the floods of a batch; a nowcast is given to the next tick, as in a run.

    It is asked of floods that have samples left: what a road does after its last one is silence.
    """
    over_s = batch.offset_s + floats([events[k].track.time_s[-1] for k in batch.ids.tolist()])
    engine = Engine.start(with_sets(road_site(batch.ids.size), sets), 1, START)
    history = batch.history
    if history is not None:
        engine = replace(engine, past=PastOfSite(history.pasts[-1], history.row))
    found: Nowcast | None = None
    for number, inputs in enumerate(_minutes(engine, [events[k] for k in batch.ids.tolist()], batch)):
        engine, decision = decide(engine, replace(inputs, nowcast=found))
        now_s = float(number * TICK_S)
        asked = question(engine, now_s <= over_s)
        if history is not None:
            asked = history.asked(asked)
        found = answered(asked)
        yield RoadTick(now_s, decision, asked, found)


def _minutes(engine: Engine, events: Sequence[Event], batch: Batch) -> Iterator[Inputs]:
    arrays = engine.plant.arrays
    sensor = {space: arrays.sensor_index[f"l{space:05d}:water_depth_m"] for space in range(len(events))}
    index = np.concatenate([np.full(e.track.time_s.size, sensor[k]) for k, e in enumerate(events)])
    time_s = np.concatenate([batch.offset_s[k] + event.track.time_s for k, event in enumerate(events)])
    depth_m = np.concatenate([event.track.depth_m for event in events])
    order = np.argsort(time_s, kind="stable")
    index, time_s, depth_m = index[order], time_s[order], depth_m[order]
    last_s = min(float(time_s[-1]) + TICK_S, float(batch.offset_s.max()) + LONGEST_S)
    start_us, after = to_us(START), 0
    for number in range(int(last_s // TICK_S) + 1):
        up_to = int(np.searchsorted(time_s, number * TICK_S, side="right"))
        part = slice(after, up_to)
        observed = start_us + np.round(time_s[part] * 1e6).astype(np.int64)
        quality = np.full(up_to - after, int(Quality.GOOD), np.int8)
        samples = Samples(index[part], observed, depth_m[part], quality)
        yield Inputs(number + 1, start_us + number * TICK_S * 1_000_000, number + 1, None, samples)
        after = up_to


def road_site(size: int, basins: int | None = None) -> Site:
    """Return a site of roads with one level sensor each, each in a basin of its own (none stands in for another)."""
    basin = [f"b{number:05d}" for number in range(basins or size)]
    names = {"name_zh": "路", "name_en": "Road"}
    where = {"street": "road", "lat": 0.0, "lon": 0.0}
    door = {"id": "road", **names, "width_m": 4.0, "crest_level_m": 0.0, "roadway_level_m": 0.0}
    spaces = [
        {
            "id": f"e{number:05d}", **names, **where, "basin": basin[number % len(basin)], "kind": "underpass",
            "floor_level_m": 0.0, "entrances": [door], "storage": [{"depth_m": 0.0, "area_m2": 1000.0}],
            "devices": [{"id": f"l{number:05d}", "sensors": [{"quantity": "water_depth_m"}]}],
        }
        for number in range(size)
    ]  # fmt: skip
    district = {"id": "roads", **names, "datum": "road"}
    return Site.model_validate(
        {"district": district, "basin": [{"id": one, **names} for one in basin], "space": spaces}
    )
