"""What a check found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How bad it is; only ``bad`` makes the exit code 1."""

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report.

    Attributes
    ----------
    check : str
        Name of the check.
    seen : str
        What was seen, with numbers.
    advice : str
        What to do; empty when there is nothing to do.
    """

    check: str
    verdict: Verdict
    seen: str
    advice: str = ""

    def as_json(self) -> dict[str, str]:
        """Return the finding for ``--json``."""
        return asdict(self)


def good(check: str, seen: str) -> Finding:
    """Say that all is well."""
    return Finding(check, Verdict.GOOD, seen)


def note(check: str, seen: str, advice: str) -> Finding:
    """Say what could be better."""
    return Finding(check, Verdict.NOTE, seen, advice)


def bad(check: str, seen: str, advice: str) -> Finding:
    """Say what is wrong."""
    return Finding(check, Verdict.BAD, seen, advice)
