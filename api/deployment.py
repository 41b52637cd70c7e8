"""What the database is for, and which clock ages are counted from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from undercroft.errors import StoreRejected
from undercroft.model import Mode
from undercroft.quality import MOST_AHEAD
from undercroft.store.reading import Query


@dataclass(frozen=True, slots=True)
class Deployment:
    """What a database is for. It never changes."""

    deployment_id: str
    mode: Mode


async def read_deployment(query: Query) -> Deployment:
    """Read what the database is for.

    Raises
    ------
    StoreRejected
        If the database has not been migrated.
    """
    row = await query.row("read_deployment")
    if row is None:
        raise StoreRejected("this database has no mode yet: run `undercroft db migrate` first")
    return Deployment(row["deployment_id"], Mode(row["mode"]))


def present(mode: Mode, tick_at: datetime | None, wall: datetime) -> datetime:
    """Return the instant that ages are counted from: the run clock in an exercise, else the wall clock."""
    if mode is Mode.EXERCISE and tick_at is not None:
        return tick_at
    return wall


def newest_until(mode: Mode, wall: datetime) -> datetime | None:
    """Return up to when a reading may be the newest; None for any: in an exercise the driver owns time.

    One that lies further ahead was stamped while ingest's clock was ahead. It may not hide for hours what came since.
    """
    return wall + MOST_AHEAD if mode is Mode.LIVE else None
