"""Measured floods as a run: their samples at their own times, and a dry reading every ten minutes between floods."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from simulators.chance import drawn
from simulators.floodnet.day import FloodDay, last_at
from simulators.floodnet.events import FloodEvent, Sample
from simulators.floodnet.site import DISTRICT, REPORT_EVERY_S, device_id
from simulators.payload import Sent, Value, payload_of
from simulators.steps import TICK_S, Message, Run, Step

TICK = timedelta(seconds=TICK_S)
DRY_EVERY = timedelta(seconds=REPORT_EVERY_S)


def floodnet_run(day: FloodDay) -> Run:
    """Return the run of a day's floods."""
    deepest = max((sample for event in day.of_day for sample in event.samples), key=lambda sample: sample.depth_m)
    return Run(
        name=f"floodnet-{day.day}",
        label=f"FloodNet, New York, {day.day} (measured)",
        district=DISTRICT,
        start=day.start,
        end=day.end,
        peak_at=deepest.observed_at,
        seed=0,
        steps=_steps(day),
    )


def readings_of(day: FloodDay, sensor_id: str) -> list[Sample]:
    """Return what a sensor reports in the window: its samples, and 0 every ten minutes outside its events."""
    events = [event for event in day.events if event.sensor_id == sensor_id]
    measured = [s for event in events for s in event.samples if day.start < s.observed_at <= day.end]
    phase = timedelta(seconds=1 + int((REPORT_EVERY_S - 1) * drawn("dry", sensor_id)))
    dry = [Sample(at, 0.0) for at in _grid(day.start + phase, day.end) if not any(_within(e, at) for e in events)]
    return sorted(measured + dry, key=lambda sample: sample.observed_at)


def _grid(start: datetime, end: datetime) -> Iterator[datetime]:
    while start <= end:
        yield start
        start += DRY_EVERY


def _within(event: FloodEvent, instant: datetime) -> bool:
    return event.start_at <= instant <= last_at(event)


def _steps(day: FloodDay) -> Iterator[Step]:
    waiting = sorted(
        (sample.observed_at, device_id(sensor.sensor_id), sample.depth_m)
        for sensor in day.sensors
        for sample in readings_of(day, sensor.sensor_id)
    )
    yield _step(1, day.start, [])
    online = [
        Message(f"{_topic(device_id(sensor.sensor_id))}/status", b'{"online":true}', retain=True)
        for sensor in day.sensors
    ]
    now, seq, position = day.start, 1, 0
    while now < day.end:
        now, seq = now + TICK, seq + 1
        messages = online if seq == 2 else []
        while position < len(waiting) and waiting[position][0] <= now:
            messages.append(_message(*waiting[position]))
            position += 1
        yield _step(seq, now, messages)


def _message(observed_at: datetime, device: str, depth_m: float) -> Message:
    sent = Sent(device, round(observed_at.timestamp()), (Value(None, "water_depth_m", f"{depth_m:.3f}"),))
    return Message(f"{_topic(device)}/observation", payload_of(sent))


def _topic(device: str) -> str:
    return f"exercise/v1/{DISTRICT}/{device}/{device}"


def _step(seq: int, now: datetime, messages: list[Message]) -> Step:
    return Step(seq, now, tuple(messages), len(messages), 0, 0.0, 0.0)
