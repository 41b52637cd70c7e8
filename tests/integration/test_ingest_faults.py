"""A seeded fault programme: whatever breaks, every reading is stored once or is a dead letter once.

Each fault strikes with at least 100 messages in flight, counted frame by frame between broker and ingest: delivered and
not acknowledged. A lock that the test holds on the commit counter keeps their batches open. A fault of the database is
lifted only when ingest's log says that a batch was refused by it.
"""

from __future__ import annotations

import os
import random
import socket
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.integration.fault_messages import SENML_SITE, Published
from tests.integration.fault_strikes import FAULTS
from tests.integration.fault_world import PASSWORD, ROWS, World, a_world
from tests.integration.ingest_kit import (
    DEADLINE_S,
    Publisher,
    import_sample_site,
    needs_mosquitto,
    one,
    query,
    wait_until,
)
from tests.integration.ingest_messages import NOON_MS
from tests.integration.ingest_proxy import CuttingProxy
from undercroft.model import Mode
from undercroft.mqtt_frames import publish_frame
from undercroft.stack.datadir import DataDir, open_data_dir
from undercroft.stack.postgres import PostgresServer, running_postgres
from undercroft.store.databases import create_database, migrate_database
from undercroft.store.roles import create_logins

pytestmark = needs_mosquitto

FAULTS_PER_SEED = 8
DATABASE = "faults"
OF_DEVICES = "from observation join sensor using (sensor_id) join device d using (device_id) where quantity"
SEEDS_OF_TEST, SEEDS_OF_TEST_ALL = 5, 25
"""Eight faults each: 40 in `make test`, 200 more in `make test-all`."""
SEEDS = int(os.environ.get("UNDERCROFT_FAULT_SEEDS", str(SEEDS_OF_TEST + SEEDS_OF_TEST_ALL)))


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
    import_sample_site(own_postgres.url(DATABASE), SENML_SITE)
    create_logins(own_postgres.url(DATABASE), DATABASE, lambda _: PASSWORD)
    return DATABASE


def check(world: World, published: Published) -> None:
    """Every reading is in one place, once."""
    rows = query(world.owner_url, ROWS.format(table="observation") + " and quality_tests & 1 = 0")
    stored = {(row["device"], round(row["at"] - NOON_MS / 1000)): row["value"] for row in rows}
    assert len(stored) == len(rows)
    assert stored.keys() == published.values.keys()
    conflicts = query(world.owner_url, ROWS.format(table="observation_conflict"))
    other = {(row["device"], round(row["at"] - NOON_MS / 1000)): row["value"] for row in conflicts}
    assert len(other) == len(conflicts)
    for key, planted in published.values.items():
        found = [stored[key]] + ([other[key]] if key in other else [])
        assert sorted(found) == sorted(planted), key
    without_clock = query(
        world.owner_url, ROWS.format(table="observation") + " and quality_tests & 1 = 1 order by observed_at"
    )
    for device, values in published.lost_clocks.items():
        assert [row["value"] for row in without_clock if row["device"] == device] == values, device
    assert len(without_clock) == sum(map(len, published.lost_clocks.values()))
    timeless = query(
        world.owner_url, f"select d.place_id || '/' || device_id as device, value {OF_DEVICES} = 'battery_v'"
    )
    assert Counter((row["device"], row["value"]) for row in timeless) == published.timeless
    said = "array_agg(value = 1 order by observed_at) as said"
    states = query(
        world.owner_url, f"select d.place_id || '/' || device_id as device, {said} {OF_DEVICES} = 'online' group by 1"
    )
    assert {row["device"]: row["said"] for row in states} == published.changes()
    letters = query(world.owner_url, "select payload, reason from dead_letter")
    assert {bytes(row["payload"]) for row in letters} == published.garbage
    assert len(letters) == len(published.garbage)
    totals = query(
        world.owner_url, "select sum(stored)::int s, sum(conflicts)::int c, sum(dead_letters)::int d from batch"
    )
    assert totals == [{"s": _kept(published), "c": len(other), "d": len(published.garbage)}]


def _kept(published: Published) -> int:
    changes = sum(map(len, published.changes().values()))
    lost_clocks = sum(map(len, published.lost_clocks.values()))
    return len(published.values) + lost_clocks + published.timeless.total() + changes


def _settled(world: World, published: Published) -> bool:
    conflicts = sum(len(planted) > 1 for planted in published.values.values())
    return bool(
        one(world.owner_url, "select count(*) from observation") >= _kept(published)
        and one(world.owner_url, "select count(*) from observation_conflict") >= conflicts
        and one(world.owner_url, "select count(*) from dead_letter") >= len(published.garbage)
    )


def _settle(world: World, published: Published, what: str) -> None:
    try:
        wait_until(lambda: _settled(world, published), what)
    except AssertionError:
        print(world.log.read_text()[-6000:])  # noqa: T201 - shown with the failure
        check(world, published)  # says which reading is in no place
        raise


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
            _settle(world, published, f"all is stored after {fault.__name__} (seed {seed})")
            world.check_acknowledged()
        assert world.ingest.stop() == 0
        check(world, published)


@pytest.mark.parametrize("sent", [b"\x40\x02\x00\x07", b"\x40\x02\x00\x01" * 2])
def test_what_fails_in_the_relay_fails_the_test(sent: bytes) -> None:
    """An acknowledgement of what was never delivered, or a second one, ends in the test with the relay's traceback."""
    connect_packet = b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01c"
    with closing(socket.create_server(("127.0.0.1", 0))) as broker:
        proxy = CuttingProxy(broker.getsockname()[1])
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=DEADLINE_S) as client:
            ours, _ = broker.accept()
            with closing(ours):
                client.sendall(connect_packet)
                assert ours.recv(100) == connect_packet
                ours.sendall(publish_frame("t", b"x", 1))
                assert client.recv(100)
                client.sendall(sent)
                wait_until(lambda: proxy.connections == 1 and bool(proxy._failures), "it failed")
        with pytest.raises(AssertionError, match="relay failed") as caught:
            proxy.close()
    assert "not in flight" in str(caught.value.__cause__)


def test_publisher_is_told(own_postgres: PostgresServer, database: str) -> None:
    """The programme's own publisher counts what the broker took over."""
    with a_world(own_postgres, database, 999) as world, closing(Publisher(world.mosquitto.url)) as publisher:
        assert publisher.publish([("t", b"")] * 3) == 3
