"""Some properties are those of a writer on a real database."""

from __future__ import annotations

from tests.ingest_fixtures import database, writer

__all__ = ["database", "writer"]
