"""Once a word that an import had left is laid down, later readings still find their sensors, live and folded again."""

from __future__ import annotations

from datetime import timedelta

from risk.asof import differences
from risk.follower import Follower
from risk.run import step_live
from tests.integration.test_engine_run import RUN_START, commit_batch, opened, sensor_ids
from tests.unit.risk.builders import depth_sensor, device, site, space
from undercroft.site.model import Site
from undercroft.store import engine as store
from undercroft.store.connection import Connection
from undercroft.store.site import import_site


def district(name: str) -> Site:
    """A car park whose inside sensor has a name, and one whose sensor comes after it in every order."""
    return site(
        space("a", "car_park", devices=[device(name, depth_sensor())]),
        space("b", "car_park", devices=[device("z-in", depth_sensor())]),
    )


def say(connection: Connection, follower: Follower, minute: int, **depths_m: float) -> None:
    ids, at = sensor_ids(connection), RUN_START + timedelta(minutes=minute)
    rows = [(ids[f"{key.replace('_', '-')}:water_depth_m"], at, value) for key, value in depths_m.items()]
    commit_batch(connection, rows, None)
    step_live(connection, follower, at)


def test_readings_find_their_sensors_after_a_word_is_laid_down(live_db: str) -> None:
    with opened(live_db) as connection:
        import_site(connection, district("a-in"), "test", RUN_START)
        follower = Follower(connection)
        for minute in range(4):
            say(connection, follower, minute, a_in=0.5, z_in=0.0)
        import_site(connection, district("a-new"), "test", RUN_START + timedelta(minutes=4), anyway=True)
        say(connection, follower, 4, z_in=0.0)
        assert follower.engine is not None
        assert follower.engine.plant.arrays.left
        say(connection, follower, 5, a_new=0.0)
        assert not follower.engine.plant.arrays.left
        for minute in range(6, 10):
            say(connection, follower, minute, a_new=0.0, z_in=0.5)
        state, arrays = follower.engine.state, follower.engine.plant.arrays
        held = {key: float(state.held[row]) for key, row in arrays.sensor_index.items() if key.endswith("_depth_m")}
        assert held == {"a-new:water_depth_m": 0.0, "z-in:water_depth_m": 0.5}
        raised = [(row["subject"], row["kind"]) for row in store.alarm_events(connection) if row["kind"] == "raised"]
        assert raised == [("space/a", "raised"), ("space/b", "raised")]
        ticks = connection.execute("select max(tick_seq) as last from tick").fetchall()
        assert differences(connection, ticks[0]["last"]) == []
