"""``/site``: the district in a few words."""

from __future__ import annotations

from fastapi import APIRouter

from api.deployment import present
from api.errors import documented
from api.services import Given
from api.site.schemas import SiteSummary

router = APIRouter(prefix="/site", tags=["site"])


@router.get("", responses=documented())
async def get_site(given: Given) -> SiteSummary:
    """Show the district's names, its datum, and what this database is for."""
    deployment = await given.deployment()
    row = await given.reader.row("read_site") or {}
    tick = await given.reader.row("read_newest_tick")
    district = row.get("district") or {}
    return SiteSummary(
        deployment_id=deployment.deployment_id,
        mode=deployment.mode,
        district_id=district.get("id"),
        name_zh=district.get("name_zh"),
        name_en=district.get("name_en"),
        timezone=district.get("timezone"),
        datum=district.get("datum"),
        spaces=row.get("spaces", 0),
        streets=row.get("streets", []),
        site_sha256=row.get("sha256"),
        imported_at=row.get("imported_at"),
        now=present(deployment.mode, tick["tick_at"] if tick else None, given.clock.now()),
    )
