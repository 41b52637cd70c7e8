"""A live engine that starts again comes to the very memory that it had, whatever nowcast was on its way."""

from __future__ import annotations

from datetime import datetime, timedelta

from risk.ahead import Nowcast, Question, answered
from risk.follower import Follower
from risk.refold import refold
from risk.run import step_live
from risk.snapshot import dump_state
from tests.integration.test_engine_run import RUN_START, a_site, commit_batch, opened, sensor_ids
from tests.unit.risk.builders import site, underpass
from undercroft.store.site import import_site


class SlowNowcaster:
    """Stands in for the process beside the engine, which cannot be told how long to take: answers when it is let."""

    def __init__(self) -> None:
        self.asked: Question | None = None
        self.ready: Nowcast | None = None

    @property
    def busy(self) -> bool:
        return self.asked is not None

    def lost(self) -> None:
        """It never ends."""

    def wants_at(self, tick_at: datetime) -> bool:
        del tick_at
        return not self.busy

    def ask(self, asked: Question) -> None:
        self.asked = asked

    def finish(self) -> None:
        assert self.asked is not None
        self.ready, self.asked = answered(self.asked), None

    def finished(self) -> Nowcast | None:
        ready, self.ready = self.ready, None
        return ready


def test_a_nowcast_asked_for_beside_a_kept_snapshot_and_used_ticks_later_is_known_again(live_db: str) -> None:
    with opened(live_db) as db:
        import_site(db, a_site(), "test", RUN_START)
        ids, follower, slow = sensor_ids(db), Follower(db), SlowNowcaster()
        for number in range(5):
            at = RUN_START + timedelta(seconds=5 * number)
            commit_batch(db, [(sensor_id, at, 0.1) for key, sensor_id in ids.items() if "depth" in key], None)
            if number == 3:
                slow.finish()
            step_live(db, follower, at, slow)  # type: ignore[arg-type]
        ticks = db.execute("select tick_seq, nowcast_id from tick order by tick_seq").fetchall()
        kept = db.execute("select tick_seq from engine_snapshot").fetchall()
        assert [row["tick_seq"] for row in kept] == [1], "asked for at the tick of the snapshot"
        assert [row["nowcast_id"] for row in ticks] == [None, None, None, 1, 1]
        again = Follower(db)
        again.restore()
        assert memory(again) == memory(follower)


def test_a_nowcast_asked_for_before_other_thresholds_hold_is_not_taken_after(live_db: str) -> None:
    """Asked for under the first set, it is done two ticks after the second came into force."""
    sets = [
        {"id": name, "author": "Li", "source": "order 7", "valid_from": valid_from.isoformat(), "rows": [row]}
        for name, valid_from, row in (
            ("first", RUN_START, orange_at(16)),
            ("second", RUN_START + timedelta(seconds=8), orange_at(40)),
        )
    ]
    with opened(live_db) as db:
        import_site(db, site(underpass(), threshold_set=sets), "test", RUN_START)
        ids, follower, slow = sensor_ids(db), Follower(db), SlowNowcaster()
        for number in range(7):
            at = RUN_START + timedelta(seconds=5 * number)
            commit_batch(db, [(ids["up-lvl:water_depth_m"], at, 0.1)], None)
            if number in {3, 5}:
                slow.finish()
            step_live(db, follower, at, slow)  # type: ignore[arg-type]
        ticks = db.execute("select tick_seq, nowcast_id from tick order by tick_seq").fetchall()
        assert [row["nowcast_id"] for row in ticks] == [None, None, None, None, None, 4, 4]
        again, outputs = refold(db, ticks[-1]["tick_seq"], before=1)
        assert [output.nowcast_id for output in outputs] == [row["nowcast_id"] for row in ticks]
        assert memory(again) == memory(follower)


def orange_at(depth_cm: float) -> dict[str, object]:
    return {"rule": "inside-depth", "severity": "orange", "value": depth_cm, "unit": "cm", "source": "order 7"}


def memory(follower: Follower) -> bytes:
    assert follower.engine is not None
    return dump_state(follower.engine.state, follower.engine.plant.arrays)
