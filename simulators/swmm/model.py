"""The text of the SWMM input file of a site and a storm, and the names in it.

Per space ``i``: subcatchment ``S{i}`` -> street storage ``T{i}`` -> drain ``D{i}`` -> outfall; one weir ``W{i}_{k}``
per entrance -> space storage ``U{i}`` -> pumps ``P{i}_{k}`` -> outfall. Water deeper than `SPILL_DEPTH_M` leaves the
street over the spill ``R{i}``. Lengths in m, flows in m³/s, areas of subcatchments in hectares.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from simulators.rain import STEP_MIN, Storm
from simulators.swmm.drains import drain_of
from undercroft.site.model import Entrance, Pump, Site, Space

WEIR_COEFFICIENT = 1.7
"""Broad-crested weir, Q = 1.7 B h^1.5 in SI units."""

WEIR_HEIGHT_M = 10.0
"""Opening of every weir; never full, so that the weir formula always holds. [m]"""

ROUTING_STEP_S = 5
"""Step of the dynamic wave; see docs/simulation.md for what other steps cost and change. [s]"""

STREET_AREA_SHARES = ((0.0, 0.02), (0.15, 0.12), (0.5, 0.35), (2.0, 0.5))
"""Water surface of a street at a depth over its lowest roadway, as shares of the catchment: gutters, carriageway,
pavements and forecourts."""

SPILL_DEPTH_M = 0.8
"""Deeper water runs off to the next streets. [m]"""

SPILL_WIDTH_M = 20.0
STREET_DEPTH_MOST_M = 6.0
DRAIN_RATING = ((0.0, 0.0), (0.03, 0.6), (0.08, 1.0), (6.0, 1.05))
"""Flow through the inlets at a depth of water, as a share of the drain's capacity."""

SUBCATCHMENT_SLOPE_PERCENT = 1.0
IMPERVIOUS_PERCENT = 92.0


def street_level_m(space: Space) -> float:
    """Return the level of the lowest roadway in front of a space's entrances. [m over datum]"""
    return min(entrance.roadway_level_m for entrance in space.entrances)


def weir_setting(entrance: Entrance, *, deployed: bool) -> float:
    """Return the SWMM setting of an entrance's weir: a deployed barrier raises the crest by its height.

    SWMM lifts the crest by (1 - setting) of the weir's height, so one link serves both states and the flow over a
    barrier is that of a weir on its top. Leakage through the seal is left out: 0.6 m³/h at the worst grade.
    """
    if not deployed or entrance.barrier is None:
        return 1.0
    return 1.0 - entrance.barrier.height_m / WEIR_HEIGHT_M


def model_text(site: Site, storm: Storm, start: datetime, minutes: int) -> str:
    """Return the input file."""
    sections = {
        "OPTIONS": _options(start, start + timedelta(minutes=minutes)),
        "RAINGAGES": [f"RAIN INTENSITY 0:{STEP_MIN:02d} 1.0 TIMESERIES STORM"],
        "SUBCATCHMENTS": _each(site, _subcatchment),
        "SUBAREAS": _each(site, lambda i, _: [f"S{i} 0.013 0.15 1.5 4.0 25 OUTLET"]),
        "INFILTRATION": _each(site, lambda i, _: [f"S{i} 30 5 4 7 0"]),
        "STORAGE": _each(site, _storages),
        "OUTFALLS": _each(site, _outfalls),
        "OUTLETS": _each(site, lambda i, _: [f"D{i} T{i} OD{i} 0 TABULAR/DEPTH CD{i} NO"]),
        "WEIRS": _each(site, _weirs),
        "XSECTIONS": _each(site, _weir_openings),
        "PUMPS": _each(site, _pumps),
        "CURVES": _each(site, _curves),
        "TIMESERIES": _timeseries(storm, start),
        "REPORT": ["INPUT NO", "CONTINUITY YES", "FLOWSTATS NO", "SUBCATCHMENTS NONE", "NODES NONE", "LINKS NONE"],
    }
    return "\n".join(line for name, lines in sections.items() for line in (f"[{name}]", *lines, ""))


def _each(site: Site, lines_of: object) -> list[str]:
    assert callable(lines_of)  # noqa: S101 - narrows the type
    return [line for i, space in enumerate(site.spaces) for line in lines_of(i, space)]


def _options(start: datetime, end: datetime) -> list[str]:
    return [
        "FLOW_UNITS CMS",
        "INFILTRATION HORTON",
        "FLOW_ROUTING DYNWAVE",
        f"START_DATE {start:%m/%d/%Y}",
        f"START_TIME {start:%H:%M:%S}",
        f"REPORT_START_DATE {start:%m/%d/%Y}",
        f"REPORT_START_TIME {start:%H:%M:%S}",
        f"END_DATE {end:%m/%d/%Y}",
        f"END_TIME {end:%H:%M:%S}",
        "REPORT_STEP 06:00:00",
        "WET_STEP 00:01:00",
        "DRY_STEP 00:05:00",
        f"ROUTING_STEP {ROUTING_STEP_S}",
        "VARIABLE_STEP 0",
        "MIN_SURFAREA 1.0",
        "MAX_TRIALS 8",
        "HEAD_TOLERANCE 0.0005",
        "ALLOW_PONDING NO",
        "THREADS 1",
    ]


