"""Fixtures for everybody: a real PostgreSQL, a fresh migrated database per test, a real MQTT broker."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.no_skip import pytest_make_collect_report, pytest_runtest_makereport
from tests.timescale import (  # noqa: F401 - some are fixtures
    URL_VARIABLE,
    fresh_database,
    pytest_collection_modifyitems,
    timescale_db,
    timescale_live_db,
    timescale_url,
)
from undercroft.model import Mode
from undercroft.stack.broker import Broker, running_broker
from undercroft.stack.datadir import DataDir, open_data_dir
from undercroft.stack.postgres import PostgresServer, running_postgres
from undercroft.store.databases import create_database, drop_database, migrate_database, renew_deployment_id

__all__ = ["pytest_collection_modifyitems", "pytest_make_collect_report", "pytest_runtest_makereport"]

settings.register_profile("undercroft", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("undercroft")
"""A busy machine fails no property: speed is measured by the benchmarks."""

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def stack_data_dir() -> Iterator[DataDir]:
    """A DATA_DIR for this session, short enough for a socket and reachable by the server's account."""
    with tempfile.TemporaryDirectory(prefix="uct-", dir="/tmp") as folder, open_data_dir(Path(folder)) as data_dir:
        yield data_dir


@pytest.fixture(scope="session")
def postgres(stack_data_dir: DataDir) -> Iterator[PostgresServer]:
    """The session's PostgreSQL; its data need not survive the machine."""
    with running_postgres(stack_data_dir, fsync=False) as server:
        yield server


@pytest.fixture
def broker_server(stack_data_dir: DataDir) -> Iterator[Broker]:
    """A fresh MQTT broker, which retains nothing of another test; ``url(user)`` gives a URL with credentials."""
    with running_broker(stack_data_dir, port=0) as server:
        yield server


@pytest.fixture
def broker(broker_server: Broker) -> str:
    """MQTT URL with credentials of this test's broker."""
    return broker_server.url("ingest")


@pytest.fixture(scope="session")
def template_databases(postgres: PostgresServer) -> dict[Mode, str]:
    """Name of a migrated database of each mode, to be copied."""
    names = {mode: f"template_{mode.value}" for mode in Mode}
    for mode, name in names.items():
        create_database(postgres.url(), name)
        migrate_database(postgres.url(name), mode)
    return names


def fresh(server: PostgresServer, mode: Mode, template: str) -> Iterator[str]:
    given = os.environ.get(URL_VARIABLE)
    if given:  # then everything runs on that TimescaleDB, whose scheduler lets no database be copied
        with fresh_database(given) as url:
            migrate_database(url, mode)
            yield url
        return
    name = f"test_{next(_NUMBERS)}"
    create_database(server.url(), name, template)
    renew_deployment_id(server.url(name))
    yield server.url(name)
    drop_database(server.url(), name)


@pytest.fixture
def exercise_db(postgres: PostgresServer, template_databases: dict[Mode, str]) -> Iterator[str]:
    """URL of a fresh migrated database of mode exercise."""
    yield from fresh(postgres, Mode.EXERCISE, template_databases[Mode.EXERCISE])


@pytest.fixture
def live_db(postgres: PostgresServer, template_databases: dict[Mode, str]) -> Iterator[str]:
    """URL of a fresh migrated database of mode live."""
    yield from fresh(postgres, Mode.LIVE, template_databases[Mode.LIVE])
