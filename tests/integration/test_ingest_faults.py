"""A seeded fault programme: whatever breaks, every reading is stored once or is a dead letter once.

Each fault strikes with at least 100 messages in flight: they are delivered to ingest, and a lock that the test holds
on the commit counter keeps their batch open.
"""

from __future__ import annotations

import json
import os
import random
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ingest.failpoints import PLACES
from tests.integration.ingest_kit import (
    MOSQUITTO,
    Ingest,
    Mosquitto,
    Publisher,
    free_port,
    import_sample_site,
    ingest_of,
    needs_mosquitto,
    one,
    publishing,
    query,
    wait_until,
)
from tests.integration.ingest_proxy import CuttingProxy
from undercroft.errors import StoreUnavailable
from undercroft.model import Mode
from undercroft.stack.datadir import DataDir, open_data_dir
from undercroft.stack.postgres import PostgresServer, running_postgres
from undercroft.store.connection import Connection, connect
from undercroft.store.databases import create_database, migrate_database
from undercroft.store.roles import Role, create_logins

pytestmark = needs_mosquitto

DEVICES = ("gauge-beiling/gauge-beiling-rain", "gauge-rongxi/gauge-rongxi-rain", "gauge-luhu/gauge-luhu-rain")
NOON_MS = 1_782_907_200_000
BLOCK = 300
SHORTEST_MESSAGE_BYTES = 60
FAULTS_PER_SEED = 8
PASSWORD = "for-the-test"
DATABASE = "faults"
TABLES = "observation_packed, observation_conflict, dead_letter, batch, clock_lost_reading, quality_flag"


@dataclass
class Published:
    """What the publisher sent, and what must come of it."""

    source: random.Random
    values: dict[tuple[str, int], list[float]] = field(default_factory=dict)
    lost_clocks: set[tuple[str, str, float]] = field(default_factory=set)
    garbage: set[bytes] = field(default_factory=set)
    serial: int = 0

    def block(self) -> list[tuple[str, bytes]]:
        """Good readings, 5 % garbage, duplicates, conflicts and clock jumps, in some disorder."""
        messages = [self._message() for _ in range(BLOCK)]
        for position in range(0, BLOCK - 10, 10):  # out of order by up to ten places
            part = messages[position : position + 10]
            self.source.shuffle(part)
            messages[position : position + 10] = part
        return messages

    def _message(self) -> tuple[str, bytes]:
        self.serial += 1
        draw = self.source.random()
        device = self.source.choice(DEVICES)
        topic = f"flood/v1/futian/{device}/observation"
        if draw < 0.05:
            payload = b"\xff\xfe garbage %d" % self.serial
            self.garbage.add(payload)
            return topic, payload
        if draw < 0.10:
            jump = self.source.choice(["1970-01-01T%02d:%02d:%02dZ", "2100-01-01T%02d:%02d:%02dZ"])
            jumped = jump % (self.serial // 3600 % 24, self.serial // 60 % 60, self.serial % 60)
            self.lost_clocks.add((device, jumped, 2.5))
            return topic, json.dumps({"observed_at": jumped, "rain_total_mm": 2.5}).encode()
        if draw < 0.20 and self.values:
            device, second = self.source.choice(list(self.values))
            planted = self.values[device, second]
            if draw < 0.15 and len(planted) == 1:
                planted.append(planted[0] + 1)
            value = self.source.choice(planted) if draw >= 0.15 else planted[-1]
        else:
            second, value = self.serial, round(self.source.random() * 100, 1)
            self.values[device, second] = [value]
        body = {"observed_at": NOON_MS + second * 1000, "seq": self.serial, "rain_total_mm": value}
        return f"flood/v1/futian/{device}/observation", json.dumps(body).encode()


@dataclass
class World:
    """Everything that can break."""

    postgres: PostgresServer
    owner_url: str
    database: str
    mosquitto: Mosquitto
    proxy: CuttingProxy
    ingest: Ingest
    source: random.Random

    def publish(self, messages: list[tuple[str, bytes]]) -> None:
        with publishing(self.mosquitto.url) as publisher:
            publisher.publish(messages)

    @contextmanager
    def in_flight(self, messages: list[tuple[str, bytes]]) -> Iterator[Connection]:
        """Publish with every commit held up; the fault strikes inside."""
        before = self.proxy.delivered_bytes
        with closing(connect(self.owner_url, application_name="test")) as holder:
            holder.execute("select * from commit_counter for update")
            self.publish(messages)
            wait_until(
                lambda: self.proxy.delivered_bytes - before >= 100 * SHORTEST_MESSAGE_BYTES * 2,
                "100 messages are in flight",
            )
            wait_until(self._waits_for_commit, "a batch waits for its commit")
            self.check_acknowledged()
            yield holder

    def check_acknowledged(self) -> None:
        acknowledged = self.proxy.acknowledged
        committed = one(self.owner_url, "select coalesce(sum(messages), 0)::bigint from batch")
        assert acknowledged <= committed, "a message was acknowledged before its commit"

    def _waits_for_commit(self) -> bool:
        waiting: int = one(
            self.owner_url,
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
            " and application_name like 'ingest%%' and datname = current_database()",
        )
        return waiting > 0


Messages = list[tuple[str, bytes]]


def kill_ingest(world: World, messages: Messages) -> None:
    with world.in_flight(messages):
        world.ingest.stop(signal.SIGKILL)
    world.ingest.start()


def kill_at_failpoint(world: World, messages: Messages) -> None:
    world.ingest.stop()
    world.publish(messages)
    place = world.source.choice(PLACES)
    world.ingest.start(
        UNDERCROFT_FAILPOINT=f"{place}:{world.source.randint(1, 2)}", UNDERCROFT_BATCH_MAX_MESSAGES="100"
    )
    world.ingest.wait_killed()
    world.ingest.start()


def restart_broker(world: World, messages: Messages) -> None:
    with world.in_flight(messages):
        world.mosquitto.stop()
        world.mosquitto.start()


def kill_database(world: World, messages: Messages) -> None:
    with world.in_flight(messages):
        pid = world.postgres.process.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: world.postgres.process.pid not in {pid, None} and _answers(world), "the database is back")


