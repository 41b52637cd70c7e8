"""Sensors held against others of their space: inside against outside, float switch against gauge. Pure.

Either may only make a reading suspect: it still raises, and does not calm. Which of two sensors is wrong nobody knows.

Inside and outside. Water that rises inside while every entrance is dry is a leak, a pump that fails, or a faulty
sensor (docs/risk.md has a rule for it, with words). Only the rise is doubtful: what stands, or falls, behind a street
that has drained is what every flood leaves, and must be free to clear. So a rise is 3 cm over the highest that the
sensor read in the earlier half of its last ten minutes: water that stands under a sensor of 1 or 2 cm steps rises at no
step of it, and water that rises by half a centimetre in a minute does. A dry inside behind a wet street is what a
barrier is for, and no doubt. An entrance that no sensor watches, or whose sensor has not spoken for longer than its
interval, may be wet, so nothing is said then. Underpasses gather rain at their own lowest point, so nothing is said of
them either.

Float and gauge. A float switch is lifted by water at its zero, the level at which it is mounted, and knows nothing
below. Lifted, with a gauge of the same spot that stands 0.10 m below it, or let down with one 0.10 m above it, they
contradict each other. A margin that wide covers the switch's own play; a jammed float and a silted gauge look the same.
A gauge reads no less than what it reads when dry, however low the water: a switch mounted below that, in a sump, hangs
down under every dry reading and contradicts none of them, and the margin counts from the dry reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import inf
from typing import Any

from ingest.quality_limits import CROSS_US, FLOAT_M, INSIDE_RISE_M, INSIDE_RISE_US, INSIDE_WET_M, MINUTE_US, WET_M
from ingest.quality_recent import Beside, Recent, Sample
from undercroft.quality import QualityTest

LEVELS = frozenset({"water_level_m", "water_depth_m"})
FLOAT = "float_lifted"
UNDERPASS = "underpass"
INSIDE_OUTSIDE, FLOAT_GAUGE = int(QualityTest.INSIDE_OUTSIDE), int(QualityTest.FLOAT_GAUGE)
Newest = Callable[[int], Sample | None]
"""The newest reading of a sensor that did not fail."""


def rises_inside(
    memory: Recent, sample: Sample, outside: Sequence[Sequence[Beside]], newest: Newest, wet_m: float
) -> bool:
    """Tell whether water rises inside while every entrance is known to be dry.

    Parameters
    ----------
    memory : Recent
        The sensor's readings before this one.
    sample : Sample
        A reading of a level inside.
    outside : sequence of sequence of Beside
        By entrance, its level sensors; ``limit_m`` is what each reads at 2 cm over the roadway. Empty: not tested.
    newest : callable
        The newest sound reading of each of them.
    wet_m : float
        What this sensor reads at `INSIDE_WET_M` over the floor. [m]
    """
    if not outside or sample.value < wet_m:
        return False
    before = [entry.value for entry in memory.samples if not entry.is_failed and _is_recent(entry, sample)]
    last, _ = memory.last_sound()
    earlier = before[: (len(before) + 1) // 2]
    highest_m = max(earlier, default=sample.value if last is None else last.value)
    if _micrometres(sample.value - highest_m) < INSIDE_RISE_M:
        return False
    return all(_is_dry(sensors, sample, newest) for sensors in outside)


def contradicts_float(sample: Sample, floats: Iterable[Beside], newest: Newest) -> bool:
    """Tell whether a gauge's reading contradicts a float switch; ``limit_m`` is what the gauge reads where it trips."""
    for beside in floats:
        other = _word_of(beside, sample, newest)
        if other is not None and _differ(sample.value, other.value, beside):
            return True
    return False


def contradicts_gauge(sample: Sample, gauges: Iterable[Beside], newest: Newest) -> bool:
    """Tell whether a float switch contradicts a gauge; ``limit_m`` is what the gauge reads where the switch trips."""
    for beside in gauges:
        other = _word_of(beside, sample, newest)
        if other is not None and _differ(other.value, sample.value, beside):
            return True
    return False


