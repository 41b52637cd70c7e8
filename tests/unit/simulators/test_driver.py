"""The driver with a pretended session and clock: order, pace, and staying behind the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from simulators.driver import STALL_S, STEPS_AHEAD, Played, play
from simulators.steps import Message, Run, Step
from undercroft.clock import FakeClock
from undercroft.errors import StackFailed

START = datetime(2026, 7, 1, 4, tzinfo=UTC)


class Session:
    """Keeps what is published, and lets the clock go on while the driver idles."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.sent: list[tuple[float, Message]] = []
        self.flushed_after = -1
        self.on_idle: Callable[[], None] = lambda: None

    def publish(self, message: Message) -> None:
        self.sent.append((self._clock.monotonic_s(), message))

    def turn(self, timeout_s: float) -> None:
        pass

    def idle(self, seconds: float) -> None:
        self._clock.advance(timedelta(seconds=seconds))
        self.on_idle()

    def flush(self) -> None:
        self.flushed_after = len(self.sent)

    def clock_seqs(self) -> list[int]:
        return [orjson.loads(m.payload)["seq"] for _, m in self.sent if m.topic.endswith("run/clock")]


def a_run(steps: int, messages: int = 2) -> Run:
    def make() -> Iterator[Step]:
        for seq in range(1, steps + 1):
            sent = tuple(Message(f"exercise/v1/d/p/t-{n}/observation", f"{seq}-{n}".encode()) for n in range(messages))
            now = START + timedelta(minutes=seq - 1)
            yield Step(seq, now, sent if seq > 1 else (), len(sent) if seq > 1 else 0, 0, 1.0, seq / 60)

    return Run("small", "Small", "d", START, START + timedelta(minutes=steps - 1), None, 0, make())


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START)


@pytest.fixture
def session(clock: FakeClock) -> Session:
    return Session(clock)


def test_clock_comes_first_and_then_after_the_messages_of_its_step(session: Session, clock: FakeClock) -> None:
    play(a_run(3), session, clock, speed=None)
    told = [message.payload.decode() for _, message in session.sent]
    assert told == [
        '{"now":"2026-07-01T04:00:00Z","seq":1}',
        "2-0",
        "2-1",
        '{"now":"2026-07-01T04:01:00Z","seq":2}',
        "3-0",
        "3-1",
        '{"now":"2026-07-01T04:02:00Z","seq":3}',
    ]
    assert session.sent[0][1].topic == "exercise/v1/d/run/clock"
    assert session.flushed_after == len(session.sent)


def test_count_of_what_was_published(session: Session, clock: FakeClock) -> None:
    played = play(a_run(3), session, clock, speed=None)
    assert played.messages_published == len(session.sent) == 7
    assert (played.clocks, played.last_seq, played.readings_expected) == (3, 3, 4)
    assert played.simulated_s == 120.0
    assert played.done


def test_speed_spreads_messages_over_real_time(session: Session, clock: FakeClock) -> None:
    # At speed 2 a minute takes 30 s; two messages of a step are due at its beginning and its middle.
    play(a_run(3), session, clock, speed=2.0)
    assert [at for at, _ in session.sent] == pytest.approx([0, 0, 15, 30, 30, 45, 60])


def test_time_spent_before_the_first_step_is_not_caught_up(session: Session, clock: FakeClock) -> None:
    run = a_run(2)

    def late() -> Iterator[Step]:
        clock.advance(timedelta(seconds=100))
        yield from run.steps

    play(Run("s", "S", "d", START, START, None, 0, late()), session, clock, speed=60.0)
    assert session.sent[-1][0] == pytest.approx(101.0)


def test_full_speed_never_waits(session: Session, clock: FakeClock) -> None:
    play(a_run(300), session, clock, speed=None)
    assert clock.monotonic_s() == 0.0


def test_driver_stays_a_bounded_number_of_steps_ahead_of_the_engine(session: Session, clock: FakeClock) -> None:
    ticked = 0
    most_ahead = 0

    def engine_goes_on() -> None:
        nonlocal ticked
        ticked += 1

    def newest() -> int:
        return ticked

    def look(played: Played) -> None:
        nonlocal most_ahead
        most_ahead = max(most_ahead, played.last_seq - ticked)

    session.on_idle = engine_goes_on
    play(a_run(200), session, clock, speed=None, progress=newest, show=look)
    assert most_ahead == STEPS_AHEAD
    assert session.clock_seqs() == list(range(1, 201))


def test_engine_that_stands_still_ends_the_run(session: Session, clock: FakeClock) -> None:
    with pytest.raises(StackFailed, match="has not ticked for 120 s: last run clock 0"):
        play(a_run(200), session, clock, speed=None, progress=lambda: 0)
    assert session.clock_seqs()[-1] == STEPS_AHEAD
    assert clock.monotonic_s() == pytest.approx(STALL_S, abs=0.2)
