"""The storms of a hindcast: design storms of four return periods, and what is published of storms of the past.

Nobody publishes the minute series of these storms: every past storm is RECONSTRUCTED from its largest depths, as nested
blocks around one peak (`simulators.rain.nested_storm`). A seed draws what differs from one storm to the next.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

from simulators.chance import drawn
from simulators.rain import STEP_MIN, STEPS_PER_HOUR, Storm, chicago_storm, nested_storm
from simulators.scenario import Scenario
from simulators.scenario_file import load_scenario

RETURN_PERIODS_YEARS = (5, 20, 50, 100)
ORDINARY_YEARS = (1, 2)
DURATIONS_MIN = (60, 90, 120, 180)
PEAK_RATIOS = (0.30, 0.40)
"""Most Chinese cities, domain note 3.1."""

VARIED_YEARS = (0.25, 0.5, 1, 2, 5, 20)
VARIED_DURATIONS_MIN = (30, 60, 90, 120, 180)
VARIED_PEAK_RATIOS = (0.10, 0.90)
"""Ordinary and rare rain with its peak anywhere, for what is not to be learned from hard storms alone."""

BEFORE_PEAK_MIN, AFTER_PEAK_MIN = 240, 180
"""Of a long storm, this much around its hardest step is run. [min]"""
DRY_BEFORE_MIN, DRY_AFTER_MIN = 30, 60
START = datetime(2026, 6, 1, 4, tzinfo=UTC)

ORDERED_BEFORE_PEAK_MIN = (-15.0, 60.0)
"""Barriers are ordered within this time before the peak, so in some storms too late. [min]"""
SHARE_ORDERED = (0.4, 0.9)
SHARE_FAILED = 0.08
SHARE_TAKEN_AWAY = 0.05
SHARE_WITHOUT_POWER, SHARE_BROKEN_PUMPS = 0.10, 0.10
SHARE_SILENT = 0.05
"""Devices that fall silent for good at some time of the storm."""
SHARE_LOST = 0.03
"""Messages lost one by one."""


@dataclass(frozen=True, slots=True)
class StormKind:
    """A kind of storm: its name, where its depths come from, and its rain by seed."""

    name: str
    source: str
    rain: Callable[[int], Storm]


def design_storm(years: int) -> StormKind:
    """Return the Chicago storms of a return period; duration and place of the peak are drawn. [years]"""

    def rain(seed: int) -> Storm:
        duration_min = DURATIONS_MIN[int(len(DURATIONS_MIN) * drawn("duration", years, seed))]
        ratio = _between(PEAK_RATIOS, "peak-ratio", years, seed)
        return chicago_storm(years, duration_min, peak_ratio=ratio, start_min=DRY_BEFORE_MIN)

    return StormKind(f"{years}-years", "Shenzhen storm formula 2015, Chicago pattern", rain)


def varied_storm() -> StormKind:
    """Return Chicago storms whose return period, duration and place of the peak are drawn over a wide range."""

    def rain(seed: int) -> Storm:
        years = VARIED_YEARS[int(len(VARIED_YEARS) * drawn("v-years", seed))]
        duration_min = VARIED_DURATIONS_MIN[int(len(VARIED_DURATIONS_MIN) * drawn("v-duration", seed))]
        ratio = _between(VARIED_PEAK_RATIOS, "v-peak", seed)
        return chicago_storm(years, duration_min, peak_ratio=ratio, start_min=DRY_BEFORE_MIN)

    source = "Shenzhen storm formula 2015, 3 months to 20 years, peak anywhere; the formula is for 1 year and more"
    return StormKind("varied", source, rain)


def past_storm(name: str, source: str, maxima_mm: tuple[tuple[int, float], ...]) -> StormKind:
    """Return a storm of the past from its largest depths of some hours."""
    hours = maxima_mm[-1][0]
    storm = nested_storm(maxima_mm, hours=hours, start_min=0, peak_min=hours * 30)
    return StormKind(name, source, lambda _: around_peak(storm))


def around_peak(storm: Storm) -> Storm:
    """Return the part of a storm around its peak, beginning after the dry time before it."""
    peak = storm.rates_mm_h.index(max(storm.rates_mm_h))
    first = max(0, peak - BEFORE_PEAK_MIN // STEP_MIN)
    return Storm(DRY_BEFORE_MIN, storm.rates_mm_h[first : peak + AFTER_PEAK_MIN // STEP_MIN])


def _cloudburst_2019() -> Storm:
    """10 min 39.7 mm and 30 min 73.4 mm around one peak; before and after, 10 mm/h is assumed."""
    worst, beside = 39.7 / 2 * STEPS_PER_HOUR, (73.4 - 39.7) / 4 * STEPS_PER_HOUR
    weak = [10.0] * 6
    return Storm(DRY_BEFORE_MIN, (*weak, beside, beside, worst, worst, beside, beside, *weak))


def catalogue() -> tuple[StormKind, ...]:
    """Return the storms of the past, domain note 4; Osong and Pohang are left out: rivers, which the model has not."""
    shenzhen = "Shenzhen Meteorological Bureau by Xinhua; the scenario of this name"
    built_in = [
        StormKind(name, shenzhen, lambda _, name=name: around_peak(load_scenario(name).rain()))  # type: ignore[misc]
        for name in ("shenzhen-2023-09-07", "shenzhen-2023-09-07-envelope")
    ]
    return (
        StormKind("shenzhen-2019-04-11", "Futian 39.7 mm in 10 min, 73.4 mm in 30 min", lambda _: _cloudburst_2019()),
        *built_in,
        past_storm("zhengzhou-2021-07-20", "201.9 mm in 1 h, 552.5 mm in 24 h", ((1, 201.9), (24, 552.5))),
        past_storm(
            "fukuoka-1999-06-29", "79.5 mm in 1 h, 126 in 3 h, 160 in the day", ((1, 79.5), (3, 126.0), (24, 160.0))
        ),
        past_storm("fukuoka-2003-07-19", "Dazaifu 99 mm in 1 h, 361 in all, taken as 24 h", ((1, 99.0), (24, 361.0))),
    )


def storm_kinds() -> tuple[StormKind, ...]:
    """Return every kind of storm: those of the goals, of the past, and ordinary ones, which are harder to tell."""
    goals = (design_storm(years) for years in RETURN_PERIODS_YEARS)
    ordinary = (design_storm(years) for years in ORDINARY_YEARS)
    return (*goals, *catalogue(), *ordinary, varied_storm())


def scenario_of(kind: StormKind, seed: int) -> Scenario:
    """Return a storm of a kind as a scenario: who puts up barriers when, what fails, which devices fall silent."""
    storm = kind.rain(seed)
    key = (kind.name, seed)
    end_min = storm.start_min + len(storm.rates_mm_h) * STEP_MIN
    order_min = storm.peak_min - _between(ORDERED_BEFORE_PEAK_MIN, "order", *key)

    def at(minute: float) -> datetime:
        return START + timedelta(minutes=max(0, round(minute)))

    def act(word: str, minute: float, share: float, **more: Any) -> dict[str, Any]:
        return {"kind": word, "at": at(minute), "share": share, **more}

    return Scenario.model_validate(
        {
            "run": {
                "name": f"{kind.name}-{seed}", "label": f"{kind.name}, seed {seed}", "source": kind.source,
                "start": START, "hours": ceil((end_min + DRY_AFTER_MIN) / 60), "seed": seed,
            },
            "storm": {
                "kind": "table", "start": at(storm.start_min), "step_min": STEP_MIN, "rates_mm_h": storm.rates_mm_h,
            },
            "act": [
                act("deploy_barrier", order_min, _between(SHARE_ORDERED, "ordered", *key)),
                act("deploy_barrier", order_min + 1, SHARE_FAILED, outcome="failed"),
                act("open_barrier", storm.peak_min + 20, SHARE_TAKEN_AWAY),
                act("power_loss", storm.peak_min - 10, SHARE_WITHOUT_POWER),
                act("pump_failure", storm.start_min, SHARE_BROKEN_PUMPS),
            ],
            "fault": [
                act("dropout", _between((storm.start_min, storm.peak_min + 30.0), "silent", *key), SHARE_SILENT),
                act("dropout", 0, 1.0, chance=SHARE_LOST),
            ],
        }
    )  # fmt: skip


def _between(limits: tuple[float, float], *key: object) -> float:
    return limits[0] + (limits[1] - limits[0]) * drawn(*key)
