"""A version of the engine goes on after the log that another one wrote: numbers, alarms, acknowledgements, memory.

The other version is this one with an off-delay of its own, its snapshots renamed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from risk import follower as follower_module
from risk import snapshot as snapshot_module
from risk.ahead import Nowcast
from risk.asof import differences
from risk.canonical import canonical_log
from risk.engine import ENGINE_VERSION
from risk.follower import Follower
from risk.output import TickOutput
from risk.pending import PendingTick
from risk.refold import refold
from risk.run import step_live
from risk.snapshot import MEMORY_SINCE, dump_state
from risk.thresholds import OFF_DELAY_S
from tests.integration.test_engine_run import RUN_START, a_site, commit_batch, opened, sensor_ids
from tests.unit.risk.builders import site, underpass
from undercroft.errors import BadInput
from undercroft.store import engine as store
from undercroft.store.acts import record_act
from undercroft.store.conditions import Condition, set_condition
from undercroft.store.connection import Connection
from undercroft.store.site import import_site

WATER = "up-lvl:water_depth_m"
READABLE, TOO_OLD = str(MEMORY_SINCE), str(MEMORY_SINCE - 1)
QUICK_OFF_S = 60.0


@pytest.fixture(autouse=True)
def _next_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have this version be a later one than the oldest whose memory can be read."""
    for module in (follower_module, snapshot_module):
        monkeypatch.setattr(module, "ENGINE_VERSION", str(int(ENGINE_VERSION) + 1))


def turn(connection: Connection, follower: Follower, minute: float, depth_m: float | None = None) -> None:
    """Take a tick, with a reading if one is given."""
    at = RUN_START + timedelta(minutes=minute)
    if depth_m is not None:
        commit_batch(connection, [(sensor_ids(connection)[WATER], at, depth_m)], None)
    step_live(connection, follower, at)


def renamed(connection: Connection, version: str) -> None:
    """Have the memory be that of another version."""
    connection.execute("update engine_snapshot set engine_version = %s", (version,))


def without_batches(connection: Connection) -> None:
    """Have retention drop every batch."""
    connection.execute("update observation_packed set batch_id = -1")
    connection.execute("delete from batch")


def upgraded(connection: Connection) -> Follower:
    follower = Follower(connection)
    follower.restore()
    assert follower.taken_over_from is not None
    store.write_takeover(connection, follower.snapshot())
    return follower


def log_of(connection: Connection, subject: str = "space/up") -> list[tuple[int, int, str]]:
    rows = store.alarm_events(connection)
    return [(row["event_no"], row["occurrence"], row["kind"]) for row in rows if row["subject"] == subject]


def alarm_of(connection: Connection, subject: str = "space/up") -> Any:
    return connection.execute(
        "select * from alarm where subject = %s order by occurrence desc limit 1", (subject,)
    ).fetchone()


