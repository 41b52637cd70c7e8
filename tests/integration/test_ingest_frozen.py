"""A writer that is frozen with the number of the commit order in hand holds up the others for a stated time only."""

from __future__ import annotations

import signal
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row

from tests.integration.ingest_kit import Mosquitto, ingest_of, one, publishing, wait_until
from tests.integration.ingest_messages import rain
from undercroft.store.commit import take_commit_seq
from undercroft.store.connection import connect

MESSAGES = 300
HOLDS = (
    "select count(*) from pg_stat_activity where application_name like 'ingest%%' and state = 'idle in transaction'"
    " and datname = current_database()"
)


def test_a_frozen_writer_is_put_out_and_writes_again_when_it_wakes(live: str, mosquitto: Mosquitto) -> None:
    with ingest_of(live, mosquitto.url, UNDERCROFT_BATCH_MAX_MESSAGES="100") as ingest:
        ingest.start()
        assert ingest.stop() == 0
        with publishing(mosquitto.url) as publisher:
            publisher.publish(rain(number) for number in range(MESSAGES))
        ingest.start(UNDERCROFT_FAILPOINT="after_insert:2:freeze")
        assert ingest.process is not None
        stat = Path(f"/proc/{ingest.process.pid}/stat")
        wait_until(lambda: stat.read_text().rsplit(") ", 1)[1].startswith("T"), "it is frozen")
        with closing(connect(live, application_name="test", answer_within_s=50)) as other:
            take_commit_seq(other)  # waits for the frozen one's number; a limit of ours ends the test, not the wait
            other.commit()
        assert one(live, HOLDS) == 0
        ingest.process.send_signal(signal.SIGCONT)
        wait_until(lambda: one(live, "select count(*) from observation") == MESSAGES, "all is stored")
        assert ingest.stop() == 0
    assert one(live, "select sum(stored)::int from batch") == MESSAGES
    assert one(live, "select count(*) from observation_conflict") == 0


HELD = """
    select exists (
        select from pg_locks where pid = pg_backend_pid() and relation = 'commit_counter'::regclass
            and mode = 'RowExclusiveLock'
    ) as holds, current_setting('idle_in_transaction_session_timeout') as idle
"""


class Watched(psycopg.Connection[DictRow]):
    """Notes after each statement whether it holds the commit counter, and how long it may then stand still."""

    def execute(self, *args: Any, **kwargs: Any) -> psycopg.Cursor[DictRow]:
        done = super().execute(*args, **kwargs)
        held = super().execute(HELD).fetchone()
        assert held is not None
        self.seen = [*getattr(self, "seen", []), (held["holds"], held["idle"])]
        return done


def test_nobody_holds_the_number_without_a_limit_for_a_moment(live: str) -> None:
    """On any connection, such as that of an act. Frozen is frozen between any two requests."""
    with closing(Watched.connect(live, row_factory=dict_row)) as connection:
        take_commit_seq(connection)
        assert connection.seen == [(False, "5s"), (True, "5s")]
        connection.commit()
        connection.execute("select 1")
        assert connection.seen[-1] == (False, "0"), "the limit is that of the transaction"