def beside_of(
    rows: Sequence[Mapping[str, Any]],
) -> dict[int, tuple[tuple[tuple[Beside, ...], ...], tuple[Beside, ...]]]:
    """Return for each sensor what stands outside it, by entrance, and the floats or gauges of its spot.

    ``rows`` are the site data of every sensor: quantity, place and entrance, heights, interval.
    """
    spots: dict[tuple[Any, Any], list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["quantity"] in LEVELS or row["quantity"] == FLOAT:
            spots.setdefault((row["place_id"], row["entrance_id"]), []).append(row)
    found = {}
    for (place_id, entrance_id), here in spots.items():
        for row in here:
            if row["quantity"] == FLOAT:
                pair = tuple(
                    _trip(gauge, float_switch=row, other=gauge) for gauge in here if gauge["quantity"] in LEVELS
                )
            else:
                pair = tuple(
                    _trip(row, float_switch=other, other=other) for other in here if other["quantity"] == FLOAT
                )
            outside: tuple[tuple[Beside, ...], ...] = ()
            is_inside = row["quantity"] in LEVELS and entrance_id is None and row["entrances"]
            if is_inside and row["space_kind"] != UNDERPASS:
                outside = tuple(_gauges_at(spots.get((place_id, name), ())) for name in row["entrances"])
            found[row["sensor_id"]] = (outside if all(outside) else (), pair)
    return found


def wet_inside_m(row: Mapping[str, Any]) -> float:
    """Return what a level sensor inside reads at `INSIDE_WET_M` over the floor. [m]"""
    return _micrometres(float(row["floor_level_m"] or 0.0) + INSIDE_WET_M - _zero_m(row))


def wet_from_m(row: Mapping[str, Any]) -> float:
    """Return what a level sensor reads at `WET_M` over its dry reading; infinite where that is not known. [m]"""
    dry_m = _dry_m(row)
    return inf if dry_m == -inf else _micrometres(dry_m + WET_M)


def _gauges_at(rows: Iterable[Mapping[str, Any]]) -> tuple[Beside, ...]:
    return tuple(
        Beside(row["sensor_id"], _micrometres(float(row["roadway_level_m"]) + WET_M - _zero_m(row)), _holds_us(row))
        for row in rows
        if row["quantity"] in LEVELS
    )


def _trip(gauge: Mapping[str, Any], *, float_switch: Mapping[str, Any], other: Mapping[str, Any]) -> Beside:
    trips_m = float(float_switch["zero_level_m"]) - _zero_m(gauge)
    return Beside(other["sensor_id"], trips_m, _holds_us(other), _dry_m(gauge))


def _dry_m(gauge: Mapping[str, Any]) -> float:
    """Return what a gauge reads when dry: 0, or the level of the roadway or floor on which it stands. [m]"""
    if gauge["quantity"] == "water_depth_m":
        return 0.0
    ground_m = gauge["floor_level_m"] if gauge["entrance_id"] is None else gauge["roadway_level_m"]
    return -inf if ground_m is None else float(ground_m)


def _zero_m(row: Mapping[str, Any]) -> float:
    """Return the level at which a level sensor reads 0: that of its depth, or the datum. [m over datum]"""
    return float(row["zero_level_m"]) if row["quantity"] == "water_depth_m" else 0.0


def _holds_us(row: Mapping[str, Any]) -> int:
    """Return how long a word holds: until the next one is overdue by a minute. [µs]"""
    return round(float(row["interval_dry_s"]) * 1e6) + MINUTE_US


def _word_of(beside: Beside, sample: Sample, newest: Newest) -> Sample | None:
    other = newest(beside.sensor_id)
    if other is None or not -CROSS_US <= sample.observed_us - other.observed_us <= beside.holds_us:
        return None
    return other


def _is_dry(sensors: Iterable[Beside], sample: Sample, newest: Newest) -> bool:
    words = [(beside, _word_of(beside, sample, newest)) for beside in sensors]
    spoken = [(beside, word) for beside, word in words if word is not None]
    return bool(spoken) and all(word.value < beside.limit_m for beside, word in spoken)


def _is_recent(entry: Sample, sample: Sample) -> bool:
    return sample.observed_us - entry.observed_us <= INSIDE_RISE_US


def _differ(gauge_m: float, is_lifted: float, beside: Beside) -> bool:
    if is_lifted:
        return _micrometres(gauge_m - beside.limit_m) < -FLOAT_M
    return _micrometres(gauge_m - max(beside.limit_m, beside.dry_m)) > FLOAT_M


def _micrometres(height_m: float) -> float:
    """Return a difference of heights without what binary fractions add to it. [m]"""
    return round(height_m, 6)
