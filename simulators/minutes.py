"""Which minute of a run an option means: ``45``, or ``30 min before peak``."""

from __future__ import annotations

import re

from simulators.scenario import Scenario
from undercroft.errors import BadInput, ScenarioInvalid

_AROUND_PEAK = re.compile(r"^\s*(\d+)\s*(min|h)\s+(before|after)\s+peak\s*$")


def minute_asked_for(option: str, text: str | None, scenario: Scenario, *, default: int) -> int:
    """Return the minute of the run that an option asks for, held within the run."""
    if text is None:
        return default
    if text.strip().isdecimal():
        minute = int(text)
        if minute > scenario.minutes:
            raise ScenarioInvalid(f"{option} {text}: the run is {scenario.minutes} minutes long")
        return minute
    found = _AROUND_PEAK.match(text)
    if found is None:
        raise BadInput(f'{option} {text}: expected minutes after the start, or "30 min before peak"')
    if scenario.rain().total_mm == 0:
        raise ScenarioInvalid(f"{option} {text}: scenario {scenario.run.name} has no rain, so no peak")
    away = int(found[1]) * (60 if found[2] == "h" else 1)
    minute = scenario.rain().peak_min + (away if found[3] == "after" else -away)
    return min(max(minute, 0), scenario.minutes)
