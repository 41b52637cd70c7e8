"""A live engine that ticked while the host's clock was ahead, on a real database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from risk.asof import differences, picture_at
from risk.canonical import canonical_log
from risk.follower import Follower
from risk.nowcaster import Nowcaster
from risk.refold import refold
from risk.run import step_live
from tests.integration.test_engine_run import RUN_START, a_site, commit_batch, opened, sensor_ids, storm
from undercroft.store import engine as store
from undercroft.store.connection import Connection
from undercroft.store.site import import_site
from undercroft.store.sql import sql

BACK_AT, END = 9, 24
HOURS = timedelta(hours=8)
WAIT_S = 30.0


class Told(Nowcaster):
    """A nowcaster that is waited for, so that the log does not depend on how quick the machine is."""

    def finished(self, wait_s: float = WAIT_S) -> Any:
        return super().finished(wait_s)


def night(connection: Connection, *, ahead: timedelta, restarted: bool = False) -> Follower:
    """Take a tick a minute; between minute 8 and 9 one while the clock is ahead."""
    import_site(connection, a_site(), "test", RUN_START)
    ids = sensor_ids(connection)
    follower = Follower(connection)
    with Told() as nowcaster:
        for minute in range(END):
            at = RUN_START + timedelta(minutes=minute)
            if minute == BACK_AT and ahead:
                step_live(connection, follower, at - timedelta(minutes=1) + ahead, nowcaster)
                if restarted:
                    nowcaster.finished()
                    follower = Follower(connection)
                    follower.restore()
            commit_batch(connection, [(ids[key], at, value) for key, value in storm(minute).items()], None)
            step_live(connection, follower, at, nowcaster)
    return follower


def shown(connection: Connection) -> dict[str, int]:
    return {row["space_id"]: row["level"] for row in picture_at(connection, None).spaces}


@pytest.mark.parametrize("ahead", [timedelta(hours=1), HOURS, timedelta(days=1)])
def test_the_engine_goes_on_at_the_right_time_and_its_log_says_the_same_again(live_db: str, ahead: timedelta) -> None:
    with opened(live_db) as connection:
        follower = night(connection, ahead=ahead)
        ticks = connection.execute("select tick_seq, tick_at, nowcast_id from tick order by tick_seq").fetchall()
        snapshots = connection.execute("select tick_seq from engine_snapshot order by 1").fetchall()
        levels = shown(connection)
        then = picture_at(connection, RUN_START + timedelta(minutes=20, seconds=30)).tick
        differing = differences(connection, ticks[-1]["tick_seq"])
        log = canonical_log(store.alarm_events(connection))
        again = [event for output in refold(connection, ticks[-1]["tick_seq"], before=1)[1] for event in output.events]
        told: Any = connection.execute("select * from alarm where subject = 'system/clock-set-back'").fetchone()
        wrong = connection.execute(
            "select count(*) as n from alarm where raised_at > %s", (RUN_START + ahead / 2,)
        ).fetchone()
    assert [row["tick_at"] for row in ticks[BACK_AT + 1 :]] == [
        RUN_START + timedelta(minutes=minute) for minute in range(BACK_AT, END)
    ]
    assert ticks[BACK_AT]["tick_at"] == RUN_START + timedelta(minutes=BACK_AT - 1) + ahead
    assert follower.tick_at == RUN_START + timedelta(minutes=END - 1)
    assert ticks[-1]["nowcast_id"] > BACK_AT + 3
    assert max(row["tick_seq"] for row in snapshots) > BACK_AT + 3
    assert levels["up"] == 4
    assert then["tick_at"] == RUN_START + timedelta(minutes=20)
    assert differing == []
    assert len(again) == log.count(b"\n")
    assert told["active"]
    assert wrong == {"n": 0}


def test_an_engine_killed_while_the_clock_was_ahead_leaves_the_same_log(live_db: str, exercise_db: str) -> None:
    logs = []
    for url, restarted in ((live_db, False), (exercise_db, True)):
        with opened(url) as connection:
            night(connection, ahead=HOURS, restarted=restarted)
            logs.append(canonical_log(store.alarm_events(connection)))
    assert logs[0] == logs[1]
    assert logs[0].count(b"clock-set-back") >= 1


def test_what_was_stamped_ahead_is_not_the_newest_that_could_be_seen(live_db: str) -> None:
    with opened(live_db) as connection:
        import_site(connection, a_site(), "test", RUN_START)
        key = sensor_ids(connection)["up-lvl:water_depth_m"]
        follower = Follower(connection)
        commit_batch(connection, [(key, RUN_START + HOURS, 0.5)], None)
        step_live(connection, follower, RUN_START + HOURS)
        commit_batch(connection, [(key, RUN_START + timedelta(minutes=1), 0.1)], None)
        step_live(connection, follower, RUN_START + timedelta(minutes=1))
        seen = picture_at(connection, None).observations
        api = connection.execute(
            sql("read_place_sensors").encode(), {"place_id": "up", "latest": RUN_START + timedelta(minutes=11)}
        ).fetchall()
        fresh = connection.execute(
            sql("read_freshness").encode(), {"latest": RUN_START + timedelta(minutes=11)}
        ).fetchall()
    assert [row["value"] for row in seen] == [0.1]
    assert [row["value"] for row in api if row["quantity"] == "water_depth_m"] == [0.1]
    assert fresh == [{"space_id": "up", "observed_at": RUN_START + timedelta(minutes=1)}]


def test_a_device_that_is_back_is_told_so_though_a_state_of_before_lies_ahead(live_db: str) -> None:
    """Told offline under the wrong clock and read after it; then online, in a session of its own."""
    with opened(live_db) as connection:
        import_site(connection, a_site(), "test", RUN_START)
        key = sensor_ids(connection)["up-lvl:online"]
        follower = Follower(connection)
        open_alarms = []
        for at, value in ((HOURS, 0.0), (timedelta(minutes=1), 1.0)):
            commit_batch(connection, [(key, RUN_START + at, value)], None)
            step_live(connection, follower, RUN_START + timedelta(minutes=1) + at % timedelta(hours=8))
            open_alarms.append([row["subject"] for row in store.alarms(connection, open_only=True)])
    assert open_alarms == [["device/up-lvl"], []]


def test_a_clock_that_trembles_does_not_move_time_back(live_db: str) -> None:
    with opened(live_db) as connection:
        import_site(connection, a_site(), "test", RUN_START)
        follower = Follower(connection)
        for at_s in (0, 10, 6, 5, 11):
            step_live(connection, follower, RUN_START + timedelta(seconds=at_s))
        ticks = connection.execute("select tick_at from tick order by tick_seq").fetchall()
    assert [(row["tick_at"] - RUN_START).total_seconds() for row in ticks] == [0, 10, 10, 10, 11]
