"""A seeded fault programme: whatever breaks, every reading is stored once or is a dead letter once.

Each fault strikes with at least 100 messages in flight, counted frame by frame between broker and ingest: delivered and
not acknowledged. A lock that the test holds on the commit counter keeps their batches open. A fault of the database is
lifted only when ingest's log says that a batch was refused by it.
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
from datetime import datetime
from itertools import groupby
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
FAULTS_PER_SEED = 8
PASSWORD = "for-the-test"
DATABASE = "faults"
TABLES = (
    "observation_packed, observation_conflict, dead_letter, batch, clock_lost_reading, quality_flag,"
    " device_state_delivery"
)
OF_DEVICES = "from observation join sensor using (sensor_id) where quantity"
STATES, READINGS = f"select count(*) {OF_DEVICES} = 'online'", f"select count(*) {OF_DEVICES} <> 'online'"
IN_FLIGHT = 100


@dataclass
class Published:
    """What the publisher sent, and what must come of it."""

    source: random.Random
    values: dict[tuple[str, int], list[float]] = field(default_factory=dict)
    lost_clocks: set[tuple[str, str, float]] = field(default_factory=set)
    garbage: set[bytes] = field(default_factory=set)
    said: dict[str, list[bool]] = field(default_factory=dict)
    """By device: what it said of itself, in order."""
    serial: int = 0

    def block(self) -> list[tuple[str, bytes]]:
        """Good readings, device states, 5 % garbage, duplicates, conflicts and clock jumps, in some disorder."""
        messages = [self._message() for _ in range(BLOCK)]
        for position in range(0, BLOCK - 10, 10):  # out of order by up to ten places
            part = messages[position : position + 10]
            self.source.shuffle(part)
            messages[position : position + 10] = part
        for topic, payload in messages:
            if topic.endswith("/status"):
                self.said.setdefault(topic.split("/", 3)[3].removesuffix("/status"), []).append(b"true" in payload)
        return messages

    def changes(self) -> dict[str, list[bool]]:
        """By device: its states, each change once."""
        return {device: [state for state, _ in groupby(said)] for device, said in self.said.items()}

    def _message(self) -> tuple[str, bytes]:
        self.serial += 1
        draw = self.source.random()
        device = self.source.choice(DEVICES)
        topic = f"flood/v1/futian/{device}/observation"
        if draw < 0.05:
            payload = b"\xff\xfe garbage %d" % self.serial
            self.garbage.add(payload)
            return topic, payload
        if draw > 0.92:
            return f"flood/v1/futian/{device}/status", b'{"online": %s}' % self.source.choice([b"true", b"false"])
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
    log: Path
    source: random.Random
    checked: int = 0
    """Acknowledgements that were held against the database."""

    def publish(self, messages: list[tuple[str, bytes]]) -> None:
        with publishing(self.mosquitto.url) as publisher:
            publisher.publish(messages)

    @contextmanager
    def in_flight(self, messages: list[tuple[str, bytes]]) -> Iterator[Connection]:
        """Publish with every commit held up; the fault strikes inside."""
        with closing(connect(self.owner_url, application_name="test")) as holder:
            holder.execute("select * from commit_counter for update")
            self.publish(messages)
            wait_until(lambda: self.proxy.in_flight >= IN_FLIGHT, "100 messages are in flight")
            wait_until(self._waits_for_commit, "a batch waits for its commit")
            self.check_acknowledged()
            assert self.proxy.in_flight >= IN_FLIGHT
            yield holder

    def check_acknowledged(self) -> None:
        """Each message that was acknowledged since the last look is in the database, those of device states left out.

        A state that says what the one before it said leaves no row, so no acknowledgement of one can be looked up;
        `check` counts the changes at the end, each once and in order.
        """
        new = self.proxy.acknowledged[self.checked :]
        self.checked += len(new)
        kept = _kept(self.owner_url)
        missing = [entry for entry in new if not entry[0].endswith("/status") and _identity(*entry) not in kept]
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


Messages = list[tuple[str, bytes]]


def kill_ingest(world: World, messages: Messages) -> None:
    with world.in_flight(messages):
        world.ingest.stop(signal.SIGKILL)
    world.ingest.start()


def kill_at_failpoint(world: World, messages: Messages) -> None:
    world.ingest.stop()
    wait_until(lambda: world.proxy.connections == 0, "the end of the connections is seen")
    world.proxy.forget_ends()
    world.publish(messages)
    place = world.source.choice(PLACES)
    world.ingest.start(UNDERCROFT_FAILPOINT=f"{place}:{world.source.randint(1, 2)}", UNDERCROFT_BATCH_MAX_MESSAGES="50")
    world.ingest.wait_killed()
    wait_until(lambda: world.proxy.connections == 0, "the end of the connections is seen")
    assert world.proxy.in_flight_at_end >= IN_FLIGHT
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
    with world.in_flight(messages), world.felt("(SQLSTATE 25006)"):
        _administer(world, f"alter database {world.database} set default_transaction_read_only = on")
        _end_sessions(world)
    _administer(world, f"alter database {world.database} reset default_transaction_read_only")


def refuse_connections(world: World, messages: Messages) -> None:
    login = f"{world.database}_ingest"
    with world.in_flight(messages), world.felt("too many connections for role"):
        _administer(world, f"alter role {login} connection limit 0")
        _end_sessions(world)
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


ROWS = (
    "select d.place_id || '/' || d.device_id as device, extract(epoch from observed_at)::float8 as at, value"
    " from {table} join sensor s using (sensor_id) join device d using (device_id)"
)
LOST = (
    "select d.place_id || '/' || d.device_id as device, device_us, value"
    " from clock_lost_reading join sensor s using (sensor_id) join device d using (device_id)"
)
Identity = tuple[object, ...]


def _identity(topic: str, payload: bytes) -> Identity:
    """What a message is known by in the database."""
    if payload.startswith(b"\xff"):
        return ("letter", payload)
    device, body = topic.removeprefix("flood/v1/futian/").removesuffix("/observation"), json.loads(payload)
    said = body["observed_at"]
    if isinstance(said, str):
        return ("lost", device, round(datetime.fromisoformat(said).timestamp()) * 1_000_000, body["rain_total_mm"])
    return ("row", device, round((said - NOON_MS) / 1000), body["rain_total_mm"])


def _kept(owner_url: str) -> set[Identity]:
    letters = query(owner_url, "select payload from dead_letter")
    kept: set[Identity] = {("letter", bytes(row["payload"])) for row in letters}
    kept |= {("lost", *row.values()) for row in query(owner_url, LOST)}
    for table in ("observation", "observation_conflict"):
        rows = query(owner_url, ROWS.format(table=table))
        kept |= {("row", row["device"], round(row["at"] - NOON_MS / 1000), row["value"]) for row in rows}
    return kept


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
        log = ingest.log = Path(folder) / "ingest.log"
        log.touch()
        mosquitto = Mosquitto(Path(folder), free)
        mosquitto.start()
        try:
            yield World(postgres, postgres.url(database), database, mosquitto, proxy, ingest, log, random.Random(seed))
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
        " where quality_tests & 1 = 0 and quantity <> 'online'",
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
    states = query(
        world.owner_url,
        "select d.place_id || '/' || d.device_id as device, array_agg(value = 1 order by observed_at) as said"
        " from observation join sensor s using (sensor_id) join device d using (device_id)"
        " where quantity = 'online' group by 1",
    )
    assert {row["device"]: row["said"] for row in states} == published.changes()
    letters = query(world.owner_url, "select payload, reason from dead_letter")
    assert {bytes(row["payload"]) for row in letters} == published.garbage
    assert len(letters) == len(published.garbage)
    totals = query(
        world.owner_url, "select sum(stored)::int s, sum(conflicts)::int c, sum(dead_letters)::int d from batch"
    )
    changes = sum(map(len, published.changes().values()))
    kept = len(stored) + len(published.lost_clocks) + changes
    expected = {"s": kept, "c": len(other), "d": len(published.garbage)}
    assert totals == [expected]


def _settled(world: World, published: Published) -> bool:
    wanted = len(published.values) + len(published.lost_clocks)
    changes = sum(map(len, published.changes().values()))
    conflicts = sum(len(planted) > 1 for planted in published.values.values())
    return bool(
        one(world.owner_url, READINGS) >= wanted
        and one(world.owner_url, STATES) >= changes
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
