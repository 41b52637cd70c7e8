"""What a sender is given and what it may answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message on its way; the key is the same at every attempt."""

    key: str
    address: str
    title: str
    body: str
    severity: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """The service answered that it took the message."""

    receipt: str


@dataclass(frozen=True, slots=True)
class HandedOver:
    """Another program took the message; whether it was delivered is not known."""

    receipt: str


@dataclass(frozen=True, slots=True)
class Temporary:
    """Worth another try, not before ``retry_after_s``. ``most`` tries when the code is not known to be temporary."""

    error: str
    retry_after_s: float = 0.0
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Permanent:
    """Refused, and will be refused again."""

    error: str


Outcome = Accepted | HandedOver | Temporary | Permanent


class Sender(Protocol):
    """Sends one message and tells how it went; it raises nothing for a service that fails."""

    @property
    def most_bytes(self) -> int | None:
        """How long a body the service takes whole, in UTF-8; None where it has no limit. [byte]"""
        ...

    def send(self, message: Outgoing) -> Outcome:
        """Send now, within the channel's time limit."""
        ...


def cut(text: str, most_bytes: int) -> str:
    """Return a text of at most so many bytes of UTF-8, whole characters only, with a mark where it was cut.

    Examples
    --------
    >>> cut("水位上涨", 9)
    '水位…'
    """
    data = text.encode()
    if len(data) <= most_bytes:
        return text
    return data[: most_bytes - len("…".encode())].decode(errors="ignore") + "…"
