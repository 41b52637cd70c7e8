"""A clock that was set back, whatever it does from there, raises; what was held up on its way is late.

Only the pure tests of readings are asked, message by message, as a single sensor of 10 s to 5 min says them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import event, given
from hypothesis import strategies as st

from ingest.batch import Draft
from ingest.quality_checks import Known, examine
from ingest.quality_recent import Recent, Traits
from undercroft.quality import Quality, QualityTest
from undercroft.store.observations import NO_SERIAL, Rows
from undercroft.store.quality import SaidBefore

NOON_US = 1_782_907_200_000_000
DAY_S = 86_400.0
SENSOR = 1
Said = tuple[float, float, float]
"""Time that the device says, value, time of receipt; seconds after noon."""


class Ingest:
    """Judges messages as the writer does, with what is stored of them."""

    def __init__(self, interval_s: float) -> None:
        self.traits = {SENSOR: Traits(is_level=True, interval_s=interval_s, ceiling_m=3.0)}
        self.recent: dict[int, Recent] = {SENSOR: Recent()}
        self.stored: dict[tuple[int, int], SaidBefore] = {}
        self.lost: set[tuple[int, int, float]] = set()
        self.stamped: list[tuple[float, float]] = []
        """Time of receipt and value of what was taken for the word of a lost clock. [s]"""
        self.rows: list[tuple[int, int]] = []
        """Flag and tests of the others."""

    def take(self, said: Sequence[Said]) -> None:
        """Take one message."""
        columns = (
            np.full(len(said), SENSOR, dtype=np.int32),
            np.array([NOON_US + round(at * 1e6) for at, _, _ in said], dtype=np.int64),
            np.array([value for _, value, _ in said]),
            np.full(len(said), Quality.GOOD, dtype=np.int16),
            np.zeros(len(said), dtype=np.int32),
            np.array([NOON_US + round(came * 1e3) * 1000 for _, _, came in said], dtype=np.int64),
            np.full(len(said), NO_SERIAL),
        )
        of = np.zeros(len(said), dtype=np.int64)
        draft = Draft(1, Rows(*columns), of, (), (), (), (), None, ())
        done = examine(draft, self.recent, self.traits, Known(self.stored, frozenset(self.lost)))
        self.recent |= done.recent
        for entry in done.draft.stamped:
            assert entry.device_us is not None
            assert entry.quality == Quality.SUSPECT
            self.lost.add((SENSOR, entry.device_us, entry.value))
            self.stamped.append(((entry.received_us - NOON_US) / 1e6, entry.value))
        rows = done.draft.rows
        told = zip(rows.observed_us.tolist(), rows.values.tolist(), rows.received_us.tolist(), strict=True)
        for at_us, value, came_us in told:
            before = self.stored.get((SENSOR, at_us), SaidBefore(frozenset(), came_us, NO_SERIAL))
            self.stored[SENSOR, at_us] = before._replace(values=before.values | {value})
        self.rows += zip(rows.qualities.tolist(), rows.quality_tests.tolist(), strict=True)

    def speak_of_now(self, until_s: float, interval_s: float) -> None:
        """Say what is true of an hour before, and at the end."""
        for n in range(int(min(3600, 40 * interval_s) // interval_s), -1, -1):
            self.take([(until_s - n * interval_s, 0.0, until_s - n * interval_s)])


@given(
    shape=st.sampled_from(["stands", "begins anew", "creeps", "runs on"]),
    back_s=st.sampled_from([7200.0, 30 * DAY_S, 178 * DAY_S, 360 * DAY_S]),
    pause_s=st.sampled_from([5.0, 7.0, 10.0, 29.0, 30.0, 60.0, 300.0]),
    jitters=st.lists(st.sampled_from([0.0, 0.1, 0.2, 1.0]), min_size=1, max_size=7),
    values=st.lists(st.sampled_from([0.0, 0.5, 0.51, 0.6]), min_size=1, max_size=9),
    speed=st.sampled_from([0.01, 0.1, 0.5, 0.9]),
    times=st.integers(1, 3),
)
def test_a_clock_that_was_set_back_raises_at_the_first_reading_after_30_s(
    shape: str, back_s: float, pause_s: float, jitters: list[float], values: list[float], speed: float, times: int
) -> None:
    """And again, when it is set right for a moment and set back once more, to the very same times and values.

    The bound: the first reading that comes 30 s after the first from the past, and the third at the latest.
    """
    ingest = Ingest(interval_s=max(pause_s, 60.0))
    now_s = 0.0
    ingest.speak_of_now(now_s, pause_s)
    for _ in range(times):
        ingest.take([(now_s, 0.0, now_s)])
        began_s, before = now_s, len(ingest.stamped)
        bound_s = max(30.0 + 2 * pause_s, 3 * pause_s)
        n = 0
        while now_s < began_s + bound_s + 5 * pause_s:
            n += 1
            now_s += pause_s
            ran_s = {"stands": 0.0, "begins anew": jitters[n % len(jitters)], "creeps": speed * n * pause_s}
            at_s = -back_s + ran_s.get(shape, n * pause_s)
            ingest.take([(at_s, values[n % len(values)], now_s)])
        event(f"{shape}, every {pause_s} s")
        stamped = [came_s for came_s, _ in ingest.stamped[before:]]
        assert stamped, "never noticed"
        assert stamped[0] <= began_s + bound_s
        assert stamped[-1] == now_s, "and it stays so"
        now_s += 600.0


@given(
    spaced_s=st.sampled_from([1.0, 10.0, 60.0, 300.0]),
    together=st.integers(1, 40),
    apart=st.sampled_from([0.0, 0.001, 0.01, 0.5]),
    slow=st.sampled_from([0.005, 0.05, 0.2, 0.6]),
    outages_s=st.lists(st.sampled_from([0.0, 1.0, 5.0, 29.0, 31.0, 60.0, 120.0, 600.0]), min_size=1, max_size=8),
    is_backwards=st.booleans(),
    is_pack=st.booleans(),
    is_slow_link=st.booleans(),
    again=st.integers(0, 3),
)
def test_what_was_held_up_is_late_whatever_its_way(  # noqa: PLR0917
    spaced_s: float,
    together: int,
    apart: float,
    slow: float,
    outages_s: list[float],
    is_backwards: bool,
    is_pack: bool,
    is_slow_link: bool,
    again: int,
) -> None:
    """Bursts with outages between, in order or the newest first, in packs or one by one; a slow link, one at a time.

    A burst brings more than the time that the outage before it took, or its device would never come to an end; a slow
    link brings readings faster than they were measured, at least by a half. What had no answer is sent again.
    """
    ingest = Ingest(interval_s=600.0)
    ingest.speak_of_now(0.0, 60.0)
    unanswered: list[list[Said]] = []
    at_s, now_s, sent = -30 * DAY_S, 60.0, 0
    for outage_s in outages_s:
        if is_slow_link:
            readings, steps = 3, [spaced_s * slow] * 3
        else:
            readings = (
                max(together, int(2 * (outage_s + 60.0) / spaced_s) + 2) if spaced_s < outage_s + 60.0 else together
            )
            readings = min(max(readings, 2), 400)
            if readings * spaced_s <= 2 * (outage_s + 60.0):
                continue
            now_s += outage_s
            steps = [0.0 if is_pack else min(apart, spaced_s / 3)] * readings
        burst = [at_s + spaced_s * n for n in range(readings)]
        at_s += spaced_s * readings
        said = [(at, 0.9 + (n % 7) / 100, 0.0) for n, at in enumerate(reversed(burst) if is_backwards else burst)]
        messages = [said] if is_pack and not is_slow_link else [[entry] for entry in said]
        sent += len(said)
        for number, message in enumerate(unanswered + messages):
            now_s += steps[min(number, len(steps) - 1)]
            ingest.take([(at, value, now_s) for at, value, _ in message])
        unanswered = [] if is_slow_link else messages[len(messages) - again :]
    event(f"slow link {is_slow_link}, pack {is_pack}, backwards {is_backwards}")
    assert ingest.stamped == []
    late = [tests for _, tests in ingest.rows if tests & QualityTest.LATE]
    assert len(late) == sent
