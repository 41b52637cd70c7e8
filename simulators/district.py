"""A scenario on a site as a run: SWMM computes, virtual sensors report, minute by minute."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, timedelta

import numpy as np

from simulators.payload import Sent, burst_of, payload_of
from simulators.scenario import Scenario
from simulators.sensors import Probe, VirtualDevice
from simulators.simulated import Minute, SimulatedDistrict
from simulators.steps import TICK_S, Message, Run, Step
from simulators.world import Water
from undercroft.site.model import Site

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
        self._start = scenario.run.start.astimezone(UTC)
        self._world = SimulatedDistrict(site, scenario, seed)
        self._seen: set[tuple[str, int, str | None, str]] = set()

    def steps(self, from_min: int, until_min: int) -> Iterator[Step]:
        if from_min == 0:
            yield self._clock(0, 1)
        for minute in self._world.minutes(until_min):
            if minute.number >= from_min:
                yield self._step(minute, from_min)
            elif minute.number + 1 == from_min:
                yield self._clock(from_min, 1)

    def _clock(self, minute: int, seq: int) -> Step:
        return self._make_step(minute, seq, [], 0, 0)

    def _step(self, minute: Minute, from_min: int) -> Step:
        sink, world = _Sink(), self._world
        if minute.number == from_min:
            for device in world.devices:
                sink.messages.append(Message(f"{device.topic}/status", ONLINE, retain=True))
            sink.readings += len(world.devices)
            self._send_rain_before(sink, minute.number)
        for device, sent in world.events(minute):
            self._send(sink, device, "event", sent, minute.number)
        for device, sent in world.observations(minute):
            self._send(sink, device, "observation", sent, minute.number)
        seq = minute.number - from_min + 2
        return self._make_step(minute.number + 1, seq, sink.messages, sink.readings, sink.dead_letters)

    def _send_rain_before(self, sink: _Sink, minute: int) -> None:
        """Let rain gauges send what they kept of the hour before a run that begins later than its scenario."""
        for device in self._world.devices:
            probes = [probe for probe in device.probes if probe.quantity == "rain_total_mm"]
            past = range(max(0, minute - RAIN_KEPT_MIN), minute)
            if not probes or not past:
                continue
            kept = [self._rain_reading(device, probes, earlier) for earlier in past]
            sink.messages.append(Message(f"{device.topic}/observation", burst_of(kept)))
            sink.readings += len(past) * len(probes)

    def _rain_reading(self, device: VirtualDevice, probes: list[Probe], minute: int) -> Sent:
        world, share = self._world, device.phase_s / TICK_S
        total_mm = world.rain_total_mm[minute] + share * world.rates_mm_h[minute] / 60.0
        then = Water(np.zeros(0), np.zeros(0), np.zeros(0), float(total_mm))
        values = tuple(probe.value(then, world.switches) for probe in probes)
        return Sent(device.id, world.start_s + minute * TICK_S + device.phase_s, values)

    def _send(self, sink: _Sink, device: VirtualDevice, lane: str, sent: Sent, minute: int) -> None:
        topic, world = f"{device.topic}/{lane}", self._world
        if device.id not in world.faults:
            sink.messages.append(Message(topic, payload_of(sent)))
            sink.readings += len(sent.values)
            return
        faulty = world.faults.apply(sent, minute)
        for payload in faulty.garbage:
            sink.messages.append(Message(topic, payload))
            sink.dead_letters += 1
        if faulty.sent is None:
            return
        sink.messages.extend([Message(topic, payload_of(faulty.sent))] * faulty.copies)
        received_s = world.start_s + minute * TICK_S
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
            rain_mm_h=float(self._world.rates_mm_h[max(0, minute - 1)]),
            rain_total_mm=float(self._world.rain_total_mm[minute]),
        )


class _Sink:
    """What one step has gathered."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.readings = 0
        self.dead_letters = 0
