"""The thresholds in force for a space, from the newest site version. Parsing a site is slow, so it is kept."""

from __future__ import annotations

import asyncio
from datetime import datetime

from api.spaces.schemas import ThresholdOut
from risk.thresholds import thresholds_at
from undercroft.model import Severity, SpaceKind
from undercroft.rules import RULE_UNITS
from undercroft.site.document import site_from_document
from undercroft.site.model import Site
from undercroft.store.reading import Query


class SiteCache:
    """The newest site, parsed once per version."""

    def __init__(self) -> None:
        self._commit_seq: int | None = None
        self._site: Site | None = None

    async def newest(self, query: Query) -> Site | None:
        """Return the newest site, or None when none has been imported."""
        version = await query.row("read_site_commit_seq")
        if version is None:
            return None
        if version["commit_seq"] != self._commit_seq:
            row = await query.row("site_version_at", commit_seq=version["commit_seq"])
            if row is None:
                return None
            self._site = await asyncio.to_thread(site_from_document, row["document"])
            self._commit_seq = version["commit_seq"]
        return self._site


def thresholds_of(site: Site, space_id: str, kind: SpaceKind, at: datetime) -> list[ThresholdOut]:
    """Return the thresholds of one space at an instant, by rule and severity."""
    table = thresholds_at(site, at)
    found = []
    for rule, unit in RULE_UNITS.items():
        for severity in (Severity.BLUE, Severity.YELLOW, Severity.ORANGE, Severity.RED):
            threshold = table.find(rule, space_id, kind, severity)
            if threshold is not None:
                found.append(
                    ThresholdOut(
                        rule=rule, severity=severity, value=threshold.value, unit=unit, source=threshold.source
                    )
                )
    return found
