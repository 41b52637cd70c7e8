"""The nouns of duty: why a message goes out, who can be reached how, how long each severity may wait."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from undercroft.model import Severity


class Reason(StrEnum):
    """Why a message goes out; every message names one."""

    FIRST = "first"
    WORSE = "worse"
    REPEAT = "repeat"
    ESCALATED = "escalated"
    REFUSED = "refused"
    ALL_CLEAR = "all_clear"
    ENDED = "ended"
    ORDER_LATE = "order_late"
    REPORT_LATE = "report_late"
    NO_ORDER = "no_order"
    ORDER_UNDONE = "order_undone"
    PROBE = "probe"


ENDS = frozenset({Reason.ALL_CLEAR, Reason.ENDED})
"""What tells an end: of the water in a basin, or of what ailed the system or devices, which is no all clear."""

AGAIN = frozenset(
    {Reason.REPEAT, Reason.ORDER_LATE, Reason.REPORT_LATE, Reason.NO_ORDER, Reason.ORDER_UNDONE}
)  # fmt: skip
"""What is told again until somebody acts: news goes before it, and an unsent one gives way to the next."""


@dataclass(frozen=True, slots=True)
class Reach:
    """One way to reach a person: a channel of the duty file, and the address there."""

    channel: str
    address: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on the roster."""

    person_id: str
    name: str
    phone: str = ""
    reach: tuple[Reach, ...] = ()


@dataclass(frozen=True, slots=True)
class AlarmEventIn:
    """An entry of the alarm log as duty reads it."""

    subject: str
    occurrence: int
    event_no: int
    kind: str
    severity: int
    at: datetime
    text_zh: str = ""
    text_en: str = ""
    said_severity: int = 0
    """Severity of the reason that the words tell; 0 is that of the alarm."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How long each severity may wait for a person, and how close ordinary messages may follow each other.

    Attributes
    ----------
    interval : dict
        Time without acknowledgement after which a severity is told again.
    escalates : frozenset of Severity
        Severities whose repetition reaches the next step of the roster.
    spacing : timedelta
        News below red of one incident waits this long after its last message; red never waits.
    linger : timedelta
        An incident without an open alarm ends after this time; water that comes back earlier is the same storm.
    """

    interval: dict[Severity, timedelta] = field(
        default_factory=lambda: {
            Severity.RED: timedelta(minutes=3),
            Severity.ORANGE: timedelta(minutes=10),
            Severity.YELLOW: timedelta(minutes=30),
        }
    )
    escalates: frozenset[Severity] = frozenset({Severity.RED, Severity.ORANGE})
    spacing: timedelta = timedelta(seconds=60)
    linger: timedelta = timedelta(minutes=30)
