"""What quality control remembers of a sensor: its last readings, as the database holds them too. Pure.

The memory is a function of the stored rows, in order of arrival, and of nothing else. So it is the same after a
restart, and the same however the messages are cut into batches.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from ingest.quality import MAX_AHEAD_US
from ingest.quality_limits import WET_M

MOST_RECENT = 40
"""Readings kept per sensor; of a value that stays the same longer than these, since when (`Recent.same_us`)."""
NEVER_US = -(2**62)
IN_STEP_US = 30_000_000
"""Two readings whose clock went on as the receiver's did, to within so much, and half the time between them. [µs]"""
STEADY_US = 30_000_000
"""A clock that was set back is known once its device has spoken for so long, and of the past alone. [µs]"""
ALONE_US = 5_000_000
"""A reading that comes after such a pause was not held up behind another. [µs]"""
OVERDUE_INTERVALS = 3.0
"""Dry intervals without a word of now, after which nothing explains words of the past any more."""
MOST_SENT_AGAIN = 2
"""The same time and value, so often, may be one reading that was sent again: its device had no answer."""


class Sample(NamedTuple):
    """A reading that was the newest of its sensor when it came."""

    observed_us: int
    received_us: int
    value: float
    is_failed: bool
    serial: int


class Beside(NamedTuple):
    """A sensor that another is held against."""

    sensor_id: int
    limit_m: float
    """Where the two have to agree, as a level sensor reads it. [m]"""
    holds_us: int
    """How long its word holds. [µs]"""
    dry_m: float = -inf
    """Of a float switch and a gauge: what the gauge reads when dry. [m]"""


@dataclass(frozen=True, slots=True)
class Traits:
    """What the site data says of a sensor, as far as its readings are tested against it."""

    is_level: bool
    interval_s: float
    ceiling_m: float
    """Above it a depth inside is suspect; infinite where there is none. [m]"""
    peers: tuple[int, ...] = ()
    """Sensors of the same quantity, spot and zero."""
    wet_m: float = inf
    """What a sensor inside reads where water inside counts. [m]"""
    outside: tuple[tuple[Beside, ...], ...] = ()
    """By entrance of its space, the level sensors there; empty where one has none, or it is none of the inside."""
    floats: tuple[Beside, ...] = ()
    """Float switches at the spot of a level sensor."""
    gauges: tuple[Beside, ...] = ()
    """Level sensors at the spot of a float switch."""
    wet_from_m: float = WET_M
    """What a level sensor reads at `WET_M` over its dry reading; infinite where the ground is not known. [m]"""
    is_counter: bool = False
    """It counts rain, for ever."""

    @property
    def beside(self) -> tuple[int, ...]:
        """All sensors that it is held against."""
        held = (*(entry for entrance in self.outside for entry in entrance), *self.floats, *self.gauges)
        return (*self.peers, *(entry.sensor_id for entry in held))


NO_TRAITS = Traits(is_level=False, interval_s=inf, ceiling_m=inf, wet_from_m=inf)
"""Of a sensor that the site does not have any longer."""


class Stray(NamedTuple):
    """Readings from the past of one moment of receipt: late ones, and those of a clock that was set back."""

    received_us: int
    oldest_us: int
    newest_us: int
    """Oldest and newest time that they gave. [µs since 1970]"""
    is_lost: bool
    """One of them is stored at its time of receipt, since the clock was set back."""
    is_repeat: bool = False
    """All of them say time and value of a stored one: their device may have sent them again."""

    def is_slow(self, observed_us: int, received_us: int) -> bool:
        """Tell whether, from this moment to a later one, the device's time went on no faster than the receiver's.

        It may stand, or go back by half of that, as one that begins anew at each wake. What was held up goes on faster.
        """
        span_us = received_us - self.received_us
        if observed_us < self.oldest_us:
            return self.oldest_us - observed_us <= span_us / 2
        return observed_us - self.newest_us <= span_us + min(IN_STEP_US, span_us / 2)

    def is_in_step(self, observed_us: int, received_us: int) -> bool:
        """Tell whether, from this moment to a later one, the device's clock went on as the receiver's did."""
        span_us = received_us - self.received_us
        return abs(observed_us - self.newest_us - span_us) <= min(IN_STEP_US, span_us / 2)


