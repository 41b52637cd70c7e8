"""What is said about the district."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from undercroft.model import Mode


class SiteSummary(BaseModel):
    """The district and what this database is for."""

    deployment_id: str = Field(description="another id is another database: tick numbers start again")
    mode: Mode
    district_id: str | None
    name_zh: str | None
    name_en: str | None
    timezone: str | None
    datum: str | None = Field(description="what level 0 means, in words")
    spaces: int
    streets: list[str]
    site_sha256: str | None
    imported_at: datetime | None
    now: datetime = Field(description="the instant ages are counted from: run clock in an exercise, else wall clock")
