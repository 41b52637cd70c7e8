"""Several workers on one subscription: each serves its slot, and whoever lives serves the slots of those who do not.

A slot is an MQTT session with a fixed client id. The broker goes on filling the session of a worker that was killed, so
another worker takes the session up under the same client id, and drains it, until its own worker is back. Should two
serve one slot for a moment, the broker throws out the first, and the rows know what they know: nothing is stored twice.
"""

from __future__ import annotations

import os
import re
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from undercroft.clock import Clock
from undercroft.errors import BadInput, StoreRejected, StoreUnavailable
from undercroft.store.connection import connect
from undercroft.store.slots import Slots

BEAT_S = 2.0
SILENT_S = 10.0
ANSWER_WITHIN_S = 10.0
"""A database that takes longer is left: whoever does not beat for so long has lost its slots anyway. [s]"""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,19}")
_log = structlog.get_logger("ingest")


@dataclass(frozen=True, slots=True)
class Share:
    """Which share a worker takes part in, and which slot is its own."""

    name: str
    slot: int

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise BadInput("--share is a name of small letters, digits and hyphens, at most 20")

    def filters(self, topic_filters: tuple[str, ...]) -> tuple[str, ...]:
        """Return the filters of the shared subscription."""
        return tuple(f"$share/{self.name}/{topic_filter}" for topic_filter in topic_filters)


class SlotKeeper:
    """Keeps the slots of one worker: call `turn` again and again, every `BEAT_S` at the latest."""

    def __init__(
        self,
        database_url: str,
        share: Share,
        clock: Clock,
        open_slot: Callable[[int], None],
        close_slot: Callable[[int], None],
    ) -> None:
        self._url = database_url
        self._share = share
        self._clock = clock
        self._open_slot = open_slot
        self._close_slot = close_slot
        self._holder = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._slots: Slots | None = None
        self._held: set[int] = set()
        self._last_s = -BEAT_S

    def turn(self) -> None:
        """Beat, give back, take over; does nothing between beats."""
        if self._clock.monotonic_s() - self._last_s < BEAT_S:
            return
        self._last_s = self._clock.monotonic_s()
        try:
            self._turn()
        except (StoreUnavailable, StoreRejected) as error:  # a right taken away comes back, too
            _log.warning("slots_not_kept", error=str(error))
            self._disconnect()

    def stop(self) -> None:
        """Give up all slots; their lanes are stopped already."""
        try:
            if self._slots is not None:
                for slot in sorted(self._held):
                    self._slots.release(slot)
        except (StoreUnavailable, StoreRejected) as error:
            _log.warning("slots_not_released", error=str(error))
        self._disconnect()

    def _turn(self) -> None:
        if self._slots is None:
            connection = connect(
                self._url, application_name="ingest slots", autocommit=True, answer_within_s=ANSWER_WITHIN_S
            )
            self._slots = Slots(connection, self._share.name, self._holder, SILENT_S)
        still = self._slots.beat()
        for slot in sorted(self._held - still.keys()):
            _log.warning("slot_lost", share=self._share.name, slot=slot)
            self._close(slot)
        for slot in sorted(slot for slot, is_wanted in still.items() if is_wanted and slot in self._held):
            self._close(slot)
            self._slots.release(slot)
            _log.info("slot_given_back", share=self._share.name, slot=slot)
        if self._share.slot not in self._held and self._slots.claim_own(self._share.slot):
            self._open(self._share.slot)
        if self._share.slot in self._held and (silent := self._slots.claim_silent()) is not None:
            _log.warning("slot_taken_over", share=self._share.name, slot=silent)
            self._open(silent)

    def _open(self, slot: int) -> None:
        if slot not in self._held:
            self._held.add(slot)
            self._open_slot(slot)

    def _close(self, slot: int) -> None:
        self._held.discard(slot)
        self._close_slot(slot)

    def _disconnect(self) -> None:
        slots, self._slots = self._slots, None
        if slots is not None:
            slots.connection.close()
