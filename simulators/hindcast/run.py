"""One storm through the engine: every minute the readings that the virtual sensors sent, then a tick."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC
from itertools import product
from math import isnan

import numpy as np
from numpy.typing import NDArray

from risk.ahead import NAMES, Nowcast, Question, answered
from risk.arrays import to_us
from risk.engine import Engine, Inputs, decide, question
from risk.evidence import Samples
from risk.hindcast.compare import with_sets
from risk.hindcast.truth import TrueStorm
from risk.nowcast.calibration import terms
from risk.nowcast.summary import WITHIN_MIN
from risk.sensors import LEVEL
from risk.thresholds import LEAST_ALARM_SEVERITY, ORANGE, RED, WET_DEPTH_M
from simulators.hindcast.states import TrueStates
from simulators.hindcast.watch import SeverityWatch
from simulators.payload import Sent
from simulators.scenario import Scenario
from simulators.simulated import Minute, SimulatedDistrict
from simulators.steps import TICK_S
from undercroft.model import SpaceKind
from undercroft.quality import Quality
from undercroft.quantities import BARRIER_STATE_BY_WORD
from undercroft.site.model import Site, ThresholdSet
from undercroft.site.places import sensor_key

SEVERITIES = dict(zip(NAMES, (int(ORANGE), int(RED)), strict=True))
CASE_EVERY_MIN = 5


@dataclass(frozen=True, slots=True)
class SpaceInStorm:
    """One space in one storm: truth and alarms, and what to sort it by.

    Attributes
    ----------
    kind_of_storm, seed : str, int
        Which storm.
    kind : SpaceKind
        Which kind of space.
    silent : bool
        Whether a level sensor of it fell silent for good.
    warned_s : float
        Beginning of any alarm, yellow or above, that stood when orange was reached; NaN for none. [s]
    orange_by, red_by : int
        Families of rules that raised the alarm which counts, as bits.
    """

    truth: TrueStorm
    kind_of_storm: str
    seed: int
    kind: SpaceKind
    silent: bool
    warned_s: float
    orange_by: int
    red_by: int


@dataclass(frozen=True, slots=True)
class Foreseen:
    """The ensemble's probability of a severity within some minutes, and whether it came true.

    ``members`` is the share of the members; ``terms`` what made a probability of it (`risk.nowcast.calibration`), empty
    where the engine takes it to stand already; NaN: it does so only by a barrier that it cannot hear, and gives none.
    """

    severity: str
    within_min: float
    storm: str
    space: str
    now_s: float
    probability: float
    members: float
    terms: tuple[float, ...]
    happened: bool


@dataclass(frozen=True, slots=True)
class StormResult:
    """What one storm showed."""

    spaces: list[SpaceInStorm]
    foreseen: list[Foreseen]


def run_storm(
    site: Site, scenario: Scenario, kind_of_storm: str, sets: Sequence[ThresholdSet] | None = None
) -> StormResult:
    """Run a storm over a site and return what truly happened in every space, and when the engine said so.

    ``sets`` are the engine's thresholds in place of the site's; what truly happened is told by the site's all the same.
    """
    return _StormRun(site, scenario, kind_of_storm, sets).result()


class _StormRun:
    def __init__(self, site: Site, scenario: Scenario, kind_of_storm: str, sets: Sequence[ThresholdSet] | None) -> None:
        # Spaces as the engine orders them, so that its rows are those of the water.
        self._site = site.model_copy(update={"spaces": tuple(sorted(site.spaces, key=lambda space: space.id))})
        self._scenario, self._kind = scenario, kind_of_storm
        start = scenario.run.start.astimezone(UTC)
        self._start_us = to_us(start)
        self._world = SimulatedDistrict(self._site, scenario, scenario.run.seed)
        self._truth = TrueStates(self._site, start)
        self._engine = Engine.start(self._site if sets is None else with_sets(self._site, sets), 1, start)
        size = len(self._site.spaces)
        self._watch = {name: SeverityWatch(size) for name in NAMES}
        self._warned = SeverityWatch(size)
        self._open: NDArray[np.bool_] = np.zeros(size, np.bool_)
        self._first_wet_s = np.full(size, np.nan)
        self._said: list[tuple[float, int, str, int, float, float, tuple[float, ...]]] = []
        self._nowcast: Nowcast | None = None

    def result(self) -> StormResult:
        for minute in self._world.minutes(self._scenario.minutes):
            self._take(minute)
        return StormResult(self._spaces(), self._foreseen())

    def _take(self, minute: Minute) -> None:
        number = minute.number + 1
        now_s = float(number * TICK_S)
        samples = self._samples(minute)
        self._note_first_wet(samples)
        at_us = self._start_us + number * TICK_S * 1_000_000
        inputs = Inputs(number, at_us, number, number, samples, (), self._nowcast)
        self._engine, decision = decide(self._engine, inputs)
        asked = question(self._engine)
        self._nowcast = answered(asked)  # for the next tick, as in a run
        alarm = self._engine.state.alarm_severity
        candidate = decision.context.views.candidate
        for name, severity in SEVERITIES.items():
            families = ((candidate >= severity) << np.arange(candidate.shape[0], dtype=np.int64)[:, None]).sum(axis=0)
            truly = self._truth.reached(minute.before, minute.after, self._world.switches.barriers, severity)
            watch = self._watch[name]
            if name == "red":
                first = truly & np.isnan(watch.crossing_s)
                self._open |= first & self._truth.open_barrier(minute.after, self._world.switches.barriers)
            watch.take(now_s, alarm >= severity, families, truly)
            if name == "orange":
                self._warned.take(now_s, alarm >= LEAST_ALARM_SEVERITY, families, truly)
        if number % CASE_EVERY_MIN == 0:
            self._note_said(asked, self._nowcast, now_s)

    def _samples(self, minute: Minute) -> Samples:
        faults = self._world.faults
        sent = [sent for _, sent in (*self._world.events(minute), *self._world.observations(minute))]
        told = [faults.apply(one, minute.number).sent if one.device in faults else one for one in sent]
        rows = list(self._rows(one for one in told if one is not None))
        if minute.number == 0:
            index = self._engine.plant.arrays.sensor_index
            rows += [(index[sensor_key(d.id, "", "online")], self._start_us, 1.0) for d in self._world.devices]
        if not rows:
            return Samples.none()
        sensor, observed, value = zip(*rows, strict=True)
        good = np.full(len(rows), int(Quality.GOOD), np.int8)
        return Samples(np.array(sensor, np.int64), np.array(observed, np.int64), np.array(value, np.float64), good)

    def _rows(self, told: Iterable[Sent]) -> Iterable[tuple[int, int, float]]:
        index = self._engine.plant.arrays.sensor_index
        for sent in told:
            for value in sent.values:
                key = sensor_key(sent.device, value.at or "", value.quantity)
                yield index.get(key, -1), sent.observed_s * 1_000_000, number_of(value.text)

    def _note_first_wet(self, samples: Samples) -> None:
        """Note the first reading of 2 cm outside each space; of an underpass, anywhere on its road."""
        arrays = self._engine.plant.arrays
        outside = np.zeros(len(arrays.sensors), np.bool_)
        underpass = np.array([space.kind is SpaceKind.UNDERPASS for space in arrays.spaces])[arrays.l_space]
        outside[arrays.l_sensor[arrays.l_outside | underpass]] = True
        known = samples.sensor >= 0
        sensor, value = samples.sensor[known], samples.value[known]
        depth_m = value + arrays.s_offset[sensor]
        wet = outside[sensor] & (arrays.s_role[sensor] == LEVEL) & (depth_m >= WET_DEPTH_M.value)
        at_s = (samples.observed_us[known][wet] - self._start_us) / 1e6
        np.fmin.at(self._first_wet_s, arrays.s_space[sensor[wet]], at_s)

    def _note_said(self, asked: Question, found: Nowcast, now_s: float) -> None:
        made_of = terms(found.members, asked.around)
        for i, space in enumerate(found.spaces.tolist()):
            for (k, name), h in product(enumerate(NAMES), range(len(WITHIN_MIN))):
                probability, members = (round(float(of[i, k, h]), 3) for of in (found.probability, found.members))
                if not isnan(members):
                    stands = isnan(probability) or found.times_min[i, k, 2] <= 0.0
                    made = () if stands else tuple(round(value, 4) for value in made_of[i, k, h].tolist())
                    self._said.append((now_s, space, name, h, probability, members, made))

    def _foreseen(self) -> list[Foreseen]:
        """Return the cases before the crossing: what comes after it is no forecast."""
        found = []
        for now_s, space, name, h, probability, members, made in self._said:
            crossing_s = float(self._watch[name].crossing_s[space])
            if not crossing_s <= now_s:
                within_min, space_id = WITHIN_MIN[h], self._site.spaces[space].id
                happened = crossing_s - now_s <= within_min * 60.0
                storm = self._scenario.run.name
                found.append(Foreseen(name, within_min, storm, space_id, now_s, probability, members, made, happened))
        return found

    def _spaces(self) -> list[SpaceInStorm]:
        orange, red = self._watch["orange"], self._watch["red"]
        return [
            SpaceInStorm(
                TrueStorm(
                    self._scenario.run.name, space.id, float(self._first_wet_s[i]),
                    float(orange.crossing_s[i]), float(red.crossing_s[i]), bool(self._open[i]),
                    float(orange.alarm_s[i]), float(red.alarm_s[i]),
                ),
                self._kind, self._scenario.run.seed, space.kind, self._fell_silent(i), float(self._warned.alarm_s[i]),
                int(orange.raised_by[i]), int(red.raised_by[i]),
            )
            for i, space in enumerate(self._site.spaces)
        ]  # fmt: skip

    def _fell_silent(self, space: int) -> bool:
        """Tell whether a level sensor of a space had not been heard for an hour when the storm was over."""
        state, arrays = self._engine.state, self._engine.plant.arrays
        levels = arrays.l_sensor[arrays.l_space == space]
        return bool((state.tick_us - state.evidence_us[levels] > 3600 * 1_000_000).any())


def number_of(text: str) -> float:
    """Return a value of a payload as ingest stores it: states of a barrier by their number, true as 1.

    >>> [number_of(text) for text in ("0.120", "true", "false", '"deployed"')]
    [0.12, 1.0, 0.0, 3.0]
    """
    if text.startswith('"'):
        return float(BARRIER_STATE_BY_WORD[text.strip('"')])
    return {"true": 1.0, "false": 0.0}[text] if text in {"true", "false"} else float(text)
