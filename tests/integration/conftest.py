"""Databases with the sample site, brokers of both kinds, and a desk in front of the service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.browser.world import World
from tests.ingest_fixtures import database, writer
from tests.integration.desk_kit import Desk, a_desk
from tests.integration.ingest_kit import MOSQUITTO, Mosquitto, a_mosquitto, import_sample_site, needs_mosquitto
from undercroft.model import Mode
from undercroft.stack.postgres import PostgresServer

__all__ = ["database", "writer"]


@pytest.fixture
def mosquitto() -> Iterator[Mosquitto]:
    """A running Mosquitto."""
    if MOSQUITTO is None:
        pytest.skip("the mosquitto broker is not installed")
    with a_mosquitto() as server:
        yield server


@pytest.fixture(params=["embedded", pytest.param("mosquitto", marks=needs_mosquitto)])
def any_broker(request: pytest.FixtureRequest) -> str:
    """URL of a broker: the embedded one, and Mosquitto."""
    if request.param == "embedded":
        url: str = request.getfixturevalue("broker")
        return url
    server: Mosquitto = request.getfixturevalue("mosquitto")
    return server.url


@pytest.fixture
def live(database: str) -> str:
    """URL of a live database with the sample site."""
    return database


@pytest.fixture
def exercise(exercise_db: str) -> str:
    """URL of an exercise database with the sample site."""
    import_sample_site(exercise_db)
    return exercise_db


@pytest.fixture
def world(exercise_db: str) -> Iterator[World]:
    """An exercise database with the sample site, to be written as the engine would."""
    with closing(World(exercise_db)) as made:
        made.import_sample()
        yield made


@pytest.fixture
def desk(postgres: PostgresServer, template_databases: dict[Mode, str]) -> Iterator[Desk]:
    """A live database with the service in front of it."""
    with a_desk(postgres, template_databases[Mode.LIVE]) as found:
        yield found
