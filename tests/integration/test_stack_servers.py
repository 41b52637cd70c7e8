"""The embedded servers, for real."""

from __future__ import annotations

import stat
from contextlib import closing

import pytest

from tests.integration.ingest_kit import Mosquitto
from undercroft.errors import StackFailed, StoreUnavailable
from undercroft.model import Mode
from undercroft.stack.broker import Broker, accepts, is_ours, running_broker
from undercroft.stack.datadir import DataDir
from undercroft.stack.postgres import PostgresServer
from undercroft.store.connection import connect
from undercroft.store.migrate import mode_of


def test_each_test_gets_a_database_of_its_mode(exercise_db: str, live_db: str) -> None:
    for url, mode in ((exercise_db, Mode.EXERCISE), (live_db, Mode.LIVE)):
        with closing(connect(url, application_name="test")) as connection:
            assert mode_of(connection) is mode


def test_copies_are_deployments_of_their_own(exercise_db: str, live_db: str) -> None:
    found = set()
    for url in (exercise_db, live_db):
        with closing(connect(url, application_name="test")) as connection:
            row = connection.execute("select deployment_id from deployment").fetchone()
            assert row is not None
            found.add(row["deployment_id"])
    assert len(found) == 2


def test_the_socket_is_private(postgres: PostgresServer) -> None:
    assert stat.S_IMODE(postgres.socket_folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(postgres.socket_folder.parent.stat().st_mode) == 0o700


def test_a_wrong_password_does_not_enter(postgres: PostgresServer) -> None:
    with pytest.raises(StoreUnavailable, match="password authentication failed"):
        connect(postgres.url(password="guess"), application_name="test")


def test_the_broker_knows_its_users(broker_server: Broker) -> None:
    assert accepts(broker_server.port, "ingest", broker_server.passwords["ingest"])
    assert not accepts(broker_server.port, "ingest", "guess")
    assert not accepts(broker_server.port, "stranger", broker_server.passwords["ingest"])


def test_a_broker_that_lets_everybody_in_is_not_taken_for_ours(
    broker_server: Broker, mosquitto: Mosquitto, stack_data_dir: DataDir
) -> None:
    """Mosquitto without passwords, on the port that was asked for: sensors' words would go to a stranger."""
    password = broker_server.passwords["operator"]
    assert is_ours(broker_server.port, password)
    assert accepts(mosquitto.port, "operator", password)
    assert not is_ours(mosquitto.port, password)
    with (
        pytest.raises(StackFailed, match=f"port {mosquitto.port} on 127.0.0.1 is taken"),
        running_broker(stack_data_dir, mosquitto.port),
    ):
        pass
