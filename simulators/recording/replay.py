"""A recording as a run: a recorded exercise goes by its own clock, a live recording by its arrival times.

Live topics ``flood/...`` become ``exercise/...``; topics of foreign networks go under
``exercise/v1/{district}/foreign/``. Nothing is published as retained.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from simulators.recording.lines import Recorded, read_recording
from simulators.steps import TICK_S, Message, Run, Step
from undercroft.errors import ScenarioInvalid
from undercroft.model import Mode

_TICK = timedelta(seconds=TICK_S)
_LIVE, _EXERCISE = (f"{mode.topic_root}/" for mode in (Mode.LIVE, Mode.EXERCISE))
_CLOCK_SUFFIX = "/run/clock"


@dataclass(frozen=True, slots=True)
class Overview:
    """What a first pass over a recording tells."""

    messages: int
    first: datetime
    last: datetime
    districts: Mapping[str, int]
    """Messages by the district that their topic names, in order of their first."""
    clocks: Mapping[str, tuple[datetime, datetime]]
    """By district: first and last run clock; empty for a live recording."""


def overview(path: Path) -> Overview:
    """Read a recording through.

    Raises
    ------
    ScenarioInvalid
        If it is empty, cannot be read, or mixes live and exercise messages.
    """
    first = last = None
    districts: Counter[str] = Counter()
    clocks: dict[str, tuple[datetime, datetime]] = {}
    roots: set[str] = set()
    messages = 0
    for message in read_recording(path):
        messages += 1
        first = first or message.t
        last = max(last or message.t, message.t)
        root, _, rest = message.topic.partition("/")
        roots.add(root)
        _, _, below = rest.partition("/")
        named, _, _ = below.partition("/")
        if f"{root}/" in {_LIVE, _EXERCISE} and named:
            districts[named] += 1
            heard = _clock_of(message, named)
            if heard is not None:
                clocks[named] = (clocks.get(named, heard)[0], heard[0])
    if first is None or last is None:
        raise ScenarioInvalid(f"{path}: the recording is empty")
    if {_LIVE[:-1], _EXERCISE[:-1]} <= roots:
        raise ScenarioInvalid(f"{path}: live and exercise messages in one recording; record one with --filter")
    return Overview(messages, first, last, districts, clocks)


def recording_run(path: Path, district: str | None = None, fallback: str | None = None) -> Run:
    """Return the run of a recording, in the district of most of its messages; what strayed in stays beside it.

    Parameters
    ----------
    path : Path
        The file; it is read again while the run is played.
    district : str, optional
        That of the site it is played to, which must be among them if topics name any.
    fallback : str, optional
        For a recording whose topics name none.

    Raises
    ------
    ScenarioInvalid
        If it cannot be played.
    """
    seen = overview(path)
    most = max(seen.districts, key=lambda named: seen.districts[named], default=district or fallback)
    found = district if district in seen.districts else most
    if found is None:
        raise ScenarioInvalid(f"{path}: no topic names a district; give --site")
    if district not in {None, found}:
        raise ScenarioInvalid(f"{path}: recorded in district {found}, and the site is {district}: give --site")
    if found in seen.clocks:
        start, end = seen.clocks[found]
        steps = _recorded_steps(path, found)
    else:
        start = seen.first.replace(microsecond=0)
        end = -(-(seen.last - start) // timedelta(seconds=1)) * timedelta(seconds=1) + start
        steps = _timed_steps(path, found, start, max(end, start))
    label = f"Recording {path.name}, {seen.messages} messages"
    return Run(f"recording-{path.stem}", label, found, start, end, None, 0, steps)


def exercise_topic(topic: str, district: str) -> str:
    """Return where a recorded topic is played.

    Examples
    --------
    >>> exercise_topic("flood/v1/futian/garage-1/g1-level/event", "futian")
    'exercise/v1/futian/garage-1/g1-level/event'
    >>> exercise_topic("sl651/v1/0012345678", "futian")
    'exercise/v1/futian/foreign/sl651/v1/0012345678'
    """
    if topic.startswith(_EXERCISE):
        return topic
    if topic.startswith(_LIVE):
        return _EXERCISE + topic.removeprefix(_LIVE)
    return f"{_EXERCISE}v1/{district}/foreign/{topic}"


def _timed_steps(path: Path, district: str, start: datetime, end: datetime) -> Iterator[Step]:
    now, seq, waiting = start, 1, list[Message]()
    yield _step(seq, now, ())
    latest = start
    for message in read_recording(path):
        latest = max(latest, message.t)  # a recorder whose clock was set back
        while latest > now + _TICK:
            now, seq = now + _TICK, seq + 1
            yield _step(seq, now, waiting)
            waiting = []
        waiting.append(_played(message, district))
    yield _step(seq + 1, max(end, now), waiting)


def _recorded_steps(path: Path, district: str) -> Iterator[Step]:
    waiting: list[Message] = []
    seq, now = -1, datetime(1970, 1, 1, tzinfo=UTC)
    for message in read_recording(path):
        heard = _clock_of(message, district)
        if heard is None or heard[1] <= seq:  # a clock delivered twice is a message like others
            waiting.append(_played(message, district))
            continue
        now, seq = heard
        yield _step(seq, now, waiting, message.payload)
        waiting = []
    if waiting:
        yield _step(seq + 1, now + _TICK, waiting)


def _played(message: Recorded, district: str) -> Message:
    return Message(exercise_topic(message.topic, district), message.payload)


def _step(seq: int, now: datetime, messages: list[Message] | tuple[()], clock: bytes | None = None) -> Step:
    return Step(seq, now, tuple(messages), 0, 0, 0.0, 0.0, clock)


def _clock_of(message: Recorded, district: str) -> tuple[datetime, int] | None:
    if message.topic != f"{_EXERCISE}v1/{district}{_CLOCK_SUFFIX}":
        return None
    try:
        body = json.loads(message.payload)
        now, seq = datetime.fromisoformat(body["now"]), body["seq"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return (now.astimezone(UTC), seq) if type(seq) is int and now.tzinfo is not None else None
