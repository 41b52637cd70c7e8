"""A writer that is frozen with the number of the commit order in hand holds up the others for a stated time only."""

from __future__ import annotations

import json
import os
import signal
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import DictRow, dict_row

from ingest.batch import Message
from ingest.failpoints import no_failpoint
from ingest.writer import BatchWriter
from risk import run
from tests.integration.ingest_kit import Mosquitto, ingest_of, one, publishing, wait_until
from tests.integration.ingest_messages import rain
from tests.integration.test_duty_watch import frozen
from tests.integration.test_ingest_devices import NOW, TOPIC
from tests.timescale import URL_VARIABLE
from undercroft.clock import FakeClock
from undercroft.errors import StoreUnavailable
from undercroft.model import Mode
from undercroft.store.commit import take_commit_seq
from undercroft.store.connection import Connection, connect
from undercroft.store.engine import committed_up_to

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


@pytest.mark.skipif(URL_VARIABLE in os.environ, reason=f"{URL_VARIABLE}: the server is no process of this machine")
def test_no_writer_waits_for_ever_for_a_database_that_is_frozen(live: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Engine and ingest: the backend of each is frozen; each is told so, and ingest writes by another connection."""
    refusal = pytest.raises(StoreUnavailable, match=r"no answer within 0\.8 s")
    monkeypatch.setattr("risk.run.ANSWER_WITHIN_S", 0.3)
    with closing(run._session(live, "engine")) as engine:
        with frozen(backend_of(engine)), refusal:
            committed_up_to(engine)
        assert engine.closed
    monkeypatch.setattr("ingest.writer.ANSWER_WITHIN_S", 0.3)
    body = json.dumps({"observed_at": NOW.isoformat(), "rain_total_mm": 1.0}).encode()
    batch = [Message(TOPIC, body, 1, 1, False, round(NOW.timestamp() * 1e6))]
    with closing(BatchWriter(live, "observation", Mode.LIVE, FakeClock(NOW), no_failpoint)) as writer:
        with frozen(backend_of(writer._ready_connection())), refusal:
            writer.write(batch)
        monkeypatch.setattr("ingest.writer.ANSWER_WITHIN_S", 60.0)
        assert writer.write(batch).commit_seq > 0


def backend_of(connection: Connection) -> int:
    (row,) = connection.execute("select pg_backend_pid() as pid").fetchall()
    return int(row["pid"])
