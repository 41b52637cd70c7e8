"""A clock that jumps back an hour after good readings: from the message, through the store, to the alarm."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import timedelta

import pytest

from ingest.batch import Message
from risk.arrays import to_us
from risk.follower import Follower
from risk.run import step_live
from tests.ingest_fixtures import writer_of
from tests.integration.test_engine_run import RUN_START, a_site, opened
from undercroft.store.site import import_site

RED_M = 0.5
SLOW_S = 3600


@pytest.mark.parametrize("every_s", [10, 60, 300])
@pytest.mark.parametrize("begins_anew", [False, True])
def test_a_device_set_back_an_hour_raises_its_red_once_its_clock_has_run_on(
    live_db: str, every_s: int, *, begins_anew: bool
) -> None:
    """Dry and right six times, then an hour slow and at 50 cm: red with the next reading that is 30 s later.

    Until then it may be an old reading that was held up, which raises nothing. ``begins_anew``: ingest begins anew
    after each message, and reads its memory of the sensor from the store. The alarm stays when the clock is right.
    """
    with opened(live_db) as db:
        import_site(db, a_site(), "test", RUN_START)
        follower, writer = Follower(db), writer_of(live_db)

        def severity_after(number: int, depth_m: float, slow_s: int) -> int:
            nonlocal writer
            at = RUN_START + timedelta(seconds=every_s * number)
            said = {
                "observed_at": (at - timedelta(seconds=slow_s)).isoformat(),
                "seq": number,
                "water_depth_m": depth_m,
            }
            topic = b"flood/v1/futian/up/up-lvl/observation"
            assert not writer.write([Message(topic, json.dumps(said).encode(), 1, 1, False, to_us(at))]).reasons
            if begins_anew:
                writer.close()
                writer = writer_of(live_db)
            step_live(db, follower, at)
            row = db.execute(
                "select max(severity) as severity from alarm where active and subject = 'space/up'"
            ).fetchone()
            return 0 if row is None or row["severity"] is None else int(row["severity"])

        with closing(writer):
            assert [severity_after(number, 0.0, 0) for number in range(6)] == [0] * 6
            known_after = -(-30 // every_s)
            found = [severity_after(6 + number, RED_M, SLOW_S) for number in range(known_after + 3)]
            assert found == [0] * known_after + [4] * 3
            assert severity_after(9 + known_after, 0.0, 0) == 4, "one good dry word ends nothing"
