"""Faults of sensors: pure changes of what a device sends, and the plan of who has which fault when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from simulators.acts import minute_of
from simulators.chance import drawn
from simulators.payload import Sent, Value, payload_of
from simulators.scenario import ClockOffset, Dropout, Duplicate, FaultPart, Garbage, Scenario, Spike, Stuck
from undercroft.errors import ScenarioInvalid

FOREVER_MIN = 10**9
LEVELS = frozenset({"water_level_m", "water_depth_m"})
STATES = frozenset({"true", "false"})


def spiked(sent: Sent, by_m: float) -> Sent:
    """Return the message with its levels moved by a height. [m]"""
    values = tuple(
        replace(value, text=f"{float(value.text) + by_m:.3f}") if value.quantity in LEVELS else value
        for value in sent.values
    )
    return replace(sent, values=values)


def stuck(sent: Sent, held: Sent) -> Sent:
    """Return the message with the numbers of an earlier one; states stay true."""
    before = {(value.at, value.quantity): value.text for value in held.values}
    values = tuple(
        value if _is_state(value) else replace(value, text=before.get((value.at, value.quantity), value.text))
        for value in sent.values
    )
    return replace(sent, values=values)


def _is_state(value: Value) -> bool:
    return value.text in STATES or value.text.startswith('"')


def shifted(sent: Sent, offset_s: int) -> Sent:
    """Return the message stamped by a clock that is wrong by this much. [s]"""
    return replace(sent, observed_s=sent.observed_s + offset_s)


def garbage_payload(form: str, sent: Sent) -> bytes:
    """Return a message that must become a dead letter, in one of five forms."""
    good = payload_of(sent)
    match form:
        case "not_json":
            return good[:-1]
        case "not_utf8":
            return b'{"observed_at":"\xff\xfe' + good[-1:]
        case "nan":
            return b'{"observed_at":"2026-01-01T00:00:00Z","water_depth_m":NaN}'
        case "no_timestamp":
            return b'{"water_depth_m":0.5}'
        case "unknown_quantity":
            head = good.split(b",", 1)[0].removeprefix(b'{"readings":[')
            return head + b',"colour_of_the_water":7}'
    raise ValueError(f"no such form of garbage: {form}")


@dataclass(frozen=True, slots=True)
class Faulty:
    """What a device with faults sends in place of one message.

    Attributes
    ----------
    sent : Sent or None
        The message as it leaves; None when it is lost.
    copies : int
        How often it is sent.
    garbage : tuple of bytes
        Unreadable messages beside it.
    """

    sent: Sent | None
    copies: int
    garbage: tuple[bytes, ...]


class FaultPlan:
    """Faults by device, with what a stuck sensor remembers."""

    def __init__(self, scenario: Scenario, places: dict[str, str], seed: int) -> None:
        self._seed = seed
        self._start = scenario.run.start
        self._faults = {device: self._of_device(scenario.faults, device, place) for device, place in places.items()}
        self._held: dict[tuple[str, int], Sent] = {}
        known = {"*", *places, *places.values()}
        for number, fault in enumerate(scenario.faults):
            if fault.device not in known:
                raise ScenarioInvalid(f"fault[{number}].device: the site has no device or place {fault.device}")

    def _of_device(self, faults: Sequence[FaultPart], device: str, place: str) -> tuple[tuple[int, FaultPart], ...]:
        return tuple(
            (number, fault)
            for number, fault in enumerate(faults)
            if fault.device in {"*", device, place} and drawn("fault", self._seed, number, device) < fault.share
        )

    def __contains__(self, device: str) -> bool:
        """Tell whether a device ever has a fault."""
        return bool(self._faults[device])

    def apply(self, sent: Sent, minute: int) -> Faulty:
        """Return what is sent in place of a message of this minute of the run."""
        copies, garbage, leaving = 1, list[bytes](), sent
        for number, fault in self._faults[sent.device]:
            if not self._hits(number, fault, sent, minute):
                continue
            match fault:
                case Dropout():
                    return Faulty(None, 0, tuple(garbage))
                case Stuck():
                    leaving = stuck(leaving, self._held.setdefault((sent.device, number), sent))
                case Spike():
                    leaving = spiked(leaving, fault.by_m)
                case ClockOffset():
                    leaving = shifted(leaving, fault.offset_s)
                case Duplicate():
                    copies = 2
                case Garbage():
                    garbage.append(garbage_payload(fault.form, sent))
        return Faulty(leaving, copies, tuple(garbage))

    def _hits(self, number: int, fault: FaultPart, sent: Sent, minute: int) -> bool:
        return (
            _minute(fault.at, self._start) <= minute < _minute(fault.until, self._start)
            and drawn("hit", self._seed, number, sent.device, sent.observed_s) < fault.chance
        )


def _minute(instant: datetime | None, start: datetime) -> int:
    return FOREVER_MIN if instant is None else minute_of(instant, start)
