"""The faults of the fault programme. Each strikes with at least 100 messages in flight, and is seen to have struck."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import closing

from ingest.failpoints import PLACES
from tests.integration.fault_messages import Messages
from tests.integration.fault_world import IN_FLIGHT, World
from tests.integration.ingest_kit import query, wait_until
from undercroft.errors import StoreUnavailable
from undercroft.store.connection import connect

CUT_WITHIN = 8_000
"""A connection is cut after at most so many bytes; packs have up to 5,000. [bytes]"""


def kill_ingest(world: World, messages: Messages) -> None:
    with world.cut_off(messages):
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
    with world.cut_off(messages):
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
    """The cut falls inside a PUBLISH: its first bytes have come, its last have not."""
    half = len(messages) // 2
    with world.in_flight(messages[:half]):
        world.proxy.cut_after(world.source.randint(1, CUT_WITHIN))
        world.publish(messages[half:])
        wait_until(lambda: world.proxy.cut is not None, "the connection is cut")
        cut = world.proxy.cut
        assert cut is not None
        assert cut.kind == 3, "a PUBLISH"
        assert 0 < cut.came < cut.size


def hang_up(world: World, messages: Messages) -> None:
    with world.cut_off(messages):
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
