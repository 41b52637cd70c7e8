"""The application: resources under ``/api/v1``, the page at ``/``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

import api.alarms.endpoints
import api.events.endpoints
import api.health.endpoints
import api.site.endpoints
import api.spaces.endpoints
from api.errors import register_errors
from api.events.hub import Hub
from api.security import SecurityHeaders
from api.services import Services
from undercroft import __version__
from undercroft.clock import Clock
from undercroft.store.reading import Reader, TickListener

PREFIX = "/api/v1"
STATIC = Path(str(files("api") / "static"))

ROUTERS = (
    api.health.endpoints.router,
    api.site.endpoints.router,
    api.spaces.endpoints.router,
    api.alarms.endpoints.router,
    api.events.endpoints.router,
)


def create_app(database_url: str, clock: Clock) -> FastAPI:
    """Return the application; it opens its connections when it starts, and starts without a database."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with Reader(database_url) as reader:
            hub = Hub(reader, lambda: TickListener.connect(database_url), clock)
            app.state.services = Services(reader, hub, clock)
            async with hub.running():
                yield

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
    app.add_middleware(SecurityHeaders)
    for router in ROUTERS:
        app.include_router(router, prefix=PREFIX)

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    return app
