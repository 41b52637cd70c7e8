"""A site import at any moment lowers no level and clears no alarm: it is never calmer than its sensors' silence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from risk.arrays import to_us
from risk.engine import Engine, plant_of, with_site
from risk.left import Left
from risk.snapshot import dump_state, load_state, read_header
from risk.state import BLIND, FAMILIES, SIGNATURES, STAND_IN
from risk.warnings import Act
from tests.property.test_engine import log_of
from tests.unit.risk.builders import NAMES, START, Crank, Reading, depth_sensor, device, entrance, gauge, site, space
from undercroft.site.model import Site

OUT, IN, GATE, UP, RAIN = (
    "out:water_depth_m", "in:water_depth_m", "gate:barrier_state", "lvl:water_depth_m", "rain-1:rain_total_mm",
)  # fmt: skip
SECOND, RAMP = "second:water_depth_m", "ramp:water_depth_m"
"""A second sensor inside, and one more on the road: the site file does not say how far from the first."""


@dataclass(frozen=True)
class Version:
    """A version of a site: a car park and an underpass, each with what it may have lost, or have under another name."""

    door: str = "north"
    out: str | None = "out"
    out_at: str = "north"
    gate: bool = True
    inside: str | None = "in"
    lvl: str | None = "lvl"
    gauge_place: str | None = "roof"
    basin: str = "b1"
    basin_of_gauge: str = "b1"
    street: str = "Futian"
    second: str | None = None
    ramp: str | None = None

    @property
    def site(self) -> Site:
        doors = [entrance(name) | {"barrier": {"height_m": 0.6, "deploy_min": 10.0}} for name in (self.door, "south")]
        at = self.out_at if self.out_at in {self.door, "south"} else self.door
        devices = [device(self.out, depth_sensor(at))] if self.out else []
        devices += [device("gate", {"quantity": "barrier_state", "entrance": self.door})] if self.gate else []
        devices += [device(name, depth_sensor()) for name in (self.inside, self.second) if name]
        road = [device(name, depth_sensor()) for name in (self.lvl, self.ramp) if name]
        where = {"basin": self.basin, "street": self.street}
        places = [
            space("s", "car_park", entrances=doors, devices=devices, **where),
            space("up", "underpass", devices=road, **where),
        ]
        gauges = [gauge("rain-1", self.basin_of_gauge) | {"id": self.gauge_place}] if self.gauge_place else []
        basins = [{"id": name, **NAMES} for name in sorted({self.basin, self.basin_of_gauge, "b2"})]
        return site(*places, gauges=gauges, basin=basins)


waters = st.builds(
    Version,
    door=st.sampled_from(["north", "north", "main"]),
    out=st.sampled_from(["out", None, "other"]),
    out_at=st.sampled_from(["north", "south"]),
    gate=st.booleans(),
    inside=st.sampled_from(["in", None, "other-in"]),
    lvl=st.sampled_from(["lvl", None, "other-lvl"]),
)
anything = st.builds(
    Version,
    door=st.sampled_from(["north", "main"]),
    out=st.sampled_from(["out", None, "other"]),
    out_at=st.sampled_from(["north", "south"]),
    gate=st.booleans(),
    inside=st.sampled_from(["in", None, "other-in"]),
    lvl=st.sampled_from(["lvl", None, "other-lvl"]),
    gauge_place=st.sampled_from(["roof", "yard", None]),
    basin=st.sampled_from(["b1", "b2", "b9"]),
    basin_of_gauge=st.sampled_from(["b1", "b2", "b9"]),
    street=st.sampled_from(["Futian", "Meilin"]),
)

depths = st.sampled_from([0.0, 0.03, 0.12, 0.22, 0.28, 0.35, 0.55])
states = st.sampled_from([0.0, 3.0, 3.0, 5.0])
runs = st.lists(st.tuples(depths, depths, depths, states, st.integers(1, 6)), min_size=1, max_size=4)
"""(outside, inside, on the road, barrier, minutes)."""

told = st.lists(
    st.one_of(
        st.tuples(st.just("report"), st.sampled_from(["s", "s/north", "up"]), st.sampled_from([0.02, 0.12, 0.35])),
        st.tuples(st.just("warning"), st.sampled_from(["b1", "Futian", ""]), st.sampled_from(["orange", "red"])),
    ),
    max_size=2,
)


def acts_of(entries: list[tuple[str, str, Any]]) -> tuple[Act, ...]:
    found = []
    for seq, (kind, of, value) in enumerate(entries, 1):
        place, _, door = of.partition("/")
        area = {"basins": [of] if of == "b1" else [], "streets": [of] if of == "Futian" else []}
        end = (START + timedelta(hours=3)).isoformat()
        said = {"depth_m": value, "entrance": door or None, "by": f"p{seq}", "expires_at": end}
        body = said if kind == "report" else {"state": "in_force", "colour": value, **area}
        name = "field_report" if kind == "report" else "rain_warning"
        subject = f"space/{place}" if kind == "report" else f"warning/{seq}"
        found.append(Act(seq, name, subject, "Sun", to_us(START), body))
    return tuple(found)


def flooded(
    before: list[tuple[float, float, float, float, int]], entries: list[Any], mm: float, nowcast: bool
) -> Crank:
    crank = Crank(Version().site, nowcast=nowcast)
    for out, inside, road, state, minutes in before:
        for _ in range(minutes):
            minute = len(crank.outputs)
            said: list[Reading] = [(OUT, minute, out), (IN, minute, inside), (UP, minute, road), (GATE, minute, state)]
            acts = acts_of(entries) if minute == 0 else ()
            crank.tick(minute, *said, (RAIN, minute, mm * minute), acts=acts)
    return crank


def shown(crank: Crank) -> dict[str, tuple[int, int]]:
    rows = crank.engine.plant.arrays.space_index
    return {name: (crank.levels[name], int(crank.engine.state.alarm_severity[row])) for name, row in rows.items()}


def seen_level(crank: Crank, name: str) -> int:
    """Level without blindness, which tells of sensors that are expected to speak."""
    row = crank.engine.plant.arrays.space_index[name]
    digits = int(crank.engine.state.written_signature[row]) % SIGNATURES
    seen = 0
    for family in range(len(FAMILIES)):
        digits, severity = divmod(digits, 5)
        seen = max(seen, 0 if family in {BLIND, STAND_IN} else severity)
    return seen


def take(crank: Crank, version: Version, number: int = 2) -> None:
    crank.engine = with_site(crank.engine, version.site, number, START + timedelta(minutes=len(crank.outputs)))


@settings(max_examples=40, deadline=None)
@example(
    before=[(0.0, 0.22, 0.0, 0.0, 4)], entries=[], mm=0.0, first=Version(inside=None), second=Version(), nowcast=True
)
@example(
    before=[(0.0, 0.0, 0.0, 0.0, 12)], entries=[], mm=3.5, first=Version(basin="b2"), second=Version(), nowcast=True
)
@example(
    before=[(0.0, 0.0, 0.0, 0.0, 1), (0.0, 0.0, 0.12, 0.0, 6)],
    entries=[],
    mm=0.0,
    first=Version(gate=False),
    second=Version(gate=False),
    nowcast=True,
)
@example(
    before=[(0.0, 0.0, 0.0, 0.0, 5)],
    entries=[],
    mm=3.5,
    first=Version(basin_of_gauge="b2"),
    second=Version(),
    nowcast=True,
)
@given(
    before=runs,
    entries=told,
    mm=st.sampled_from([0.0, 2.0, 3.5]),
    first=anything,
    second=anything,
    nowcast=st.booleans(),
)
def test_an_import_lowers_nothing_by_itself(
    before: list[Any], entries: list[Any], mm: float, first: Version, second: Version, nowcast: bool
) -> None:
    """Two imports with nothing heard between and after them; a basin that was gone and is back is left out.

    What falls without any import too (a forecast that the last reading did not bear out) may fall.
    """
    crank, without = flooded(before, entries, mm, nowcast), flooded(before, entries, mm, nowcast)
    last = shown(crank)
    for number, version in enumerate((first, second), 2):
        back = {"b1", "b9"} & {version.basin, version.basin_of_gauge} - {first.basin, first.basin_of_gauge}
        if number == 3 and (back or version.street != first.street):
            break
        seen_before = {name: seen_level(crank, name) for name in last}
        take(crank, version, number)
        for _ in range(2):
            crank.tick(len(crank.outputs))
            without.tick(len(without.outputs))
            now = shown(crank)
            for name, shown_last in last.items():
                level, severity = np.minimum(shown_last, shown(without)[name])
                seen = seen_before[name]  # who gets a sensor, or a gauge, is no longer blind for want of one
                assert now[name][0] >= level or (number == 3 and now[name][0] >= seen), f"level of {name}"
                assert now[name][1] >= severity, f"alarm of {name}"
            last = now


@settings(max_examples=40, deadline=None)
@example(before=[(0.0, 0.35, 0.0, 0.0, 8)], after=Version(inside=None), calm=0.0)
@example(before=[(0.55, 0.0, 0.0, 0.0, 8)], after=Version(out=None), calm=0.0)
@example(before=[(0.28, 0.0, 0.0, 3.0, 8)], after=Version(out=None, gate=False), calm=0.0)
@example(before=[(0.55, 0.0, 0.0, 0.0, 8)], after=Version(door="main", out_at="south"), calm=0.0)
@given(before=runs, after=waters, calm=st.sampled_from([0.0, 0.12]))
def test_an_import_is_never_calmer_than_silence(before: list[Any], after: Version, calm: float) -> None:
    """Beside it all sensors stay in the site, and those that the import takes away fall silent at once."""
    crank, silent = flooded(before, [], 0.0, nowcast=False), flooded(before, [], 0.0, nowcast=False)
    take(crank, after)
    moved = after.out_at != "north" or after.door != "north"
    stay = {OUT: after.out == "out" and not moved, IN: after.inside == "in", UP: after.lvl == "lvl"}
    stay[GATE] = after.gate and after.door == "north"
    for minute in range(len(crank.outputs), len(crank.outputs) + 34):
        both: list[Reading] = [(key, minute, 3.0 if key == GATE else calm) for key, here in stay.items() if here]
        both.append((RAIN, minute, 0.0))
        elsewhere = [(OUT, minute, calm)] if after.out == "out" and moved else []
        crank.tick(minute, *both, *elsewhere)
        silent.tick(minute, *both)
        for name in ("s", "up"):
            assert seen_level(crank, name) >= seen_level(silent, name), f"level of {name} at {minute}"
            assert shown(crank)[name][1] >= shown(silent)[name][1], f"alarm of {name} at {minute}"


def beside_others(before: list[Any], beside: float) -> Crank:
    """Second sensors that say one depth, beside the first of each space."""
    crank = Crank(Version(second="second", ramp="ramp").site, nowcast=False)
    for out, inside, road, state, minutes in before:
        for _ in range(minutes):
            minute = len(crank.outputs)
            said: list[Reading] = [(OUT, minute, out), (IN, minute, inside), (UP, minute, road), (GATE, minute, state)]
            crank.tick(minute, *said, (SECOND, minute, beside), (RAMP, minute, beside), (RAIN, minute, 0.0))
    return crank


@settings(max_examples=40, deadline=None)
@example(before=[(0.0, 0.55, 0.55, 0.0, 8)], beside=0.0, first="other", second="same")
@example(before=[(0.03, 0.03, 0.0, 0.0, 1)], beside=0.0, first="other", second="same")
@example(before=[(0.0, 0.55, 0.55, 0.0, 8)], beside=0.0, first=None, second="other")
@example(before=[(0.0, 0.0, 0.0, 0.0, 8)], beside=0.55, first="same", second=None)
@given(
    before=runs,
    beside=st.sampled_from([0.0, 0.0, 0.12, 0.55]),
    first=st.sampled_from(["same", "other", None]),
    second=st.sampled_from(["same", "other", None]),
)
def test_a_second_sensor_makes_no_import_calmer_than_silence(
    before: list[Any], beside: float, first: str | None, second: str | None
) -> None:
    """The first may be renamed and is not heard then; the second speaks, under a new name too where the first is gone.

    Where the second alone is renamed, its new device speaks for it: it may lay down what the old one had said.
    """
    crank, silent = beside_others(before, beside), beside_others(before, beside)
    names = {"same": ("in", "second", "lvl", "ramp"), "other": ("other-in", "other-second", "other-lvl", "other-ramp")}
    inside, _, lvl, _ = names[first] if first else (None,) * 4
    _, other, _, ramp = names[second] if second else (None,) * 4
    take(crank, Version(inside=inside, second=other, lvl=lvl, ramp=ramp))
    speaks = second == "same" or (second == "other" and first != "same")
    for minute in range(len(crank.outputs), len(crank.outputs) + 34):
        both: list[Reading] = [(OUT, minute, 0.0), (GATE, minute, 3.0), (RAIN, minute, 0.0)]
        both += [(key, minute, 0.0) for key in (IN, UP) if first == "same"]
        here = [(f"{name}:water_depth_m", minute, 0.0) for name in (other, ramp) if name and speaks]
        crank.tick(minute, *both, *here)
        silent.tick(minute, *both, *(here if second == "same" else []))
        for name in ("s", "up"):
            assert seen_level(crank, name) >= seen_level(silent, name), f"level of {name} at {minute}"
            assert shown(crank)[name][1] >= shown(silent)[name][1], f"alarm of {name} at {minute}"


@settings(max_examples=20, deadline=None)
@given(before=runs, entries=told, mm=st.sampled_from([0.0, 3.5]), after=anything, calm=depths)
def test_what_an_import_leaves_survives_a_restart(
    before: list[Any], entries: list[Any], mm: float, after: Version, calm: float
) -> None:
    logs, memories = [], []
    for restarted in (False, True):
        crank = flooded(before, entries, mm, nowcast=False)
        take(crank, after)
        for number in range(20):
            if restarted and number in (1, 9):
                data = dump_state(crank.engine.state, crank.engine.plant.arrays)
                plant = plant_of(after.site, START, Left.from_json(read_header(data)["left"]))
                crank.engine = Engine(load_state(data, plant.arrays), plant)
            minute = len(crank.outputs)
            known = crank.engine.plant.arrays.sensor_index
            heard = [(key, minute, calm) for key in sorted(known) if key.endswith("water_depth_m") and number >= 5]
            crank.tick(minute, *heard)
        logs.append(log_of(crank.outputs))
        memories.append(dump_state(crank.engine.state, crank.engine.plant.arrays))
    assert logs[0] == logs[1]
    assert memories[0] == memories[1]
