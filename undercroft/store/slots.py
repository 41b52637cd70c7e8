"""Slots of a shared subscription: one row each, with its holder and the time of its last beat."""

from __future__ import annotations

from dataclasses import dataclass

from undercroft.store.connection import Connection, translated_errors
from undercroft.store.sql import sql


@dataclass(frozen=True, slots=True)
class Slots:
    """The slots of one share, as one worker sees them. Each call is a transaction of its own."""

    connection: Connection
    share: str
    holder: str
    silent_s: float

    def claim_own(self, slot: int) -> bool:
        """Take a slot that nobody serves; else ask its holder to give it back. Tell whether it is ours."""
        named = {"share": self.share, "slot": slot, "holder": self.holder}
        with translated_errors():
            if self.connection.execute(sql("claim_own_slot"), named | {"silent_s": self.silent_s}).fetchone():
                return True
            self.connection.execute(sql("want_slot"), named)
        return False

    def beat(self) -> dict[int, bool]:
        """Say that we live; return the slots that are still ours, each with whether its worker wants it back."""
        with translated_errors():
            rows = self.connection.execute(sql("beat_slots"), {"share": self.share, "holder": self.holder}).fetchall()
        return {row["slot"]: row["is_wanted"] for row in rows}

    def claim_silent(self) -> int | None:
        """Take over one slot that has been silent for too long, if there is one."""
        named = {"share": self.share, "holder": self.holder, "silent_s": self.silent_s}
        with translated_errors():
            row = self.connection.execute(sql("claim_silent_slot"), named).fetchone()
        return None if row is None else int(row["slot"])

    def release(self, slot: int) -> None:
        """Give a slot back."""
        with translated_errors():
            self.connection.execute(sql("release_slot"), {"share": self.share, "slot": slot, "holder": self.holder})
