"""What a site import costs grows with the site, not with its square: no tick is taken meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from risk import replaced, state
from risk.bench import START, large_site
from risk.engine import Engine
from risk.replaced import left_behind
from risk.state import place_key


class Counted:
    """What a sensor stands for, counting how often it is looked up."""

    looked_up = 0

    def __init__(self, key: object) -> None:
        self._key = key

    def __hash__(self) -> int:
        Counted.looked_up += 1
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Counted) and self._key == other._key


def test_each_sensor_is_looked_up_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    def counted(*of: Any) -> Counted:
        return Counted(place_key(*of))

    site = large_site(40)
    engine = Engine.start(site, 1, START)
    monkeypatch.setattr(replaced, "place_key", counted)
    monkeypatch.setattr(state, "place_key", counted)
    Counted.looked_up = 0
    left_behind(engine.state, engine.plant.arrays, engine.plant.statics, site)
    sensors = len(engine.plant.arrays.sensors)
    assert sensors < Counted.looked_up < 10 * sensors
