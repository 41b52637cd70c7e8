"""What the fault programme breaks: a broker, a database and an ingest process of its own, and a relay that counts."""

from __future__ import annotations

import random
import signal
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.integration.fault_messages import Identity, Messages, identities
from tests.integration.ingest_kit import (
    MOSQUITTO,
    Ingest,
    Mosquitto,
    free_port,
    ingest_of,
    one,
    publishing,
    query,
    wait_until,
)
from tests.integration.ingest_messages import NOON_MS
from tests.integration.ingest_proxy import CuttingProxy
from undercroft.stack.postgres import PostgresServer
from undercroft.store.connection import Connection, connect
from undercroft.store.receipts import digest_of
from undercroft.store.roles import Role

PASSWORD = "for-the-test"
IN_FLIGHT = 100
TABLES = (
    "observation_packed, observation_conflict, dead_letter, batch, clock_lost_reading, quality_flag,"
    " device_state_delivery, message_receipt"
)
ROWS = (
    "select d.place_id || '/' || d.device_id as device, extract(epoch from observed_at)::float8 as at, value"
    " from {table} join sensor s using (sensor_id) join device d using (device_id) where quantity = 'rain_total_mm'"
)
_STATES = "select mid, device_id, value = 1 as online from ever_device_state_delivery join sensor using (sensor_id)"
_FOR_EVER = """
create table if not exists ever_{table} (like {table});
truncate ever_{table};
create or replace function ever_{table}() returns trigger language plpgsql security definer as
    $$begin insert into ever_{table} select new.*; return new; end$$;
create or replace trigger ever after insert or update on {table} for each row execute function ever_{table}();
"""
"""How messages came is forgotten when it cannot come again; the programme keeps it, to know what was committed."""


@dataclass
class World:
    """Everything that can break."""

    postgres: PostgresServer
    owner_url: str
    database: str
    mosquitto: Mosquitto
    proxy: CuttingProxy
    ingest: Ingest
    log: Path
    source: random.Random
    checked: int = 0
    """Acknowledgements that were held against the database."""

    def publish(self, messages: Messages) -> None:
        with publishing(self.mosquitto.url) as publisher:
            publisher.publish(messages)

    @contextmanager
    def in_flight(self, messages: Messages) -> Iterator[Connection]:
        """Publish with every commit held up; the fault strikes inside."""
        with closing(connect(self.owner_url, application_name="test")) as holder:
            holder.execute("select * from commit_counter for update")
            self.publish(messages)
            wait_until(lambda: self.proxy.in_flight >= IN_FLIGHT, "100 messages are in flight")
            wait_until(self._waits_for_commit, "a batch waits for its commit")
            self.check_acknowledged()
            assert self.proxy.in_flight >= IN_FLIGHT
            self.proxy.forget_ends()
            yield holder

    @contextmanager
    def cut_off(self, messages: Messages) -> Iterator[None]:
        """As `in_flight`, for a fault that ends the connections: 100 messages were in flight when they ended."""
        with self.in_flight(messages):
            yield
            wait_until(lambda: self.proxy.in_flight_at_end >= IN_FLIGHT, "they ended with 100 messages in flight")

    def check_acknowledged(self) -> None:
        """Each message that was acknowledged since the last look is in the database, with all its parts.

        A state by how it was delivered, since one that says what the one before it said leaves no reading; so a SenML
        message without a time, and one of a clock that was lost. An event by its own session only: the observation lane
        passes over it.
        """
        self.proxy.raise_failure()
        new = self.proxy.acknowledged[self.checked :]
        self.checked += len(new)
        kept = kept_in(self.owner_url)
        passed = [entry for entry in new if entry.topic.endswith("/event") and not entry.session.endswith("-event")]
        missing = [
            part
            for entry in new
            if entry not in passed
            for part in identities(entry.mid, entry.topic, entry.payload)
            if part not in kept
        ]
        assert missing == [], "acknowledged before its commit"

    @contextmanager
    def felt(self, words: str) -> Iterator[None]:
        """Strike inside; wait until a batch is refused in these words of the database."""
        start = self.log.stat().st_size
        yield
        wait_until(
            lambda: any("batch_kept" in line and words in line for line in self._logged_since(start)),
            f"a batch is refused: {words}",
        )

    def _logged_since(self, start: int) -> list[str]:
        return self.log.read_bytes()[start:].decode().splitlines()

    def _waits_for_commit(self) -> bool:
        waiting: int = one(
            self.owner_url,
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
            " and application_name like 'ingest%%' and datname = current_database()",
        )
        return waiting > 0


class _Kept(set[Identity]):
    """Identities; a message without a possible time is known by its digest."""

    def __contains__(self, part: object) -> bool:
        if isinstance(part, tuple) and part[0] == "receipt":
            _, mid, topic, payload = part
            return super().__contains__(("receipt", mid, digest_of(topic.encode(), payload)))
        return super().__contains__(part)


def kept_in(owner_url: str) -> set[Identity]:
    """Return what the database holds, as `fault_messages.identities` names it."""
    kept = _Kept(("letter", bytes(row["payload"])) for row in query(owner_url, "select payload from dead_letter"))
    kept |= {("state", *row.values()) for row in query(owner_url, _STATES)}
    receipts = query(owner_url, "select mid, digest from ever_message_receipt")
    kept |= {("receipt", row["mid"], bytes(row["digest"])) for row in receipts}
    for table in ("observation", "observation_conflict"):
        rows = query(owner_url, ROWS.format(table=table))
        kept |= {("row", row["device"], round(row["at"] - NOON_MS / 1000), row["value"]) for row in rows}
    return kept


@contextmanager
def a_world(postgres: PostgresServer, database: str, seed: int) -> Iterator[World]:
    assert MOSQUITTO is not None
    with closing(connect(postgres.url(database), application_name="test", autocommit=True)) as connection:
        connection.execute(f"truncate {TABLES}".encode())
        for table in ("device_state_delivery", "message_receipt"):
            connection.execute(_FOR_EVER.format(table=table).encode())
    login = postgres.url(database, user=f"{database}_{Role.INGEST.short}", password=PASSWORD)
    with (
        tempfile.TemporaryDirectory(prefix="ucm-", dir="/tmp") as folder,
        closing(CuttingProxy(free := free_port())) as proxy,
        ingest_of(login, proxy.url, UNDERCROFT_BATCH_MAX_MESSAGES="200") as ingest,
    ):
        log = ingest.log = Path(folder) / "ingest.log"
        log.touch()
        mosquitto = Mosquitto(Path(folder), free)
        mosquitto.start()
        try:
            yield World(postgres, postgres.url(database), database, mosquitto, proxy, ingest, log, random.Random(seed))
        finally:
            mosquitto.stop(signal.SIGKILL)
