"""``/health``: 200 while levels and alarms can be relied upon, 503 otherwise."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Response

from api.deployment import Deployment, present
from api.health.schemas import Check, Health
from api.services import Given
from undercroft.errors import StoreRejected, StoreUnavailable
from undercroft.model import Mode
from undercroft.store.canary import LATE_AFTER
from undercroft.store.reading import Row

router = APIRouter(prefix="/health", tags=["health"])

MOST_TICK_AGE_S = 15.0
"""Live, the engine ticks at least every 5 s: three missed ticks. [s]"""

MOST_BATCH_AGE_S = 900.0
"""Live, every device says something within 15 minutes (domain notes 6.2). [s]"""


@router.get("", responses={503: {"model": Health, "description": "the database or the engine is not there"}})
async def get_health(given: Given, response: Response) -> Health:
    """Tell whether the database answers, the engine ticks, and readings arrive."""
    wall = given.clock.now()
    try:
        deployment = await given.deployment()
        tick = await given.reader.row("read_newest_tick")
        batch = await given.reader.row("read_newest_batch")
        beat = await given.reader.row("canary_newest_judged", now=wall)
    except (StoreUnavailable, StoreRejected) as error:
        response.status_code = 503
        return _down(wall, given.hub.clients, error)
    health = _health(deployment, tick, batch, wall, given.hub.clients)
    if beat is not None:
        health.checks["canary"] = _canary(beat, wall)
        if health.status == "ok" and not health.checks["canary"].ok:
            health.status = "degraded"
        health.canary_latency_s = (beat["judged_at"] - beat["sent_at"]).total_seconds()
    response.status_code = 503 if health.status == "down" else 200
    return health


def _down(wall: datetime, clients: int, error: Exception) -> Health:
    unreachable = isinstance(error, StoreUnavailable)
    words = "the database cannot be reached" if unreachable else "the database is not what this service needs"
    return Health(
        status="down",
        mode=None,
        now=wall,
        tick_seq=None,
        tick_at=None,
        tick_age_s=None,
        batch_age_s=None,
        clients=clients,
        checks={"database": Check(ok=False, detail=words)},
    )


def _health(deployment: Deployment, tick: Row | None, batch: Row | None, wall: datetime, clients: int) -> Health:
    tick_age_s = _age_s(tick, wall)
    batch_age_s = _age_s(batch, wall)
    live = deployment.mode is Mode.LIVE
    checks = {
        "database": Check(ok=True, detail="reachable"),
        "engine": _check("engine tick", tick_age_s, MOST_TICK_AGE_S if live else None),
        "readings": _check("batch of readings", batch_age_s, MOST_BATCH_AGE_S if live else None),
    }
    down = not checks["engine"].ok
    return Health(
        status="down" if down else "ok" if all(check.ok for check in checks.values()) else "degraded",
        mode=deployment.mode,
        now=present(deployment.mode, tick["tick_at"] if tick else None, wall),
        tick_seq=tick["tick_seq"] if tick else None,
        tick_at=tick["tick_at"] if tick else None,
        tick_age_s=tick_age_s,
        batch_age_s=batch_age_s,
        clients=clients,
        checks=checks,
    )


def _canary(beat: Row, wall: datetime) -> Check:
    age = wall - beat["sent_at"]
    return Check(ok=age <= LATE_AFTER, detail=f"newest reading judged was sent {age.total_seconds():.1f} s ago")


def _age_s(row: Row | None, wall: datetime) -> float | None:
    return max(0.0, (wall - row["committed_at"]).total_seconds()) if row else None


def _check(what: str, age_s: float | None, most_s: float | None) -> Check:
    """Judge an age. In an exercise the run's driver owns time, so that no age is too old."""
    if age_s is None:
        return Check(ok=most_s is None, detail=f"no {what} yet")
    return Check(ok=most_s is None or age_s <= most_s, detail=f"newest {what} {age_s:.1f} s ago")
