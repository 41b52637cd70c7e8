"""What every endpoint may ask for: the reader, the hub, the time, what the database is for."""

from __future__ import annotations

from asyncio import Lock
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from api.deployment import Deployment, read_deployment
from api.events.hub import Hub
from api.events.snapshots import Snapshots
from api.spaces.thresholds import SiteCache
from duty.reports.reports import Limits
from undercroft.clock import Clock
from undercroft.store.acting import ActPool
from undercroft.store.reading import Reader


@dataclass(slots=True)
class Services:
    """Made once when the application starts."""

    reader: Reader
    hub: Hub
    snapshots: Snapshots
    clock: Clock
    acting: ActPool | None = None
    """Connections that may write what people do; None: this service only reads."""
    database_url: str = ""
    """For readers that are not asynchronous: the tick log worked out again."""
    alert_token: str | None = None
    """What Grafana's contact point shows; None: no alert of Grafana is taken."""
    report_limits: Limits = field(default_factory=Limits)
    """When reports are due, as the duty file says."""
    channels: frozenset[str] | None = None
    """The channels that the duty file names; None: no file is known."""
    refolding: Lock = field(default_factory=Lock)
    """Held while the tick log is worked out again: one at a time."""
    site_cache: SiteCache = field(default_factory=SiteCache)
    _deployment: Deployment | None = None

    async def deployment(self) -> Deployment:
        """Return what the database is for, read once."""
        if self._deployment is None:
            self._deployment = await read_deployment(self.reader)
        return self._deployment


def services_of(request: Request) -> Services:
    """Return what the lifespan made."""
    services: Services = request.app.state.services
    return services


def reader_of(services: Annotated[Services, Depends(services_of)]) -> Reader:
    """Return the pool."""
    return services.reader


Given = Annotated[Services, Depends(services_of)]
Database = Annotated[Reader, Depends(reader_of)]