def _subcatchment(i: int, space: Space) -> list[str]:
    width_m = space.catchment_m2**0.5
    hectares = space.catchment_m2 / 10_000.0
    return [f"S{i} RAIN T{i} {hectares:.6f} {IMPERVIOUS_PERCENT} {width_m:.3f} {SUBCATCHMENT_SLOPE_PERCENT} 0"]


def _storages(i: int, space: Space) -> list[str]:
    top_m = max(entrance.crest_level_m for entrance in space.entrances) + WEIR_HEIGHT_M
    return [
        f"T{i} {street_level_m(space):.4f} {STREET_DEPTH_MOST_M} 0 TABULAR CT{i} 0 0",
        f"U{i} {space.floor_level_m:.4f} {top_m - space.floor_level_m:.4f} 0 TABULAR CU{i} 0 0",
    ]


def _outfalls(i: int, space: Space) -> list[str]:
    # An outfall takes one link; far below everything, so that nothing ever comes back.
    level_m = min(space.floor_level_m, street_level_m(space)) - 20.0
    names = [f"OD{i}", f"OR{i}", *(f"OP{i}_{k}" for k in range(len(space.pumps)))]
    return [f"{name} {level_m:.4f} FREE NO" for name in names]


def _weirs(i: int, space: Space) -> list[str]:
    base_m = street_level_m(space)
    entrances = [
        f"W{i}_{k} T{i} U{i} TRANSVERSE {entrance.crest_level_m - base_m:.4f} {WEIR_COEFFICIENT} NO 0 0 NO"
        for k, entrance in enumerate(space.entrances)
    ]
    return [*entrances, f"R{i} T{i} OR{i} TRANSVERSE {SPILL_DEPTH_M} {WEIR_COEFFICIENT} NO 0 0 NO"]


def _weir_openings(i: int, space: Space) -> list[str]:
    entrances = [
        f"W{i}_{k} RECT_OPEN {WEIR_HEIGHT_M} {entrance.width_m:.4f} 0 0" for k, entrance in enumerate(space.entrances)
    ]
    return [*entrances, f"R{i} RECT_OPEN {WEIR_HEIGHT_M} {SPILL_WIDTH_M} 0 0"]


def _pumps(i: int, space: Space) -> list[str]:
    # Switched by the run once a minute, so that a power loss can hold them off: no start and stop depths here.
    return [f"P{i}_{k} U{i} OP{i}_{k} CP{i}_{k} OFF 0 0" for k in range(len(space.pumps))]


def _curves(i: int, space: Space) -> Iterator[str]:
    drain = drain_of(space)
    yield from _curve(f"CT{i}", "STORAGE", [(d, share * space.catchment_m2) for d, share in STREET_AREA_SHARES])
    yield from _curve(f"CU{i}", "STORAGE", _space_areas(space))
    yield from _curve(f"CD{i}", "RATING", [(d, share * drain.capacity_m3_s) for d, share in DRAIN_RATING])
    for k, pump in enumerate(space.pumps):
        yield from _curve(f"CP{i}_{k}", "PUMP4", _pump_flows(pump))


def _space_areas(space: Space) -> list[tuple[float, float]]:
    """Extend the hypsometric table down to the floor and, with its last area, up."""
    rows = sorted((row.depth_m, row.area_m2) for row in space.storage)
    first = [] if rows[0][0] == 0.0 else [(0.0, rows[0][1])]
    return [*first, *rows, (rows[-1][0] + 100.0, rows[-1][1])]


def _pump_flows(pump: Pump) -> list[tuple[float, float]]:
    return [(0.0, 0.0), (0.02, pump.capacity_m3_s), (100.0, pump.capacity_m3_s)]


def _curve(name: str, kind: str, rows: Sequence[tuple[float, float]]) -> Iterator[str]:
    for number, (x, y) in enumerate(rows):
        yield f"{name} {kind if number == 0 else ''} {x:.4f} {y:.6f}"


def _timeseries(storm: Storm, start: datetime) -> list[str]:
    rows = [(storm.start_min + number * STEP_MIN, rate) for number, rate in enumerate(storm.rates_mm_h)]
    rows.append((storm.start_min + len(storm.rates_mm_h) * STEP_MIN, 0.0))
    return [f"STORM {start + timedelta(minutes=minute):%m/%d/%Y %H:%M} {rate:.6f}" for minute, rate in rows]
