"""The application: resources under ``/api/v1``, the page at ``/``."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

import api.acts.endpoints
import api.alarms.endpoints
import api.events.endpoints
import api.floods.endpoints
import api.grafana_alerts.endpoints
import api.health.endpoints
import api.incidents.endpoints
import api.load.endpoints
import api.notifications.endpoints
import api.nowcast.endpoints
import api.operators.endpoints
import api.orders.endpoints
import api.reports.endpoints
import api.roster.endpoints
import api.site.endpoints
import api.spaces.endpoints
import api.supplies.endpoints
from api.errors import register_errors
from api.events.hub import Hub
from api.events.snapshots import Snapshots
from api.security import BodyLimit, SecurityHeaders
from api.services import Services
from duty.reports.reports import Limits
from undercroft import __version__
from undercroft.clock import Clock
from undercroft.store.acting import ActPool
from undercroft.store.reading import Reader, TickListener

PREFIX = "/api/v1"
STATIC = Path(str(files("api") / "static"))

ROUTERS = (
    api.health.endpoints.router,
    api.grafana_alerts.endpoints.router,
    api.site.endpoints.router,
    api.spaces.endpoints.router,
    api.supplies.endpoints.router,
    api.nowcast.endpoints.router,
    api.floods.endpoints.router,
    api.alarms.endpoints.router,
    api.incidents.endpoints.router,
    api.load.endpoints.router,
    api.notifications.endpoints.router,
    api.reports.endpoints.router,
    api.orders.endpoints.router,
    api.roster.endpoints.router,
    api.operators.endpoints.router,
    api.acts.endpoints.router,
    api.events.endpoints.router,
)


def create_app(
    database_url: str,
    clock: Clock,
    acts_database_url: str | None = None,
    alert_token: str | None = None,
    report_limits: Limits | None = None,
    channels: frozenset[str] | None = None,
) -> FastAPI:
    """Return the application; it opens its connections when it starts, and starts without a database.

    Parameters
    ----------
    acts_database_url : str or None
        A login that may write what people do; without it nobody acts through this service.
    alert_token : str or None
        What Grafana's contact point shows; without it no alert of Grafana is taken.
    report_limits : Limits or None
        When reports are due; None: the defaults.
    channels : frozenset of str or None
        Those of the duty file, which a roster has to keep to; None: no file is known.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        acting = None if acts_database_url is None else ActPool(acts_database_url)
        async with Reader(database_url) as reader:
            hub = Hub(reader, lambda: TickListener.connect(database_url), clock)
            snapshots, limits = Snapshots(reader, clock), report_limits or Limits()
            app.state.services = Services(
                reader, hub, snapshots, clock, acting, database_url, alert_token, limits, channels
            )
            try:
                async with hub.running():
                    yield
            finally:
                if acting is not None:
                    await to_thread(acting.close)

    app = FastAPI(
        title="Undercroft",
        version=__version__,
        summary="Flood risk of underground spaces: levels, reasons, alarms.",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
    )
    register_errors(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(SecurityHeaders)
    for router in ROUTERS:
        app.include_router(router, prefix=PREFIX)

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app
