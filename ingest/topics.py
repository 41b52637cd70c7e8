"""The topic tree: ``{root}/v1/{district}/{place}/{device}/{kind}``, and the run clock of an exercise."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ingest.reasons import Reason
from undercroft.errors import PayloadInvalid
from undercroft.model import Mode

VERSION = "v1"
RUN_CLOCK_SUFFIX = b"/run/clock"


class Kind(StrEnum):
    """Last level of a device's topic."""

    OBSERVATION = "observation"
    EVENT = "event"
    STATUS = "status"


@dataclass(frozen=True, slots=True)
class DeviceTopic:
    """Where a device published."""

    district: str
    place: str
    device: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class RunClockTopic:
    """Where the driver of a run publishes its time."""

    district: str


def parse_topic(topic: bytes, mode: Mode) -> DeviceTopic | RunClockTopic:
    """Read a topic of this mode's tree.

    Raises
    ------
    PayloadInvalid
        With reason ``bad_topic`` if it is not in the tree.

    Examples
    --------
    >>> parse_topic(b"flood/v1/futian/garage-1/g1-level/event", Mode.LIVE).kind.value
    'event'
    """
    try:
        levels = topic.decode().split("/")
    except UnicodeDecodeError:
        raise PayloadInvalid(Reason.BAD_TOPIC, "the topic is not UTF-8") from None
    if levels[:2] != [mode.topic_root, VERSION]:
        raise PayloadInvalid(Reason.BAD_TOPIC, f"not under {mode.topic_root}/{VERSION}")
    match levels[2:]:
        case [district, "run", "clock"] if mode is Mode.EXERCISE and district:
            return RunClockTopic(district)
        case [district, place, device, kind] if district and place and device and kind in set(Kind):
            return DeviceTopic(district, place, device, Kind(kind))
    raise PayloadInvalid(Reason.BAD_TOPIC, "not district/place/device/(observation|event|status)")


def device_named(topic: bytes, mode: Mode) -> str | None:
    """Return the device that a topic names where it is none of this tree; None where it names none.

    Examples
    --------
    >>> device_named(b"flood/v1/futian/garage-1/g1-level/observations", Mode.LIVE)
    'g1-level'
    """
    levels = topic.decode(errors="replace").split("/")
    return levels[4] if len(levels) > 4 and levels[:2] == [mode.topic_root, VERSION] and levels[4] else None


FOREIGN = "foreign"
"""In an exercise a foreign topic stands under ``exercise/v1/{district}/foreign/``."""


def foreign_topic(topic: bytes, mode: Mode, district: str | None) -> str | None:
    """Return the topic as a foreign network published it; None if it is one of the district's own tree.

    Examples
    --------
    >>> foreign_topic(b"sl651/v1/0012345678", Mode.LIVE, "futian")
    'sl651/v1/0012345678'
    >>> foreign_topic(b"exercise/v1/futian/foreign/sl651/v1/0012345678", Mode.EXERCISE, "futian")
    'sl651/v1/0012345678'
    """
    try:
        text = topic.decode()
    except UnicodeDecodeError:
        return None
    if mode is Mode.LIVE:
        return None if text.startswith(f"{mode.topic_root}/") else text
    prefix = f"{mode.topic_root}/{VERSION}/{district}/{FOREIGN}/"
    return text.removeprefix(prefix) if text.startswith(prefix) else None


def is_run_clock(topic: bytes) -> bool:
    """Tell whether a message of this topic closes a batch."""
    return topic.endswith(RUN_CLOCK_SUFFIX)


def tree_filters(mode: Mode) -> tuple[str, ...]:
    """Topic filters of the lane that takes all: the whole tree, so that what stands nowhere in it is a letter."""
    return (f"{mode.topic_root}/{VERSION}/#",)


def narrow_filters(mode: Mode) -> tuple[str, ...]:
    """Topic filters of that lane in earlier versions; a session keeps them until they are taken back."""
    return () if mode is Mode.EXERCISE else (*observation_filters(mode), *state_filters(mode))


def observation_filters(mode: Mode) -> tuple[str, ...]:
    """Topic filters of routine readings, for workers that share them."""
    return (_of_kind(mode, Kind.OBSERVATION),)


def state_filters(mode: Mode) -> tuple[str, ...]:
    """Topic filters of device states, which come in order by one session only; in an exercise all does."""
    return () if mode is Mode.EXERCISE else (_of_kind(mode, Kind.STATUS),)


def event_filters(mode: Mode) -> tuple[str, ...]:
    """Topic filters of the lane of changes of state; an exercise has one lane, so that its order holds."""
    return () if mode is Mode.EXERCISE else (_of_kind(mode, Kind.EVENT),)


def _of_kind(mode: Mode, kind: Kind) -> str:
    return f"{mode.topic_root}/{VERSION}/+/+/+/{kind}"
