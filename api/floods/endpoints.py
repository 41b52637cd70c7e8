"""``/flood-libraries``: what the engine may foresee from, and what it does."""

from __future__ import annotations

from fastapi import APIRouter

from api.errors import documented
from api.floods.schemas import FloodLibraries, FloodLibraryOut
from api.services import Database

router = APIRouter(tags=["spaces"])


@router.get("/flood-libraries", responses=documented())
async def list_flood_libraries(reader: Database) -> FloodLibraries:
    """List the libraries of past floods, and which one is in use."""
    rows = await reader.rows("flood_libraries")
    return FloodLibraries(items=[FloodLibraryOut.model_validate(row) for row in rows])
