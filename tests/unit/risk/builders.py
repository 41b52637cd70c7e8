"""Small sites and a hand-cranked engine for tests of the engine."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from risk.ahead import answered
from risk.arrays import to_us
from risk.engine import Engine, Inputs, question, tick
from risk.evidence import Samples
from risk.output import TickOutput
from risk.warnings import Act
from undercroft.site.model import Site

START = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)

NAMES = {"name_zh": "测试", "name_en": "Test"}
WHERE = {"street": "Futian", "lat": 22.5, "lon": 114.0}


def device(name: str, *sensors: dict[str, Any], **extra: Any) -> dict[str, Any]:
    return {"id": name, "sensors": list(sensors), **extra}


def depth_sensor(entrance: str | None = None, **extra: Any) -> dict[str, Any]:
    return {"quantity": "water_depth_m", **({"entrance": entrance} if entrance else {}), **extra}


def entrance(name: str = "north", crest: float = 0.3, **extra: Any) -> dict[str, Any]:
    return {"id": name, **NAMES, "width_m": 4.0, "crest_level_m": crest, "roadway_level_m": 0.0, **extra}


def space(name: str, kind: str, **extra: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": name, **NAMES, **WHERE, "kind": kind, "basin": "b1", "floor_level_m": -4.0,
        "storage": [{"depth_m": 0.0, "area_m2": 2000.0}], "entrances": [entrance()],
    }  # fmt: skip
    return body | extra


def gauge(name: str = "rain-1", basin: str = "b1") -> dict[str, Any]:
    return {
        "id": f"gauge-{name}",
        **NAMES,
        **WHERE,
        "basin": basin,
        "devices": [device(name, {"quantity": "rain_total_mm"})],
    }


def site(*spaces: dict[str, Any], gauges: Iterable[dict[str, Any]] | None = None, **extra: Any) -> Site:
    return Site.model_validate(
        {
            "district": {"id": "futian", **NAMES, "datum": "test datum"},
            "basin": [{"id": "b1", **NAMES}, {"id": "b2", **NAMES}],
            "gauge": list(gauges) if gauges is not None else [gauge()],
            "space": list(spaces),
            **extra,
        }
    )


def underpass(name: str = "up", **extra: Any) -> dict[str, Any]:
    return space(name, "underpass", devices=[device(f"{name}-lvl", depth_sensor())], **extra)


def guarded(
    name: str, kind: str, *, barrier: float | None = 0.6, crest: float = 0.3, pump: bool = False
) -> dict[str, Any]:
    """A space with one entrance that has an outside level, a barrier switch, and an inside level; perhaps a pump."""
    door = entrance(crest=crest)
    if barrier:
        door["barrier"] = {"height_m": barrier, "deploy_min": 10.0}
    sensors = [depth_sensor("north"), {"quantity": "barrier_state", "entrance": "north"}]
    inside = [depth_sensor(), *([{"quantity": "pump_running"}] if pump else [])]
    extra: dict[str, Any] = (
        {"pumps": [{"id": "p1", "capacity_m3_s": 0.02, "on_depth_m": 0.1, "off_depth_m": 0.05}]} if pump else {}
    )
    return space(
        name, kind, entrances=[door], devices=[device(f"{name}-out", *sensors), device(f"{name}-in", *inside)], **extra
    )


Reading = tuple[str, float, float] | tuple[str, float, float, int]
"""(sensor key, minutes after START, value[, quality])"""


class Crank:
    """An engine turned by hand: one tick a minute unless told otherwise, each with the nowcast of the one before."""

    def __init__(self, of: Site, *, nowcast: bool = True) -> None:
        self.engine = Engine.start(of, 1, START)
        self.outputs: list[TickOutput] = []
        self.nowcast = nowcast

    def inputs(self, minute: float, readings: Iterable[Reading] = (), acts: tuple[Act, ...] = ()) -> Inputs:
        index = self.engine.plant.arrays.sensor_index
        rows = [(*entry, 1)[:4] for entry in readings]
        samples = Samples(
            np.array([index[key] for key, *_ in rows], np.int64),
            np.array([to_us(START + timedelta(minutes=at)) for _, at, *_ in rows], np.int64),
            np.array([value for *_, value, _ in rows], np.float64),
            np.array([quality for *_, quality in rows], np.int8),
        )
        number = len(self.outputs) + 1
        found = answered(question(self.engine)) if self.outputs and self.nowcast else None
        return Inputs(number, to_us(START + timedelta(minutes=minute)), number, None, samples, acts, found)

    def tick(self, minute: float, *readings: Reading, acts: tuple[Act, ...] = ()) -> TickOutput:
        self.engine, output = tick(self.engine, self.inputs(minute, readings, acts))
        self.outputs.append(output)
        return output

    @property
    def levels(self) -> dict[str, int]:
        """Level by space, from the last assessment written of each."""
        found: dict[str, int] = {}
        for output in self.outputs:
            found.update({entry.space_id: entry.level for entry in output.assessments})
        return found

    def events(self, subject: str | None = None) -> list[tuple[str, int]]:
        return [(e.kind, e.severity) for o in self.outputs for e in o.events if subject is None or e.subject == subject]
