"""Each test here runs twice: on plain PostgreSQL and on TimescaleDB. Both must give the same rows."""

from __future__ import annotations

import pytest


@pytest.fixture(params=["plain", "timescale"])
def flavour(request: pytest.FixtureRequest) -> str:
    """Which database the test runs on."""
    return str(request.param)


@pytest.fixture
def any_live_db(flavour: str, request: pytest.FixtureRequest) -> str:
    """URL of a fresh migrated live database."""
    return str(request.getfixturevalue("live_db" if flavour == "plain" else "timescale_live_db"))


@pytest.fixture
def any_db(flavour: str, request: pytest.FixtureRequest) -> str:
    """URL of a fresh migrated exercise database."""
    return str(request.getfixturevalue("exercise_db" if flavour == "plain" else "timescale_db"))
