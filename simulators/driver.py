"""Plays a run through MQTT: each step's messages, then the run clock, at the pace that is asked for.

The driver owns time. Everything goes through one session, so that the order of messages is the order of the run; at
full speed the driver stays at most `STEPS_AHEAD` clock steps ahead of the engine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from simulators.steps import TICK_S, Message, Run, Step, clock_topic, rfc3339
from undercroft.clock import Clock
from undercroft.errors import StackFailed

STEPS_AHEAD = 60
"""Clock steps that may be on their way through broker, ingest and engine."""

POLL_S = 0.05
"""How often the engine's progress is asked for. [s]"""

LEAST_WAIT_S = 0.01
"""Shorter waits are not worth a system call. [s]"""

STALL_S = 120.0
"""An engine that makes no tick for so long has stopped. [s]"""


class Publishes(Protocol):
    """What the driver needs of a session: `simulators.mqtt.Publisher`, or a test's."""

    def publish(self, message: Message) -> None:
        """Publish in order."""
        ...

    def turn(self, timeout_s: float) -> None:
        """Write what waits, read what came. [s]"""
        ...

    def idle(self, seconds: float) -> None:
        """Keep the session alive for a while. [s]"""
        ...

    def flush(self) -> None:
        """Wait until everything is acknowledged."""
        ...


Progress = Callable[[], int]
"""Returns the newest run clock that the engine has ticked on."""


@dataclass(slots=True)
class Played:
    """What a run has published so far; see docs/simulation.md for what each number means."""

    messages_published: int = 0
    readings_expected: int = 0
    dead_letters_expected: int = 0
    clocks: int = 0
    first_clock: datetime | None = None
    last_clock: datetime | None = None
    last_seq: int = 0
    rain_mm_h: float = 0.0
    rain_total_mm: float = 0.0
    wall_s: float = 0.0
    done: bool = False

    @property
    def simulated_s(self) -> float:
        """Time of the run clock from its first message to its last. [s]"""
        if self.first_clock is None or self.last_clock is None:
            return 0.0
        return (self.last_clock - self.first_clock).total_seconds()

    def add(self, step: Step) -> None:
        """Count a step that has been published."""
        self.messages_published += len(step.messages) + 1
        self.readings_expected += step.readings
        self.dead_letters_expected += step.dead_letters
        self.clocks += 1
        self.first_clock = self.first_clock or step.now
        self.last_clock, self.last_seq = step.now, step.seq
        self.rain_mm_h, self.rain_total_mm = step.rain_mm_h, step.rain_total_mm


def play(
    run: Run,
    publisher: Publishes,
    clock: Clock,
    *,
    speed: float | None,
    progress: Progress | None = None,
    show: Callable[[Played], None] | None = None,
) -> Played:
    """Play a run to its end and return what was published.

    Parameters
    ----------
    speed : float or None
        Simulated seconds per real second; None is as fast as everybody can follow.
    progress : callable, optional
        Where the engine is; without it only the broker's acknowledgements hold the driver back.
    show : callable, optional
        Called after every step.
    """
    played = Played()
    pace = _Pace(clock, speed)
    lead = _Lead(clock, progress)
    began_s = clock.monotonic_s()
    topic = clock_topic(run.district)
    for step in run.steps:
        lead.wait(publisher, step.seq)
        for number, message in enumerate(step.messages):
            pace.wait(publisher, number / len(step.messages))
            publisher.publish(message)
        pace.wait(publisher, 1.0)
        pace.next_step()
        publisher.publish(Message(topic, step.clock or f'{{"now":"{rfc3339(step.now)}","seq":{step.seq}}}'.encode()))
        publisher.turn(0.0)
        played.add(step)
        played.wall_s = clock.monotonic_s() - began_s
        if show is not None:
            show(played)
    publisher.flush()
    played.done = True
    if show is not None:
        show(played)
    return played


class _Pace:
    """Holds messages back until their time has come on the real clock; the first step is due at once."""

    def __init__(self, clock: Clock, speed: float | None) -> None:
        self._clock = clock
        self._step_s = 0.0 if speed is None else TICK_S / speed
        self._started_s = 0.0
        self._step = -1

    def next_step(self) -> None:
        """Count a step whose clock is due; the first one starts the real clock."""
        if self._step < 0:
            self._started_s = self._clock.monotonic_s()
        self._step += 1

    def wait(self, publisher: Publishes, share: float) -> None:
        """Wait until this share of the present step has gone by; the messages of a step are spread over it."""
        if self._step_s == 0.0 or self._step < 0:
            return
        left_s = self._started_s + (self._step + share) * self._step_s - self._clock.monotonic_s()
        if left_s > LEAST_WAIT_S:
            publisher.idle(left_s)


class _Lead:
    """Holds the driver back while it is too far ahead of the engine."""

    def __init__(self, clock: Clock, progress: Progress | None) -> None:
        self._clock = clock
        self._progress = progress
        self._reached: int | None = None

    def wait(self, publisher: Publishes, seq: int) -> None:
        if self._progress is None:
            return
        if self._reached is None:
            self._reached = seq - 1  # a recording may begin in the middle of a run
        moved_s = self._clock.monotonic_s()
        while seq - self._reached > STEPS_AHEAD:
            reached = self._progress()
            if reached > self._reached:
                self._reached, moved_s = reached, self._clock.monotonic_s()
            elif self._clock.monotonic_s() - moved_s > STALL_S:
                raise StackFailed(f"the engine has not ticked for {STALL_S:.0f} s: last run clock {self._reached}")
            else:
                publisher.idle(POLL_S)
