"""The simulated district minute by minute: SWMM, what acts change in it, and what its devices measure of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from itertools import accumulate

import numpy as np

from simulators.acts import Changes, timeline
from simulators.faults import FaultPlan
from simulators.payload import Sent
from simulators.rhythm import Rhythm, rain_in_last_minutes_mm
from simulators.scenario import Scenario
from simulators.sensors import VirtualDevice, virtual_devices
from simulators.steps import TICK_S
from simulators.swmm.run import SwmmRun, swmm_run
from simulators.world import FloatArray, Switches, Water
from undercroft.quantities import BarrierState
from undercroft.site.model import Site
from undercroft.site.places import devices_of

CLOSES = frozenset({BarrierState.DEPLOYED, BarrierState.DEPLOYED_UNVERIFIED})
"""States in which the barrier physically stands, whatever the system may believe."""


@dataclass(frozen=True, slots=True)
class Minute:
    """One minute of the world.

    Attributes
    ----------
    number : int
        Minutes from the start of the scenario to its beginning. [min]
    changed : set of (kind, space, number)
        Barriers, mains and pumps that changed as it began.
    before, after : Water
        As it began and as it ended.
    """

    number: int
    changed: set[tuple[str, int, int]]
    before: Water
    after: Water


class SimulatedDistrict:
    """A scenario on a site. Ask for the reports of a minute before the next one."""

    def __init__(self, site: Site, scenario: Scenario, seed: int) -> None:
        self._site = site
        self._scenario = scenario
        self._storm = scenario.rain()
        self._timeline = timeline(site, scenario, seed)
        self.start_s = round(scenario.run.start.astimezone(UTC).timestamp())
        self.rates_mm_h = self._storm.minute_rates_mm_h(scenario.minutes + 1)
        self.rain_total_mm: FloatArray = np.array(list(accumulate(self.rates_mm_h / 60.0, initial=0.0)))
        self.devices = virtual_devices(site, seed)
        self._rhythm = Rhythm(self.devices, len(site.spaces), len(site.gauges))
        self.faults = FaultPlan(scenario, {device.id: place.id for place, device in devices_of(site)}, seed)
        self.switches = Switches(
            barriers={
                (i, k): BarrierState.OPEN for i, space in enumerate(site.spaces) for k in range(len(space.entrances))
            },
            pumps={(i, k): False for i, space in enumerate(site.spaces) for k in range(len(space.pumps))},
            mains=np.ones(len(site.spaces), dtype=np.bool_),
            pumps_work=np.ones(len(site.spaces), dtype=np.bool_),
        )
        basin = {space.id: space.basin for space in site.spaces}
        self._in_basin = [[basin[s.id] == gauge.basin for s in site.spaces] for gauge in site.gauges]

    def minutes(self, until_min: int) -> Iterator[Minute]:
        """Yield every minute from the start of the scenario; SWMM computes as they are asked for."""
        with swmm_run(self._site, self._storm, self._scenario.run.start, until_min) as swmm:
            water = self._water(swmm, 0)
            for number in range(until_min):
                changed = self._change(swmm, number)
                swmm.advance()
                before, water = water, self._water(swmm, number + 1)
                self._note_wetness(swmm, number)
                yield Minute(number, changed, before, water)

    def events(self, minute: Minute) -> Iterator[tuple[VirtualDevice, Sent]]:
        """Yield what devices report at once as the minute begins: what changed."""
        if not minute.changed:
            return
        for device in self.devices:
            values = tuple(p.value(minute.before, self.switches) for p in device.probes if p.watches in minute.changed)
            if values:
                yield device, Sent(device.id, self.start_s + minute.number * TICK_S, values)

    def observations(self, minute: Minute) -> Iterator[tuple[VirtualDevice, Sent]]:
        """Yield what devices that are due measure within the minute, in the order of their seconds."""
        water_at: dict[int, Water] = {}
        minute_s = self.start_s + minute.number * TICK_S
        for device in self._rhythm.due(minute.number):
            phase_s = device.phase_s
            if phase_s not in water_at:
                water_at[phase_s] = minute.before.towards(minute.after, phase_s / TICK_S)
            yield device, device.measure(minute_s + phase_s, water_at[phase_s], self.switches)

    def _water(self, swmm: SwmmRun, minute: int) -> Water:
        depth = swmm.street_depth_m
        gauges = np.array([depth[mask].mean() if any(mask) else 0.0 for mask in self._in_basin])
        return Water(swmm.street_level_m, swmm.inside_level_m, gauges, float(self.rain_total_mm[minute]))

    def _note_wetness(self, swmm: SwmmRun, minute: int) -> None:
        water = np.maximum(swmm.street_depth_m, swmm.inside_depth_m)
        depth_m: FloatArray = np.concatenate([water, np.zeros(len(self._site.gauges))])
        rain_mm = rain_in_last_minutes_mm(self.rates_mm_h, minute + 1)
        self._rhythm.note_wetness(minute, depth_m, rain_5_min_mm=rain_mm, signal=self.switches.signal)

    def _change(self, swmm: SwmmRun, minute: int) -> set[tuple[str, int, int]]:
        """Let barriers, power and pumps change at a whole minute; return what did."""
        state = self.switches
        state.rain_mm_h = float(self.rates_mm_h[minute])
        due = self._timeline.get(minute, Changes())
        state.signal = state.signal if due.signal is None else due.signal
        changed: set[tuple[str, int, int]] = set()
        for key, barrier in due.barriers.items():
            if state.barriers[key] is not barrier:
                state.barriers[key] = barrier
                swmm.set_barrier(*key, deployed=barrier in CLOSES)
                changed.add(("barrier", *key))
        for space, on in due.mains.items():
            if bool(state.mains[space]) != on:
                state.mains[space] = on
                changed.add(("mains", space, 0))
        for space, work in due.pumps_work.items():
            state.pumps_work[space] = work
        switched = swmm.switch_pumps(state.mains & state.pumps_work)
        state.pumps.update(switched)
        return changed | {("pump", space, 0) for space, _ in switched}
