"""The part of Grafana's webhook message that is read; 9.4 and 12 send it alike."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from undercroft.store.conditions import Condition

MOST_ALERTS = 100
MOST_CHARACTERS = 400


class Watched(StrEnum):
    """What the rules of `deploy/grafana/provisioning/alerting` watch: their label ``condition``."""

    ENGINE_SILENT = "engine-silent"
    CANARY_LATE = "canary-late"
    DATABASE_AWAY = "database-away"


class Labels(BaseModel):
    """Labels of an alert."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    condition: Watched


class Annotations(BaseModel):
    """Annotations of an alert."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    summary: Annotated[str, Field(max_length=MOST_CHARACTERS)] = ""


class GrafanaAlert(BaseModel):
    """An alert of one rule."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    status: Literal["firing", "resolved"]
    labels: Labels
    annotations: Annotations = Annotations()
    startsAt: AwareDatetime = Field(description="since when it fires")  # noqa: N815 - Grafana's name

    def as_condition(self, now: datetime) -> Condition:
        """Return the condition of the system that it is."""
        return Condition(
            name=f"grafana-{self.labels.condition.value}",
            is_active=self.status == "firing",
            value=max(0.0, (now - self.startsAt).total_seconds()),
            threshold=0.0,
            unit="s",
            detail=self.annotations.summary or self.labels.condition.value,
        )


class GrafanaMessage(BaseModel):
    """A message of Grafana's contact point of type webhook."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    alerts: Annotated[list[GrafanaAlert], Field(min_length=1, max_length=MOST_ALERTS)]


class Taken(BaseModel):
    """What became of a message."""

    changed: int = Field(description="conditions that began or ended; what was told before changes nothing")
