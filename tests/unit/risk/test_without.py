"""A site without a word that was laid down is what the site would give anew, and nothing is made anew for it."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest

from risk import engine as engine_module
from risk.arrays import SiteArrays, from_us
from risk.engine import Engine, plant_of, with_what_stands
from risk.left import Left
from risk.neighbours import Neighbours
from risk.snapshot import dump_state
from risk.state import carried_over
from risk.without import rows_after
from tests.unit.risk.builders import depth_sensor, device, entrance, gauge, guarded, site, space, underpass
from tests.unit.risk.test_left import Place
from undercroft.site.model import Site

GONE = ("ins", "out", "gate", "lifted", "pump", "low")


def version(*names: str, doors: tuple[str, ...]) -> Site:
    """A car park with some of its devices, an underpass with one or none, and others that nobody touches."""
    at = doors[0]
    devices = {
        "ins": [depth_sensor()],
        "out": [depth_sensor(at)],
        "gate": [{"quantity": "barrier_state", "entrance": at}],
        "lifted": [{"quantity": "float_lifted", "zero_level_m": -3.9}],
        "pump": [{"quantity": "pump_running"}],
        "stay": [{"quantity": "rain_total_mm"}, depth_sensor("south"), {"quantity": "pump_running", "at": "p1"}],
    }
    pumps = [{"id": name, "capacity_m3_s": 0.02, "on_depth_m": 0.1, "off_depth_m": 0.05} for name in ("p1", "p2")]
    entrances = [entrance(name) | {"barrier": {"height_m": 0.6, "deploy_min": 10.0}} for name in doors]
    found = [device(name, *devices[name]) for name in (*names, "stay") if name in devices]
    road = [device("low", depth_sensor())] if "low" in names else [device("other", depth_sensor("north"))]
    return site(
        guarded("a", "mall", pump=True),
        space("gar", "car_park", entrances=entrances, devices=found, pumps=pumps),
        space("road", "underpass", devices=road, street="Meilin"),
        underpass("z"),
        gauges=[gauge()],
    )


def after_an_import() -> Engine:
    """Everything of the car park says the worst; then all of it is gone, its first entrance too."""
    place = Place(version(*GONE, doors=("north", "south")))
    said = {"ins:water_depth_m": 0.4, "out:water_depth_m": 0.5, "gate:barrier_state": 0.0, "lifted:float_lifted": 1.0}
    said |= {
        "pump:pump_running": 1.0,
        "low:water_depth_m": 0.5,
        "z-lvl:water_depth_m": 0.12,
        "a-in:water_depth_m": 0.03,
    }
    for minute in range(8):
        rising = {"ins:water_depth_m": 0.3 + 0.02 * minute, "rain-1:rain_total_mm": 1.0 * minute}
        place.tick(minute, *((key, minute, value) for key, value in (said | rising).items()))
    place.take(version(doors=("main", "south")))
    place.tick(8, ("z-lvl:water_depth_m", 8, 0.1))
    return place.engine


def differences(one: Any, other: Any, at: str = "") -> list[str]:
    """Return where two values differ, whatever they are made of."""
    if isinstance(one, SiteArrays | Neighbours):
        parts = [name for name in vars(one) if not name.startswith("_")] if isinstance(one, SiteArrays) else []
        return [d for name in parts for d in differences(getattr(one, name), getattr(other, name), f"{at}.{name}")]
    if isinstance(one, np.ndarray):
        same = one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
        return [] if same else [at]
    if is_dataclass(one) and not isinstance(one, type):
        found = [f.name for f in fields(one)]
        return [d for name in found for d in differences(getattr(one, name), getattr(other, name), f"{at}.{name}")]
    if isinstance(one, dict):
        if one.keys() != other.keys():
            return [at]
        return [d for key in one for d in differences(one[key], other[key], f"{at}[{key}]")]
    return [] if one == other else [at]


@pytest.fixture(scope="module")
def engine() -> Engine:
    found = after_an_import()
    assert {one.spec.device for one in found.plant.arrays.left.sensors} == set(GONE)
    assert [gone.id for _, gone in found.plant.arrays.left.entrances] == ["north"]
    return found


@pytest.mark.parametrize("stay", [(), ("out",), ("ins", "lifted"), ("gate", "low"), ("pump",), GONE[1:]])
def test_it_is_what_the_site_would_give_anew(
    engine: Engine, stay: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    arrays, state = engine.plant.arrays, engine.state
    sensors = tuple(one for one in arrays.left.sensors if one.spec.device in stay)
    at_north = {"out", "gate"} & set(stay)
    left = Left(sensors, arrays.left.entrances if at_north else ())
    monkeypatch.setattr(engine_module, "standing", lambda *_: left)
    found = with_what_stands(engine)
    plant = plant_of(arrays.site, from_us(state.tick_us), left)
    anew = carried_over(state, arrays, plant.arrays, state.site_commit_seq)
    assert differences(found.plant, plant) == []
    assert dump_state(found.state, found.plant.arrays) == dump_state(anew, plant.arrays)
    rows = rows_after(arrays, found.plant.arrays)
    for key, row in arrays.sensor_index.items():
        assert rows[row] == plant.arrays.sensor_index[key]
    assert rows[-1] == -1


def test_nothing_of_the_site_is_made_anew(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for name in ("plant_of", "statics_of", "carried_over", "site_ahead"):
        monkeypatch.setattr(engine_module, name, lambda *_, name=name: made.append(name))
    monkeypatch.setattr(SiteArrays, "from_site", lambda *_: made.append("from_site"))
    monkeypatch.setattr(engine_module, "standing", lambda *_: Left())
    assert not with_what_stands(engine).plant.arrays.left
    assert made == []