def make_read_only(world: World, messages: Messages) -> None:
    with world.in_flight(messages):
        before = _past_sessions(world)
        _administer(world, f"alter database {world.database} set default_transaction_read_only = on")
        _end_sessions(world)
    wait_until(lambda: _past_sessions(world) >= before + 2, "ingest has tried again")
    _administer(world, f"alter database {world.database} reset default_transaction_read_only")


def refuse_connections(world: World, messages: Messages) -> None:
    login = f"{world.database}_ingest"
    with world.in_flight(messages):
        _administer(world, f"alter role {login} connection limit 0")
        _end_sessions(world)
        wait_until(lambda: _sessions(world) == 0, "ingest has no session")
    _administer(world, f"alter role {login} connection limit -1")


def cut_connection(world: World, messages: Messages) -> None:
    half = len(messages) // 2
    with world.in_flight(messages[:half]):
        world.proxy.cut_after(world.source.randint(1, 3000))
        world.publish(messages[half:])


def hang_up(world: World, messages: Messages) -> None:
    with world.in_flight(messages):
        world.proxy.cut_now()


FAULTS: tuple[Callable[[World, Messages], None], ...] = (
    kill_ingest,
    kill_at_failpoint,
    restart_broker,
    kill_database,
    make_read_only,
    refuse_connections,
    cut_connection,
    hang_up,
)


def _answers(world: World) -> bool:
    try:
        connect(world.owner_url, application_name="test").close()
    except StoreUnavailable:
        return False
    return True


def _administer(world: World, statement: str) -> None:
    with closing(connect(world.postgres.url(), application_name="test", autocommit=True)) as connection:
        connection.execute(statement)


def _end_sessions(world: World) -> None:
    query(
        world.owner_url,
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'ingest%%'"
        " and datname = current_database()",
    )


def _past_sessions(world: World) -> int:
    """Sessions that ended; ingest closes one after every failure."""
    statement = "select sessions + sessions_killed from pg_stat_database where datname = %s"
    with closing(connect(world.postgres.url(), application_name="test", autocommit=True)) as connection:
        row = connection.execute(statement, (world.database,)).fetchone()
    assert row is not None
    return int(next(iter(row.values())))


def _sessions(world: World) -> int:
    found: int = one(
        world.owner_url,
        "select count(*) from pg_stat_activity where application_name like 'ingest%%' and datname = current_database()",
    )
    return found


@pytest.fixture(scope="module")
def own_data_dir() -> Iterator[DataDir]:
    with tempfile.TemporaryDirectory(prefix="ucf-", dir="/tmp") as folder, open_data_dir(Path(folder)) as data_dir:
        yield data_dir


@pytest.fixture(scope="module")
def own_postgres(own_data_dir: DataDir) -> Iterator[PostgresServer]:
    """A server of its own, since it is killed; with fsync, since it must come back whole."""
    with running_postgres(own_data_dir, fsync=True) as server:
        yield server


@pytest.fixture(scope="module")
def database(own_postgres: PostgresServer) -> str:
    """One live database with the sample site, emptied for each seed."""
    create_database(own_postgres.url(), DATABASE)
    migrate_database(own_postgres.url(DATABASE), Mode.LIVE)
    import_sample_site(own_postgres.url(DATABASE))
    create_logins(own_postgres.url(DATABASE), DATABASE, lambda _: PASSWORD)
    return DATABASE


