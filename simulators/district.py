"""A scenario on a site as a run: SWMM computes, virtual sensors report, minute by minute."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, timedelta
from itertools import accumulate

import numpy as np

from simulators.acts import Changes, timeline
from simulators.faults import FaultPlan
from simulators.payload import Sent, burst_of, payload_of
from simulators.rhythm import Rhythm, rain_in_last_minutes_mm
from simulators.scenario import Scenario
from simulators.sensors import Probe, VirtualDevice, virtual_devices
from simulators.steps import TICK_S, Message, Run, Step
from simulators.swmm.run import SwmmRun, swmm_run
from simulators.world import FloatArray, Switches, Water
from undercroft.quantities import BarrierState
from undercroft.site.model import Site
from undercroft.site.places import devices_of

CLOSES = frozenset({BarrierState.DEPLOYED, BarrierState.DEPLOYED_UNVERIFIED})
"""States in which the barrier physically stands, whatever the system may believe."""

CLOCK_LOST_S = 600
"""A time this far ahead is impossible: ingest replaces it by the time of receipt, the last run clock. [s]"""

RAIN_KEPT_MIN = 60
"""What rain gauges send of the time before a run that begins later than its scenario. [min]"""

ONLINE = b'{"online":true}'


def district_run(
    site: Site, scenario: Scenario, *, seed: int | None = None, from_min: int = 0, until_min: int | None = None
) -> Run:
    """Return the run of a scenario on a site; nothing is published of what happens before ``from_min``.

    Parameters
    ----------
    seed : int, optional
        In place of the scenario's own.
    from_min, until_min : int
        First and last instant of the run clock, after the start of the scenario. [min]
    """
    used_seed = scenario.run.seed if seed is None else seed
    last_min = scenario.minutes if until_min is None else until_min
    rain = scenario.rain()
    start = scenario.run.start.astimezone(UTC)
    return Run(
        name=scenario.run.name,
        label=scenario.run.label,
        district=site.district.id,
        start=start + timedelta(minutes=from_min),
        end=start + timedelta(minutes=last_min),
        peak_at=start + timedelta(minutes=rain.peak_min) if rain.total_mm > 0 else None,
        seed=used_seed,
        steps=_DistrictRun(site, scenario, used_seed).steps(from_min, last_min),
    )


class _DistrictRun:
    def __init__(self, site: Site, scenario: Scenario, seed: int) -> None:
        self._site = site
        self._scenario = scenario
        self._start = scenario.run.start.astimezone(UTC)
        self._start_s = round(self._start.timestamp())
        self._storm = scenario.rain()
        self._rates_mm_h = self._storm.minute_rates_mm_h(scenario.minutes + 1)
        self._rain_total_mm = np.array(list(accumulate(self._rates_mm_h / 60.0, initial=0.0)))
        self._timeline = timeline(site, scenario, seed)
        self._devices = virtual_devices(site, seed)
        self._rhythm = Rhythm(self._devices, len(site.spaces), len(site.gauges))
        self._faults = FaultPlan(scenario, {device.id: place.id for place, device in devices_of(site)}, seed)
        self._seen: set[tuple[str, int, str | None, str]] = set()
        self._switches = Switches(
            barriers={
                (i, k): BarrierState.OPEN for i, space in enumerate(site.spaces) for k in range(len(space.entrances))
            },
            pumps={(i, k): False for i, space in enumerate(site.spaces) for k in range(len(space.pumps))},
            mains=np.ones(len(site.spaces), dtype=np.bool_),
            pumps_work=np.ones(len(site.spaces), dtype=np.bool_),
        )
        basin = {space.id: space.basin for space in site.spaces}
        self._in_basin = [[basin[s.id] == gauge.basin for s in site.spaces] for gauge in site.gauges]

    def steps(self, from_min: int, until_min: int) -> Iterator[Step]:
        start = self._scenario.run.start
        with swmm_run(self._site, self._storm, start, until_min) as swmm:
            water = self._water(swmm, 0)
            if from_min == 0:
                yield self._clock(0, 1)
            for minute in range(until_min):
                changed = self._change(swmm, minute)
                swmm.advance()
                before, water = water, self._water(swmm, minute + 1)
                self._note_wetness(swmm, minute)
                if minute >= from_min:
                    yield self._step(minute, from_min, changed, before, water)
                elif minute + 1 == from_min:
                    yield self._clock(from_min, 1)

    def _water(self, swmm: SwmmRun, minute: int) -> Water:
        depth = swmm.street_depth_m
        gauges = np.array([depth[mask].mean() if any(mask) else 0.0 for mask in self._in_basin])
        return Water(swmm.street_level_m, swmm.inside_level_m, gauges, float(self._rain_total_mm[minute]))

    def _note_wetness(self, swmm: SwmmRun, minute: int) -> None:
        water = np.maximum(swmm.street_depth_m, swmm.inside_depth_m)
        depth_m: FloatArray = np.concatenate([water, np.zeros(len(self._site.gauges))])
        rain_mm = rain_in_last_minutes_mm(self._rates_mm_h, minute + 1)
        self._rhythm.note_wetness(minute, depth_m, rain_5_min_mm=rain_mm, signal=self._switches.signal)

    def _change(self, swmm: SwmmRun, minute: int) -> set[tuple[str, int, int]]:
        """Let barriers, power and pumps change at a whole minute; return what did."""
        state = self._switches
        state.rain_mm_h = float(self._rates_mm_h[minute])
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

    def _clock(self, minute: int, seq: int) -> Step:
        return self._make_step(minute, seq, [], 0, 0)

    def _step(
        self, minute: int, from_min: int, changed: set[tuple[str, int, int]], before: Water, after: Water
    ) -> Step:
        sink = _Sink()
        if minute == from_min:
            for device in self._devices:
                sink.messages.append(Message(f"{device.topic}/status", ONLINE, retain=True))
            sink.readings += len(self._devices)
            self._send_rain_before(sink, minute)
        if changed:
            self._report_changes(sink, minute, changed, before)
        water_at: dict[int, Water] = {}
        minute_s = self._start_s + minute * TICK_S
        for device in self._rhythm.due(minute):
            phase_s = device.phase_s
            if phase_s not in water_at:
                water_at[phase_s] = before.towards(after, phase_s / TICK_S)
            sent = device.measure(minute_s + phase_s, water_at[phase_s], self._switches)
            self._send(sink, device, "observation", sent, minute)
        return self._make_step(minute + 1, minute - from_min + 2, sink.messages, sink.readings, sink.dead_letters)

    def _send_rain_before(self, sink: _Sink, minute: int) -> None:
        """Let rain gauges send what they kept of the hour before a run that begins later than its scenario."""
        for device in self._devices:
            probes = [probe for probe in device.probes if probe.quantity == "rain_total_mm"]
            past = range(max(0, minute - RAIN_KEPT_MIN), minute)
            if not probes or not past:
                continue
            kept = [self._rain_reading(device, probes, earlier) for earlier in past]
            sink.messages.append(Message(f"{device.topic}/observation", burst_of(kept)))
            sink.readings += len(past) * len(probes)

    def _rain_reading(self, device: VirtualDevice, probes: list[Probe], minute: int) -> Sent:
        share = device.phase_s / TICK_S
        total_mm = self._rain_total_mm[minute] + share * self._rates_mm_h[minute] / 60.0
        then = Water(np.zeros(0), np.zeros(0), np.zeros(0), float(total_mm))
        values = tuple(probe.value(then, self._switches) for probe in probes)
        return Sent(device.id, self._start_s + minute * TICK_S + device.phase_s, values)

    def _report_changes(self, sink: _Sink, minute: int, changed: set[tuple[str, int, int]], water: Water) -> None:
        for device in self._devices:
            values = tuple(p.value(water, self._switches) for p in device.probes if p.watches in changed)
            if values:
                sent = Sent(device.id, self._start_s + minute * TICK_S, values)
                self._send(sink, device, "event", sent, minute)

    def _send(self, sink: _Sink, device: VirtualDevice, lane: str, sent: Sent, minute: int) -> None:
        topic = f"{device.topic}/{lane}"
        if device.id not in self._faults:
            sink.messages.append(Message(topic, payload_of(sent)))
            sink.readings += len(sent.values)
            return
        faulty = self._faults.apply(sent, minute)
        for payload in faulty.garbage:
            sink.messages.append(Message(topic, payload))
            sink.dead_letters += 1
        if faulty.sent is None:
            return
        sink.messages.extend([Message(topic, payload_of(faulty.sent))] * faulty.copies)
        received_s = self._start_s + minute * TICK_S
        stored_s = faulty.sent.observed_s if faulty.sent.observed_s <= received_s + CLOCK_LOST_S else received_s
        keys = {(device.id, stored_s, value.at, value.quantity) for value in faulty.sent.values}
        sink.readings += len(keys - self._seen)
        self._seen |= keys

    def _make_step(self, minute: int, seq: int, messages: list[Message], readings: int, dead_letters: int) -> Step:
        return Step(
            seq=seq,
            now=self._start + timedelta(minutes=minute),
            messages=tuple(messages),
            readings=readings,
            dead_letters=dead_letters,
            rain_mm_h=float(self._rates_mm_h[max(0, minute - 1)]),
            rain_total_mm=float(self._rain_total_mm[minute]),
        )


class _Sink:
    """What one step has gathered."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.readings = 0
        self.dead_letters = 0
