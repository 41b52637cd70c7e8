"""The nowcast of a space in force at a time, worked out again from the tick log and taken apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from risk.ahead import NAMES
from risk.explained import Explained, explained
from risk.refold import refold
from undercroft.errors import BadInput
from undercroft.store import asof as store
from undercroft.store.connection import Connection

Row = dict[str, Any]


class NowcastUnknown(BadInput):
    """No nowcast was in force, or none of this space."""


@dataclass(frozen=True, slots=True)
class InForce:
    """The nowcast in force at a tick, taken apart; ``ahead`` is what was shown of it then.

    ``as_written``: whether working it out again gave the times that were written; None where none were.
    """

    tick: Row
    ahead: Row | None
    as_written: bool | None
    nowcast: Explained | None


def nowcast_at(connection: Connection, space: str, at: datetime | None) -> InForce:
    """Work out again the nowcast that was in force at a time, from the tick log.

    Raises
    ------
    NowcastUnknown
        If the engine had not ticked yet, knew no such space, or had no nowcast.
    BadInput
        If batches that it would need are no longer kept.
    """
    tick = store.tick_at(connection, at) if at is not None else store.newest_tick(connection)
    if tick is None:
        raise NowcastUnknown("the engine had not ticked yet")
    rows = store.assessments(connection, tick["tick_seq"], space)
    if not rows:
        raise NowcastUnknown(f"nothing was known of a space {space!r} then")
    if tick["nowcast_id"] is None:
        raise NowcastUnknown(f"no nowcast was in force at tick {tick['tick_seq']}")
    follower, _ = refold(connection, tick["nowcast_id"])
    assert follower.engine is not None  # noqa: S101 - a recorded tick has a site
    if space not in follower.engine.plant.arrays.space_index:
        raise NowcastUnknown(f"the nowcast of tick {tick['nowcast_id']} did not know the space {space!r}")
    found = explained(follower.engine, follower.question(), space)
    ahead = (rows[0]["evidence"] or {}).get("ahead")
    comparable = ahead is not None and ahead["nowcast_id"] == tick["nowcast_id"]
    return InForce(tick, ahead, _agrees(found, ahead) if ahead is not None and comparable else None, found)


def _agrees(found: Explained | None, ahead: Row) -> bool:
    """Tell whether the likely times are those that were written."""
    return found is not None and all(ahead[name]["likely_min"] == found.likely_min[name] for name in NAMES)