def by_other_version(connection: Connection, follower: Follower, minutes: int, wet: set[int]) -> None:
    """Take ticks under a version that ends alarms after a minute; this one would have them go on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("risk.alarms.OFF_DELAY_S", replace(OFF_DELAY_S, value=QUICK_OFF_S))
        for minute in range(minutes):
            turn(connection, follower, minute, 0.5 if minute in wet else 0.0)


@pytest.mark.parametrize("version", [READABLE, TOO_OLD])
@pytest.mark.parametrize("kept", [True, False])
def test_numbers_go_on_after_those_of_the_table(live_db: str, version: str, kept: bool) -> None:
    with opened(live_db) as connection:
        import_site(connection, a_site(), "test", RUN_START)
        by_other_version(connection, Follower(connection), 16, {1, 8})
        before = log_of(connection)
        renamed(connection, version)
        if not kept:
            without_batches(connection)
        follower = upgraded(connection)
        for minute in range(16, 20):
            turn(connection, follower, minute, 0.5)
        log, alarm = log_of(connection), alarm_of(connection)
        again = Follower(connection)
        again.restore()
        if kept:
            assert memory(refold(connection, follower.tick_seq, before=17)[0]) == memory(follower)
            assert differences(connection, follower.tick_seq) == []
    assert [kind for _, _, kind in before] == ["raised", "cleared"] * 2
    assert log[: len(before)] == before
    assert [number for number, _, _ in log] == list(range(1, len(log) + 1))
    assert (len(before) + 1, 3, "raised") in log
    assert (alarm["occurrence"], alarm["severity"], alarm["active"]) == (3, 4, True)
    assert memory(again) == memory(follower)


def memory(follower: Follower) -> bytes:
    assert follower.engine is not None
    return dump_state(follower.engine.state, follower.engine.plant.arrays)


@pytest.mark.parametrize("version", [READABLE, TOO_OLD])
@pytest.mark.parametrize("kept", [True, False])
def test_an_open_alarm_goes_on_as_it_was_acknowledged_and_ends_by_its_own_evidence(
    live_db: str, version: str, kept: bool
) -> None:
    with opened(live_db) as connection:
        import_site(connection, a_site(), "test", RUN_START)
        follower = Follower(connection)
        for minute in range(3):
            turn(connection, follower, minute, 0.5)
        record_act(connection, "acknowledge", "space/up", "Li", RUN_START + timedelta(minutes=3), {"comment": "seen"})
        turn(connection, follower, 3, 0.5)
        before, raised = log_of(connection), alarm_of(connection)
        renamed(connection, version)
        if not kept:
            without_batches(connection)
        follower = upgraded(connection)
        turn(connection, follower, 4)
        silent = alarm_of(connection)
        for minute in range(5, 20):
            turn(connection, follower, minute, 0.0)
        log, ended = log_of(connection), alarm_of(connection)
    assert [kind for _, _, kind in before][-1] == "acknowledged"
    assert silent | {"last_tick_seq": 0} == raised | {"last_tick_seq": 0}
    assert ended["raised_at"] == raised["raised_at"]
    assert (ended["active"], ended["acknowledged"], ended["latched"]) == (False, True, False)
    assert [occurrence for _, occurrence, _ in log] == [1] * len(log)
    assert [number for number, _, _ in log] == list(range(1, len(log) + 1))
    assert log[-1][2] == "cleared"


@pytest.mark.parametrize("version", [READABLE, TOO_OLD])
def test_what_only_this_version_would_alarm_at_is_raised_anew_and_told(live_db: str, version: str) -> None:
    """The other version had ended it; by this one's off-delay it stands yet, so the next wet word raises it."""
    with opened(live_db) as connection:
        import_site(connection, a_site(), "test", RUN_START)
        follower = Follower(connection)
        by_other_version(connection, follower, 8, {1})
        renamed(connection, version)
        follower = upgraded(connection)
        turn(connection, follower, 8, 0.0)
        turn(connection, follower, 9, 0.5)
        log = log_of(connection)
    assert [(number, occurrence, kind) for number, occurrence, kind in log if occurrence] == [
        (1, 1, "raised"), (2, 1, "cleared"), (3, 2, "raised"),
    ]  # fmt: skip


@pytest.mark.parametrize("version", [READABLE, TOO_OLD])
def test_alarms_of_devices_and_the_system_go_on_and_end_by_the_word_that_ends_them(live_db: str, version: str) -> None:
    def tell(minute: int, *, is_active: bool) -> None:
        lag = Condition("ingest-lag", is_active, 90.0, 60.0, "s", "")
        set_condition(connection, lag, "test", RUN_START + timedelta(minutes=minute))

    with opened(live_db) as connection:
        import_site(connection, a_site(), "test", RUN_START)
        follower, online = Follower(connection), sensor_ids(connection)["up-lvl:online"]
        tell(0, is_active=True)
        commit_batch(connection, [(online, RUN_START, 0.0)], None)
        for minute in range(2):
            turn(connection, follower, minute)
        renamed(connection, version)
        without_batches(connection)
        follower = upgraded(connection)
        turn(connection, follower, 2)
        went_on = [alarm_of(connection, subject)["active"] for subject in ("system/ingest-lag", "device/up-lvl")]
        tell(3, is_active=False)
        commit_batch(connection, [(online, RUN_START + timedelta(minutes=3), 1.0)], None)
        turn(connection, follower, 3)
        logs = [log_of(connection, subject) for subject in ("system/ingest-lag", "device/up-lvl")]
    assert went_on == [True, True]
    assert logs[0] == [(1, 1, "raised"), (2, 1, "cleared")]
    assert logs[1] == [(1, 1, "raised"), (2, 1, "suppressed"), (3, 1, "cleared")], "nothing is heard of any device"


