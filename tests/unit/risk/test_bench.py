"""The benchmark's storm is what its figure says: 5 % in alarm, 1 % changing level in every tick."""

from __future__ import annotations

import numpy as np

from risk.bench import START, Driver, large_site
from risk.engine import Engine, decide


def test_one_in_twenty_is_in_alarm_and_one_in_a_hundred_changes_level() -> None:
    spaces, ticks = 1_000, 45
    engine = Engine.start(large_site(spaces), 1, START)
    driver = Driver(engine, spaces)
    engine = driver.warm_up(engine)
    assert len(engine.state.warnings) == 3
    assert (engine.state.alarm_families[engine.state.alarm_severity == 0] == 0).all()
    level, changed, alarmed = None, [], []
    for number in range(ticks):
        engine, decision = decide(engine, driver.inputs(number))
        now = decision.context.views.level.copy()
        if level is not None:
            changed.append(int((now != level).sum()))
        alarmed.append(int((engine.state.alarm_severity > 0).sum()))
        level = now
    assert np.count_nonzero(level == 1) > 200, "those who are warned"
    assert min(alarmed) == max(alarmed) == 50
    assert 8 <= np.mean(changed) <= 12, changed
    assert min(changed) >= 5, changed
