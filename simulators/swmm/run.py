"""One SWMM run, minute by minute: levels and pump states out, barrier and power states in."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pyswmm import Simulation
from swmm.toolkit import solver
from swmm.toolkit.shared_enum import NodeResult, ObjectType

from simulators.rain import Storm
from simulators.swmm.model import model_text, street_level_m, weir_setting
from undercroft.site.model import Site

MINUTE_S = 60


@dataclass(frozen=True, slots=True)
class Continuity:
    """Errors of SWMM's own mass balance, in percent of what came in."""

    runoff_percent: float
    routing_percent: float


class SwmmRun:
    """A running model. Make one with `swmm_run`; a process can hold one at a time."""

    def __init__(self, simulation: Simulation, site: Site) -> None:
        self._simulation = simulation
        self._site = site
        count = range(len(site.spaces))
        self._streets = [solver.project_get_index(ObjectType.NODE, f"T{i}") for i in count]
        self._insides = [solver.project_get_index(ObjectType.NODE, f"U{i}") for i in count]
        self._street_base_m = np.array([street_level_m(space) for space in site.spaces])
        self._floor_m = np.array([space.floor_level_m for space in site.spaces])
        self._pump_links = {
            (i, k): solver.project_get_index(ObjectType.LINK, f"P{i}_{k}")
            for i in count
            for k in range(len(site.spaces[i].pumps))
        }
        self._pump_on = dict.fromkeys(self._pump_links, False)
        self.continuity: Continuity | None = None
        """Mass balance of the whole run; None until it has ended."""
        simulation.add_after_end(self._keep_continuity)
        self.street_depth_m: NDArray[np.float64] = np.zeros(len(site.spaces))
        """Water over the lowest roadway of each space. [m]"""
        self.inside_depth_m: NDArray[np.float64] = np.zeros(len(site.spaces))
        """Water over the floor of each space. [m]"""

    @property
    def street_level_m(self) -> NDArray[np.float64]:
        """Street water surface of each space; the roadway where dry. [m over datum]"""
        return self._street_base_m + self.street_depth_m

    @property
    def inside_level_m(self) -> NDArray[np.float64]:
        """Water surface in each space; the floor where dry. [m over datum]"""
        return self._floor_m + self.inside_depth_m

    def set_barrier(self, space: int, entrance: int, *, deployed: bool) -> None:
        """Put a barrier up, or take it away."""
        link = solver.project_get_index(ObjectType.LINK, f"W{space}_{entrance}")
        setting = weir_setting(self._site.spaces[space].entrances[entrance], deployed=deployed)
        solver.link_set_target_setting(link, setting)

    def switch_pumps(self, can_run: NDArray[np.bool_]) -> dict[tuple[int, int], bool]:
        """Switch pumps by depth and by what can run in each space; return those that changed."""
        changed: dict[tuple[int, int], bool] = {}
        for (i, k), link in self._pump_links.items():
            pump = self._site.spaces[i].pumps[k]
            depth_m = self.inside_depth_m[i]
            was_on = self._pump_on[i, k]
            on = bool(can_run[i]) and (depth_m > pump.off_depth_m if was_on else depth_m >= pump.on_depth_m)
            if on != was_on:
                solver.link_set_target_setting(link, 1.0 if on else 0.0)
                self._pump_on[i, k] = changed[i, k] = on
        return changed

    def advance(self) -> None:
        """Run one minute."""
        next(self._simulation)
        depth = NodeResult.DEPTH
        self.street_depth_m = np.array([solver.node_get_result(node, depth) for node in self._streets])
        self.inside_depth_m = np.array([solver.node_get_result(node, depth) for node in self._insides])

    def _keep_continuity(self) -> None:
        self.continuity = Continuity(self._simulation.runoff_error, self._simulation.flow_routing_error)


@contextmanager
def swmm_run(site: Site, storm: Storm, start: datetime, minutes: int) -> Iterator[SwmmRun]:
    """Start SWMM on a site and a storm; its files live in a private folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="undercroft-swmm-") as folder:
        path = Path(folder) / "district.inp"
        # One spare minute: SWMM ends its iteration on the last step instead of returning from it.
        path.write_text(model_text(site, storm, start.astimezone(UTC), minutes + 1), encoding="ascii")
        with Simulation(str(path), str(path.with_suffix(".rpt")), str(path.with_suffix(".out"))) as simulation:
            simulation.step_advance(MINUTE_S)
            simulation.start()
            yield SwmmRun(simulation, site)


def minutes_of(run: SwmmRun, minutes: int) -> Iterator[int]:
    """Advance minute by minute; yields the number of minutes run so far."""
    for minute in range(1, minutes + 1):
        run.advance()
        yield minute
