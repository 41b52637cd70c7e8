"""Keyset pagination: a cursor is the sort key of the last row, so that pages neither skip nor repeat rows."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Self

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.errors import CursorInvalid

MOST_ROWS = 1000

Limit = Annotated[int, Query(ge=1, le=MOST_ROWS, description="rows in this page at most")]
CursorText = Annotated[
    str | None,
    Query(
        max_length=400,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="`next_cursor` of the page before; absent: the first page",
    ),
]


class Cursor(BaseModel):
    """The sort key of the last row of a page. A listing names its own fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def encode(self) -> str:
        """Return the cursor as text that is safe in a URL."""
        return base64.urlsafe_b64encode(self.model_dump_json().encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str | None) -> Self | None:
        """Return the cursor of this text; None for no text.

        Raises
        ------
        CursorInvalid
            If it was not made by this listing.
        """
        if text is None:
            return None
        try:
            return cls.model_validate_json(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except (binascii.Error, ValueError, ValidationError) as error:
            raise CursorInvalid from error


class Page(BaseModel):
    """What every listing answers beside its items."""

    next_cursor: str | None = Field(description="pass as `cursor` for the next page; null: this is the last")
