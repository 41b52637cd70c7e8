"""A database with the sample site, and a writer of ingest on it, for tests of any folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from ingest.failpoints import no_failpoint
from ingest.writer import BatchWriter
from tests.integration.ingest_kit import import_sample_site
from undercroft.clock import FakeClock
from undercroft.model import Mode


def writer_of(database: str, mode: Mode = Mode.LIVE, session: str = "") -> BatchWriter:
    clock = FakeClock(datetime(2026, 7, 1, 12, tzinfo=UTC))
    return BatchWriter(database, "observation", mode, clock, no_failpoint, session)


@pytest.fixture
def database(live_db: str) -> str:
    """URL of a live database with the sample site."""
    import_sample_site(live_db)
    return live_db


@pytest.fixture
def writer(database: str) -> Iterator[BatchWriter]:
    """The writer of its observation lane."""
    with closing(writer_of(database)) as made:
        yield made