@contextmanager
def a_world(postgres: PostgresServer, database: str, seed: int) -> Iterator[World]:
    assert MOSQUITTO is not None
    _empty(postgres.url(database))
    login = postgres.url(database, user=f"{database}_{Role.INGEST.short}", password=PASSWORD)
    with (
        tempfile.TemporaryDirectory(prefix="ucm-", dir="/tmp") as folder,
        closing(CuttingProxy(free := free_port())) as proxy,
        ingest_of(login, proxy.url, UNDERCROFT_BATCH_MAX_MESSAGES="200") as ingest,
    ):
        mosquitto = Mosquitto(Path(folder), free)
        mosquitto.start()
        try:
            yield World(postgres, postgres.url(database), database, mosquitto, proxy, ingest, random.Random(seed))
        finally:
            mosquitto.stop(signal.SIGKILL)


def _empty(owner_url: str) -> None:
    with closing(connect(owner_url, application_name="test", autocommit=True)) as connection:
        connection.execute(f"truncate {TABLES}".encode())


def check(world: World, published: Published) -> None:
    """Every reading is in one place, once."""
    rows = query(
        world.owner_url,
        "select d.place_id || '/' || d.device_id as device, extract(epoch from observed_at)::float8 as at, value"
        " from observation o join sensor s using (sensor_id) join device d using (device_id)"
        " where quality_tests & 1 = 0",
    )
    stored = {(row["device"], round(row["at"] - NOON_MS / 1000)): row["value"] for row in rows}
    assert len(stored) == len(rows)
    assert stored.keys() == published.values.keys()
    conflicts = query(
        world.owner_url,
        "select d.place_id || '/' || d.device_id as device, extract(epoch from observed_at)::float8 as at, value"
        " from observation_conflict o join sensor s using (sensor_id) join device d using (device_id)",
    )
    other = {(row["device"], round(row["at"] - NOON_MS / 1000)): row["value"] for row in conflicts}
    assert len(other) == len(conflicts)
    for key, planted in published.values.items():
        found = [stored[key]] + ([other[key]] if key in other else [])
        assert sorted(found) == sorted(planted), key
    assert one(world.owner_url, "select count(*) from observation where quality_tests & 1 = 1") == len(
        published.lost_clocks
    )
    letters = query(world.owner_url, "select payload, reason from dead_letter")
    assert {bytes(row["payload"]) for row in letters} == published.garbage
    assert len(letters) == len(published.garbage)
    totals = query(
        world.owner_url, "select sum(stored)::int s, sum(conflicts)::int c, sum(dead_letters)::int d from batch"
    )
    expected = {"s": len(stored) + len(published.lost_clocks), "c": len(other), "d": len(published.garbage)}
    assert totals == [expected]


def _settled(world: World, published: Published) -> bool:
    wanted = len(published.values) + len(published.lost_clocks)
    conflicts = sum(len(planted) > 1 for planted in published.values.values())
    return bool(
        one(world.owner_url, "select count(*) from observation") >= wanted
        and one(world.owner_url, "select count(*) from observation_conflict") >= conflicts
        and one(world.owner_url, "select count(*) from dead_letter") >= len(published.garbage)
    )


SEEDS_OF_TEST, SEEDS_OF_TEST_ALL = 5, 25
"""Eight faults each: 40 in `make test`, 200 more in `make test-all`."""
SEEDS = int(os.environ.get("UNDERCROFT_FAULT_SEEDS", str(SEEDS_OF_TEST + SEEDS_OF_TEST_ALL)))


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=[pytest.mark.slow] if seed >= SEEDS_OF_TEST else []) for seed in range(SEEDS)]
)
def test_fault_programme(own_postgres: PostgresServer, database: str, seed: int) -> None:
    with a_world(own_postgres, database, seed) as world:
        published = Published(random.Random(1000 + seed))
        order = list(FAULTS)
        world.source.shuffle(order)
        assert len(order) == FAULTS_PER_SEED
        world.ingest.start()
        for fault in order:
            fault(world, published.block())
            wait_until(lambda: _settled(world, published), f"all is stored after {fault.__name__} (seed {seed})")
            world.check_acknowledged()
        assert world.ingest.stop() == 0
        check(world, published)


def test_publisher_is_told(own_postgres: PostgresServer, database: str) -> None:
    """The programme's own publisher counts what the broker took over."""
    with a_world(own_postgres, database, 999) as world, closing(Publisher(world.mosquitto.url)) as publisher:
        assert publisher.publish([("t", b"")] * 3) == 3
