"""What is said about libraries of past floods."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field


class FloodLibraryOut(BaseModel):
    """A library: where it comes from, and how much is in it."""

    version: int
    built_at: datetime
    built_from: datetime | None = Field(description="readings from then were looked through; null: brought in by table")
    built_until: datetime | None
    engine_version: str
    author: str
    source: str
    sensors: int = Field(description="level sensors that it speaks of, whether or not they have floods in it")
    floods: int
    sha256: str
    in_force: bool
    in_force_since: datetime | None


class FloodLibraries(BaseModel):
    """All libraries, the newest first."""

    items: list[FloodLibraryOut]
