"""One snapshot for all who need one at the same time: after a restart of the service that is every console there is."""

from __future__ import annotations

from asyncio import Lock

from api.deployment import Deployment
from api.events.frames import Frame, snapshot_frame
from undercroft.clock import Clock
from undercroft.store.reading import Reader

GOOD_FOR_S = 1.0
"""Readings come without ticks, too: an older snapshot would show them late. [s]"""


class Snapshots:
    """Reads a snapshot when somebody asks, on one connection however many ask."""

    def __init__(self, reader: Reader, clock: Clock) -> None:
        self._reader = reader
        self._clock = clock
        self._reading = Lock()
        self._newest: tuple[float, str, Frame] | None = None

    async def of(self, deployment: Deployment, position: int) -> Frame:
        """Return a snapshot of a deployment that holds every tick up to a number.

        Raises
        ------
        StoreUnavailable
            If the database cannot be reached.
        """
        async with self._reading:
            now_s = self._clock.monotonic_s()
            if self._newest is not None:
                read_s, deployment_id, kept = self._newest
                holds = kept.tick_seq is not None and kept.tick_seq >= position
                if holds and deployment_id == deployment.deployment_id and now_s - read_s < GOOD_FOR_S:
                    return kept
            async with self._reader.snapshot() as query:
                made = await snapshot_frame(query, deployment, self._clock.now())
            self._newest = now_s, deployment.deployment_id, made
            return made