def test_the_alarm_of_a_space_that_is_gone_meanwhile_ends_openly(live_db: str) -> None:
    with opened(live_db) as connection:
        import_site(connection, site(underpass(), underpass("two")), "test", RUN_START)
        follower = Follower(connection)
        for minute in range(3):
            turn(connection, follower, minute, 0.5)
        renamed(connection, TOO_OLD)
        import_site(connection, site(underpass("two")), "test", RUN_START, anyway=True)
        follower = upgraded(connection)
        step_live(connection, follower, RUN_START + timedelta(minutes=3))
        log, alarm = log_of(connection), alarm_of(connection)
    assert [kind for _, _, kind in log] == ["raised", "cleared"]
    assert not alarm["active"]


def test_no_more_than_the_last_hours_are_folded_again_whatever_the_log_holds(live_db: str) -> None:
    """Warnings, reports and movements of before count all the same: people entered them."""
    with opened(live_db) as connection:
        import_site(connection, a_site(), "test", RUN_START)
        follower = Follower(connection)
        body = {"colour": "orange", "signal": "rainstorm"}
        record_act(connection, "rain_warning", "warning/w1", "Li", RUN_START, body)
        for minute in (0, 10, 20, 600, 610, 610.2, 610.4, 612):
            turn(connection, follower, minute, 0.01)
        assert follower.engine is not None
        warned = follower.engine.state.warnings
        renamed(connection, TOO_OLD)
        again = Follower(connection)
        taken, take = list[int](), again.take

        def counted(pending: list[PendingTick], ready: Nowcast | None = None) -> list[TickOutput]:
            taken.extend(entry.tick_seq for entry in pending)
            return take(pending, ready)

        again.take = counted  # type: ignore[method-assign]
        again.restore()
        assert again.engine is not None
    assert taken == [4, 7, 8]
    assert warned
    assert again.engine.state.warnings == warned


def test_a_tick_of_another_version_is_not_worked_out_again_in_its_name(live_db: str) -> None:
    with opened(live_db) as connection:
        import_site(connection, a_site(), "test", RUN_START)
        follower = Follower(connection)
        for minute in range(4):
            turn(connection, follower, minute, 0.01)
        renamed(connection, TOO_OLD)
        follower = upgraded(connection)
        for minute in range(4, 60):
            turn(connection, follower, minute, 0.01)
        assert differences(connection, 5) == []
        with pytest.raises(BadInput, match=f"version {TOO_OLD} of the engine took it"):
            differences(connection, 4)


START_AND_DIE = """
import os, signal, sys
from risk import follower
from undercroft.store import engine as store
from undercroft.clock import SystemClock
from risk.run import StopFlag, run_engine

def die(*of, **named):
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[2] == "folding":
    follower.take_over = die
else:
    store.write_takeover = die
run_engine(sys.argv[1], SystemClock(), StopFlag(), lambda: None)
"""


@pytest.mark.parametrize("kept", [True, False])
def test_killed_in_the_middle_of_the_upgrade_it_leaves_the_same_log(live_db: str, exercise_db: str, kept: bool) -> None:
    logs = []
    for url, killed in ((live_db, False), (exercise_db, True)):
        with opened(url) as connection:
            import_site(connection, a_site(), "test", RUN_START)
            follower = Follower(connection)
            by_other_version(connection, follower, 16, {1, 8})
            for minute in range(16, 19):
                turn(connection, follower, minute, 0.5)
            renamed(connection, TOO_OLD)
            if not kept:
                without_batches(connection)
            for where in ("folding", "writing") if killed else ():
                command = [sys.executable, "-c", START_AND_DIE, url, where]
                done = subprocess.run(command, env=os.environ, capture_output=True, timeout=60, check=False)
                assert done.returncode == -signal.SIGKILL, done.stderr.decode()
            follower = upgraded(connection)
            for minute in range(19, 40):
                turn(connection, follower, minute, 0.5 if minute < 22 else 0.0)
            logs.append(canonical_log(store.alarm_events(connection)))
            kinds = Counter(kind for _, _, kind in log_of(connection))
    assert logs[0] == logs[1]
    assert kinds["raised"] == kinds["cleared"] == 3
