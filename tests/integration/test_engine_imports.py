"""A site import between two readings of one tick, on a real database: each is a reading of the site of its time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from risk.asof import differences, picture_at
from risk.canonical import canonical_log
from risk.follower import Follower
from risk.refold import refold
from risk.run import step_live, step_run
from tests.integration.test_engine_run import RUN_START, commit_batch, opened, sensor_ids
from tests.unit.risk.builders import depth_sensor, device, site, space
from undercroft.site.model import Site
from undercroft.store import engine as store
from undercroft.store.connection import Connection
from undercroft.store.site import import_site
from undercroft.store.sql import sql

CALM, LAST = 3, 8
"""Minutes of dry readings before the import, and the last one."""

Step = Callable[[Connection, Follower, int], None]


def before() -> Site:
    devices = [device("a-in", depth_sensor()), device("a-out", depth_sensor("north"))]
    return site(space("a", "car_park", devices=devices), space("b", "car_park", devices=[]))


def removed() -> Site:
    return site(
        space("a", "car_park", devices=[device("a-out", depth_sensor("north"))]), space("b", "car_park", devices=[])
    )


def moved() -> Site:
    return site(
        space("a", "car_park", devices=[device("a-out", depth_sensor("north"))]),
        space("b", "car_park", devices=[device("a-in", depth_sensor())]),
    )


def live(connection: Connection, follower: Follower, minute: int) -> None:
    step_live(connection, follower, RUN_START + timedelta(minutes=minute))


def in_a_run(connection: Connection, follower: Follower, minute: int) -> None:
    commit_batch(connection, [], (RUN_START + timedelta(minutes=minute), minute))
    step_run(connection, follower)


def night(connection: Connection, step: Step, then: Site, *, between: bool = False) -> Follower:
    """Water of half a metre stands in `a`; the readings of it and the import of another site are of one tick.

    ``between``: another tick is taken between them.
    """
    import_site(connection, before(), "test", RUN_START)
    ids, follower = sensor_ids(connection), Follower(connection)

    def say(key: str, minute: float, depth_m: float) -> None:
        commit_batch(connection, [(ids[f"{key}:water_depth_m"], RUN_START + timedelta(minutes=minute), depth_m)], None)

    for minute in range(CALM):
        say("a-in", minute, 0.0)
        say("a-out", minute, 0.0)
        step(connection, follower, minute)
    for part in (0.4, 0.6, 0.8):
        say("a-in", CALM - 1 + part, 0.5)
    if between:
        step(connection, follower, CALM)
    import_site(connection, then, "test", RUN_START + timedelta(minutes=CALM), anyway=True)
    for minute in range(CALM, LAST):
        say("a-out", minute, 0.0)
        if then == moved():
            say("a-in", minute, 0.0)
        step(connection, follower, minute)
    return follower


def shown(connection: Connection, minute: int) -> dict[str, int]:
    picture = picture_at(connection, RUN_START + timedelta(minutes=minute, seconds=30))
    return {row["space_id"]: row["level"] for row in picture.spaces}


@pytest.mark.parametrize("then", [removed(), moved()], ids=["removed", "moved"])
@pytest.mark.parametrize("step", [live, in_a_run])
def test_what_a_sensor_said_before_the_import_that_takes_it_out_is_said_of_its_place_then(
    step: Step, then: Site, live_db: str, exercise_db: str
) -> None:
    logs: list[bytes] = []
    for url, between in ((live_db, False), (exercise_db, True)):
        with opened(url) as connection:
            night(connection, step, then, between=between)
            logs.append(canonical_log(store.alarm_events(connection)))
            levels = shown(connection, CALM)
            ticks: Any = connection.execute("select * from tick order by tick_seq").fetchall()
            versions: Any = connection.execute("select commit_seq from site_version order by 1").fetchall()
            differing = differences(connection, ticks[-1]["tick_seq"])
            again = [
                (output.tick_us, event.subject, event.event_no, event.kind, event.severity)
                for output in refold(connection, ticks[-1]["tick_seq"], before=1)[1]
                for event in output.events
            ]
        assert levels == {"a": 4, "b": 0}
        assert differing == []
        assert len(again) == logs[-1].count(b"\n")
        import_seq = versions[-1]["commit_seq"]
        assert import_seq - 1 in {row["up_to_commit_seq"] for row in ticks}
        assert [row["tick_seq"] for row in ticks] == list(range(1, len(ticks) + 1))
    assert logs[0] == logs[1]
    assert b'"raised"' in logs[0]


def forget_batches(connection: Connection) -> None:
    """As retention does after a month."""
    connection.execute("update observation_packed set batch_id = -1")
    connection.execute("delete from batch where lane = 'test'")


def page(connection: Connection) -> dict[str, float]:
    """Return what the page shows of the device that moves."""
    return {
        f"{place_id} {row['quantity']}": row["value"]
        for place_id in ("a", "b")
        for row in connection.execute(
            sql("read_place_sensors").encode(), {"place_id": place_id, "latest": None}
        ).fetchall()
        if row["device_id"] == "a-in" and row["value"] is not None
    }


def test_what_could_be_seen_of_a_moved_sensor_is_what_it_said_of_its_place(live_db: str) -> None:
    """By hand: in `a` half a metre; moved to `b` it says nothing until minute 6, then 0.1 m; back in `a` nothing."""
    with opened(live_db) as connection:
        import_site(connection, before(), "test", RUN_START)
        key, follower = sensor_ids(connection)["a-in:water_depth_m"], Follower(connection)
        online = sensor_ids(connection)["a-in:online"]
        pages: list[dict[str, float]] = []
        for minute, site_then, depth_m in (
            (0, None, 0.5), (1, moved(), None), (6, None, 0.1), (7, before(), None), (8, None, 0.2),
        ):  # fmt: skip
            at = RUN_START + timedelta(minutes=minute)
            if site_then is not None:
                import_site(connection, site_then, "test", at, anyway=True)
            if depth_m is not None:
                commit_batch(connection, [(key, at, depth_m), (online, at, 1.0)], None)
            live(connection, follower, minute)
            pages.append(page(connection))
            with connection.transaction(force_rollback=True):
                forget_batches(connection)
                assert page(connection) == pages[-1]

        def seen(minute: int, space_id: str | None = None) -> dict[str, float]:
            picture = picture_at(connection, RUN_START + timedelta(minutes=minute, seconds=30), space_id)
            assert all("said_seq" not in row for row in picture.observations)
            return {f"{row['place_id']} {row['quantity']}": row["value"] for row in picture.observations}

        shown = [seen(minute) for minute in (0, 1, 6, 7, 8)]
        forget_batches(connection)
        again = [seen(minute) for minute in (0, 1, 6, 7, 8)]
        of_b = seen(1, "b"), seen(6, "b")
    assert pages == shown == again == [
        {"a water_depth_m": 0.5, "a online": 1.0},
        {"b online": 1.0},
        {"b water_depth_m": 0.1, "b online": 1.0},
        {"a online": 1.0},
        {"a water_depth_m": 0.2, "a online": 1.0},
    ]  # fmt: skip
    assert of_b == ({"b online": 1.0}, {"b water_depth_m": 0.1, "b online": 1.0})
