"""Databases with the sample site, and brokers of both kinds, for the tests of the ingest service."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.ingest_kit import MOSQUITTO, Mosquitto, a_mosquitto, import_sample_site, needs_mosquitto


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
def live(live_db: str) -> str:
    """URL of a live database with the sample site."""
    import_sample_site(live_db)
    return live_db


@pytest.fixture
def exercise(exercise_db: str) -> str:
    """URL of an exercise database with the sample site."""
    import_sample_site(exercise_db)
    return exercise_db