@dataclass(slots=True)
class Recent:
    """The last readings of one sensor."""

    samples: deque[Sample] = field(default_factory=lambda: deque(maxlen=MOST_RECENT))
    lost_us: int = NEVER_US
    """Whole second of receipt of the newest reading whose clock was lost. [µs since 1970]"""
    strays: tuple[Stray, ...] = ()
    """At most `MOST_RECENT` moments of receipt, in their order."""
    same_us: int = NEVER_US
    """Since when, before all that is remembered, the sensor said what the oldest of these says; `NEVER_US` where the
    reading before it said else, failed, or was dry. A quick sensor says `MOST_RECENT` readings in minutes. [µs]"""

    is_cut: bool = field(default=False, compare=False)
    """Something ahead of a receipt was forgotten (`receiver_set_back`)."""

    @property
    def oldest_us(self) -> int:
        """Return from when on something is known; `NEVER_US` if nothing. [µs since 1970]"""
        return self.same_us if self.same_us > NEVER_US or not self.samples else self.samples[0].observed_us

    def copy(self) -> Recent:
        """Return one that can be changed without changing this."""
        return Recent(self.samples.copy(), self.lost_us, self.strays, self.same_us)

    def append(self, new: Sample, wet_from_m: float) -> None:
        """Remember a reading that is newer than all; ``wet_from_m`` as in `Traits`."""
        if len(self.samples) == self.samples.maxlen:
            self.same_us = self.same_before(self.samples[1], (self.samples[0],), wet_from_m)
        self.samples.append(new)

    def same_before(self, oldest: Sample, before: Iterable[Sample], wet_from_m: float) -> int:
        """Return `same_us` for another oldest sample; before it come these, the newest first, the last our oldest."""
        since_us = NEVER_US
        if oldest.is_failed or oldest.value < wet_from_m:
            return since_us
        for sample in before:
            if sample.is_failed or sample.value != oldest.value:
                return since_us
            since_us = sample.observed_us
        return self.same_us if self.same_us > NEVER_US else since_us

    def note_sample(self, new: Sample, wet_from_m: float) -> None:
        """Remember a reading that was the newest when it came, at its place by time.

        A time is stored once. Where two writers had the same reading at once, the one that is stored counts.
        """
        samples = self.samples
        if not samples or new.observed_us > samples[-1].observed_us:
            self.append(new, wet_from_m)
        elif new.observed_us > samples[0].observed_us or len(samples) < MOST_RECENT:
            others = [sample for sample in samples if sample.observed_us != new.observed_us]
            known = sorted([*others, new])
            if len(known) > MOST_RECENT:
                self.same_us = self.same_before(known[1], known[:1], wet_from_m)
            self.samples = deque(known[-MOST_RECENT:], maxlen=MOST_RECENT)

    def note_stray(self, observed_us: int, received_us: int, *, is_lost: bool = False, is_repeat: bool = False) -> None:
        """Remember a reading that was not the newest, with those that were received together with it."""
        self.note_strays(Stray(received_us, observed_us, observed_us, is_lost, is_repeat))

    def note_strays(self, new: Stray) -> None:
        """Remember readings that were received together; what came before the newest of a lost clock says no more."""
        place = len(self.strays)
        while place and self.strays[place - 1].received_us > new.received_us:
            place -= 1
        before = self.strays[:place]
        if before and before[-1].received_us == new.received_us:
            known, before = before[-1], before[:-1]
            oldest_us, newest_us = min(known.oldest_us, new.oldest_us), max(known.newest_us, new.newest_us)
            is_lost, is_repeat = known.is_lost or new.is_lost, known.is_repeat and new.is_repeat
            new = Stray(new.received_us, oldest_us, newest_us, is_lost, is_repeat)
        strays = (*before, new, *self.strays[place:])
        newest_lost = max((n for n, stray in enumerate(strays) if stray.is_lost), default=0)
        self.strays = strays[newest_lost:][-MOST_RECENT:]

    def note_lost(self, received_us: int) -> None:
        """Remember a reading that is stored at its time of receipt."""
        self.lost_us = max(self.lost_us, received_us // 1_000_000 * 1_000_000)

    def lies_ahead(self, received_us: int) -> bool:
        """Tell whether something lies further ahead of a receipt than a device may: the receiver's clock was ahead."""
        latest_us = received_us + MAX_AHEAD_US
        newest = self.samples[-1] if self.samples else None
        return (
            self.lost_us > latest_us
            or (newest is not None and (newest.observed_us > latest_us or newest.received_us > latest_us))
            or bool(self.strays and self.strays[-1].received_us > latest_us)
        )

    def receiver_set_back(self, received_us: int) -> None:
        """Forget what lies ahead of a receipt: the clock that stamped it was ahead, and was set back."""
        self.is_cut = True
        latest_us = received_us + MAX_AHEAD_US
        known = [sample for sample in self.samples if sample.observed_us <= latest_us]
        came = (sample._replace(received_us=min(sample.received_us, received_us)) for sample in known)
        self.samples = deque(came, maxlen=MOST_RECENT)
        self.strays = tuple(stray for stray in self.strays if stray.received_us <= latest_us)
        self.lost_us = self.lost_us if self.lost_us <= latest_us else NEVER_US
        self.same_us = self.same_us if self.samples else NEVER_US

    def set_back(self, sample: Sample, interval_s: float, least_before: int = 1) -> bool:
        """Tell whether a reading from the past is that of a clock that was set back.

        Whether it runs on, creeps, stands or begins anew: it is if its device has said nothing of now for `STEADY_US`,
        only of the past, and that no faster than time passes (`Stray.is_slow`), from a word on that came alone: after
        a pause, or itself no faster than time. Who sends its past no faster than it was measured never comes to an end
        with it. So what was held up at a device or a broker, and comes in bursts, with outages between, or one by one
        over a slow link, is late and nothing else.

        Parameters
        ----------
        sample : Sample
            The reading.
        interval_s : float
            Dry interval of the device.
        least_before : int, optional
            So many words of the past must have come before it.
        """
        spoken_us = self.samples[-1].received_us if self.samples else NEVER_US
        past = [stray for stray in self.strays if spoken_us < stray.received_us < sample.received_us]
        if past and self._goes_on_over_a_word_of_now(spoken_us, past[0], sample.received_us, interval_s):
            return False
        later_us, later_received_us = sample.observed_us, sample.received_us
        words = 0
        for place in range(len(past) - 1, -1, -1):
            stray = past[place]
            if not (
                stray.is_slow(later_us, later_received_us) and stray.is_slow(sample.observed_us, sample.received_us)
            ):
                if stray.is_repeat:
                    continue  # sent again: it says nothing of when
                return False
            if stray.is_lost:
                return True
            words += 1
            is_long = sample.received_us - stray.received_us >= STEADY_US and words >= least_before
            if is_long and _is_alone(stray, past[place - 1] if place else None, spoken_us):
                return True
            later_us, later_received_us = stray.newest_us, stray.received_us
        return False

    def _goes_on_over_a_word_of_now(self, spoken_us: int, first: Stray, received_us: int, interval_s: float) -> bool:
        """Tell whether the past went on in step over the newest word of now, whose next is not overdue.

        So does a second way that is always late, and a store that is sent one by one between the readings of now.
        """
        before = [stray for stray in self.strays if stray.received_us < spoken_us]
        is_due = received_us - spoken_us <= OVERDUE_INTERVALS * interval_s * 1e6
        return is_due and bool(before) and before[-1].is_in_step(first.oldest_us, first.received_us)

    def last_sound(self) -> tuple[Sample | None, Sample | None]:
        """Return the newest two readings that did not fail, the newest first."""
        newest = None
        for sample in reversed(self.samples):
            if not sample.is_failed:
                if newest is not None:
                    return newest, sample
                newest = sample
        return newest, None

    def oldest_sound_since(self, since_us: int) -> Sample | None:
        """Return the oldest remembered reading from a time on that did not fail."""
        oldest = None
        for sample in reversed(self.samples):
            if sample.observed_us < since_us:
                break
            oldest = oldest if sample.is_failed else sample
        return oldest

    def unchanged_since_us(self, value: float) -> tuple[int, int]:
        """Return since when, and how often, the sensor has said this very value. [µs since 1970]"""
        since_us, times = NEVER_US, 0
        for sample in reversed(self.samples):
            if sample.is_failed or sample.value != value:
                break
            since_us, times = sample.observed_us, times + 1
        else:
            since_us = self.oldest_us
        return since_us, times


def _is_alone(stray: Stray, before: Stray | None, spoken_us: int) -> bool:
    """Tell whether readings were not held up behind others: they came after a pause, or no faster than time passes."""
    before_us = spoken_us if before is None else before.received_us
    pause_us = stray.received_us - before_us if before_us > NEVER_US else 0
    if stray.newest_us - stray.oldest_us > pause_us:
        return False
    is_slow = before is not None and not before.is_repeat and before.is_slow(stray.oldest_us, stray.received_us)
    return pause_us >= ALONE_US or is_slow
