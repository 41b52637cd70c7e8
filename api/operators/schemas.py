"""What is asked and said about operators."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.acts.schemas import ActOut

OperatorId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,39}$")]


class OperatorIn(BaseModel):
    """Who is to act, and how far the rights reach."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    operator_id: OperatorId
    name: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$")]
    role: Literal["officer", "leader", "admin"] = "officer"


class OperatorMade(ActOut):
    """What became of it, with the token: it is shown this once and stored nowhere."""

    token: str | None = Field(description="null where the act of this Idempotency-Key was done before")


class OperatorOut(BaseModel):
    """An operator, without the token."""

    operator_id: str
    name: str
    role: str
    disabled_at: datetime | None


class OperatorList(BaseModel):
    """All operators, the disabled ones too."""

    items: list[OperatorOut]
