"""A right that is taken away, or a table that is not there, ends nothing of ingest that can wait for it.

The tables are renamed and named back: to PostgreSQL a name that nobody has is of the class of a missing right (42).
"""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from ingest.health import Health
from ingest.share import Share, SlotKeeper
from tests.integration.ingest_kit import import_sample_site, one
from tests.integration.test_ingest_deadletters import administer
from undercroft.clock import FakeClock
from undercroft.errors import StoreRejected
from undercroft.store.connection import connect
from undercroft.store.dead_letters import Caps
from undercroft.store.observations import instant
from undercroft.store.subscriptions import fetch_former

CLOCK = FakeClock(instant(1_782_907_200_000_000))


class _Looks(threading.Event):
    """Asked to stop after so many looks; before the last the table has its name again."""

    def __init__(self, database: str, table: str, looks: int) -> None:
        super().__init__()
        self.database, self.table, self.looks = database, table, looks

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002 - as an event has it
        self.looks -= 1
        if self.looks == 0:
            administer(self.database, f"alter table gone rename to {self.table}")
        return self.looks < 0


def test_the_health_watch_goes_on(live_db: str) -> None:
    import_sample_site(live_db)
    administer(live_db, "alter table system_condition rename to gone")
    looked: list[None] = []
    health = Health(live_db, CLOCK, lambda: looked.append(None) or [], Caps())  # type: ignore[func-returns-value]
    with capture_logs() as logs:
        health.watch(_Looks(live_db, "system_condition", 2))
    assert [entry["event"] for entry in logs] == ["health_not_told"]
    assert "42P01" in logs[0]["error"]
    assert len(looked) == 1, "with its table it looked"


def test_the_slots_are_kept_later(live_db: str) -> None:
    administer(live_db, "alter table ingest_slot rename to gone")
    clock = FakeClock(CLOCK.now())
    opened: list[int] = []
    keeper = SlotKeeper(live_db, Share("pair", 0), clock, opened.append, opened.remove)
    with capture_logs() as logs:
        keeper.turn()
        administer(live_db, "alter table gone rename to ingest_slot")
        clock.advance(timedelta(minutes=1))
        keeper.turn()
    assert [entry["event"] for entry in logs] == ["slots_not_kept"]
    assert opened == [0]
    administer(live_db, "alter table ingest_slot rename to gone")
    keeper.stop()
    administer(live_db, "alter table gone rename to ingest_slot")
    assert one(live_db, "select count(*) from ingest_slot where holder is not null") == 1


def test_a_name_that_is_gone_is_what_the_test_takes_it_for(live_db: str) -> None:
    administer(live_db, "alter table ingest_subscription rename to gone")
    with (
        closing(connect(live_db, application_name="test", autocommit=True)) as connection,
        pytest.raises(StoreRejected, match="42P01"),
    ):
        fetch_former(connection, "observation", "")
