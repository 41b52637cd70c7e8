"""The acts of a scenario resolved to a site: which barrier, pump or power changes at which minute."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

from simulators.chance import drawn
from simulators.scenario import (
    ActPart,
    DeployBarrier,
    OpenBarrier,
    PowerLoss,
    PumpFailure,
    Scenario,
    WarningSignal,
)
from undercroft.errors import ScenarioInvalid
from undercroft.quantities import BarrierState
from undercroft.site.model import Site

EntranceKey = tuple[int, int]
"""Number of the space in the site, number of the entrance in the space."""


@dataclass(slots=True)
class Changes:
    """What changes at one minute."""

    barriers: dict[EntranceKey, BarrierState] = field(default_factory=dict)
    mains: dict[int, bool] = field(default_factory=dict)
    pumps_work: dict[int, bool] = field(default_factory=dict)
    signal: bool | None = None


def timeline(site: Site, scenario: Scenario, seed: int) -> dict[int, Changes]:
    """Return the changes by minute of the run; a change between two minutes takes effect at the later one.

    Raises
    ------
    ScenarioInvalid
        If an act names a space or entrance that the site does not have, or one without a barrier.
    """
    found: dict[int, Changes] = defaultdict(Changes)
    start = scenario.run.start
    for number, act in enumerate(scenario.acts):
        _add(found, site, start, act, (seed, number))
    return dict(found)


def minute_of(instant: datetime, start: datetime) -> int:
    """Return the first whole minute of the run that is not before an instant."""
    return ceil((instant - start) / timedelta(minutes=1))


def _add(found: dict[int, Changes], site: Site, start: datetime, act: ActPart, chance: tuple[int, int]) -> None:
    minute = minute_of(act.at, start)
    until = None if isinstance(act, DeployBarrier | OpenBarrier) or act.until is None else minute_of(act.until, start)
    match act:
        case WarningSignal():
            found[minute].signal = True
            if until is not None:
                found[until].signal = False
        case DeployBarrier():
            for key, deploy_min in _barriers(site, act.target, act.share, chance):
                found[minute].barriers[key] = BarrierState.DEPLOYING
                found[minute + max(1, ceil(deploy_min))].barriers[key] = BarrierState[act.outcome.upper()]
        case OpenBarrier():
            for key, _ in _barriers(site, act.target, act.share, chance):
                found[minute].barriers[key] = BarrierState.OPEN
        case PowerLoss() | PumpFailure():
            for space in _spaces(site, act.target, act.share, chance):
                _of(found[minute], act)[space] = False
                if until is not None:
                    _of(found[until], act)[space] = True


def _of(changes: Changes, act: PowerLoss | PumpFailure) -> dict[int, bool]:
    return changes.mains if isinstance(act, PowerLoss) else changes.pumps_work


def _spaces(site: Site, target: str, share: float, chance: tuple[int, int]) -> Iterator[int]:
    hits = [i for i, space in enumerate(site.spaces) if target in {"*", space.id}]
    if not hits:
        raise ScenarioInvalid(f"act[{chance[1]}].target: the site has no space {target}")
    return (i for i in hits if drawn("act", *chance, site.spaces[i].id) < share)


def _barriers(site: Site, target: str, share: float, chance: tuple[int, int]) -> Iterator[tuple[EntranceKey, float]]:
    hits = {
        (i, k): (f"{space.id}/{entrance.id}", entrance.barrier.deploy_min)
        for i, space in enumerate(site.spaces)
        for k, entrance in enumerate(space.entrances)
        if entrance.barrier is not None and target in {"*", space.id, f"{space.id}/{entrance.id}"}
    }
    if not hits and target != "*":
        raise ScenarioInvalid(f"act[{chance[1]}].target: the site has no barrier at {target}")
    return ((key, minutes) for key, (name, minutes) in hits.items() if drawn("act", *chance, name) < share)
