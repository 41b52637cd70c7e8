"""The dead-man: a process of its own that tells somebody when engine, ingest or notifier fall silent.

Its code path is its own: it asks the database three questions, and sends by itself, past notifier and queues. A
database that does not answer is a silence too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from duty.model import Reach
from duty.senders.base import Sender
from duty.watch_outbox import Notice, Outbox
from undercroft.clock import Clock
from undercroft.errors import StoreRejected, StoreUnavailable
from undercroft.store.connection import connect
from undercroft.store.duty import heartbeats

log = structlog.get_logger(__name__)

SILENT_AFTER: Mapping[str, timedelta] = {
    "database": timedelta(0),
    "engine": timedelta(seconds=20),
    "duty": timedelta(seconds=20),
    "ingest": timedelta(minutes=3),
}
"""The engine ticks at least every 5 s, the notifier beats every 2 s; ingest hears some device every minute or so."""

TELL_AGAIN_AFTER = timedelta(minutes=5)

ANSWER_WITHIN_S = 10.0
"""A database that lets three small questions wait this long does not answer, whatever it waits for."""


@dataclass(slots=True)
class Watch:
    """What is silent since when, and what was told. Pure: times and beats are arguments."""

    silent: dict[str, datetime] = field(default_factory=dict)
    told: dict[str, datetime] = field(default_factory=dict)

    def look(self, beats: Mapping[str, datetime | None] | None, now: datetime) -> list[tuple[str, str]]:
        """Return ``(part, silent|back)`` that are to be told now.

        Parameters
        ----------
        beats : mapping or None
            Part -> its last sign of life, None for never; None when the database does not answer.
        """
        found = []
        for part, patience in SILENT_AFTER.items():
            if part == "database":
                quiet = beats is None
            elif beats is None:
                continue  # nobody knows: the database is what is told
            else:
                beat = beats.get(part)
                quiet = beat is None or now - beat > patience
            found += self._judge(part, now, quiet=quiet)
        return found

    def _judge(self, part: str, now: datetime, *, quiet: bool) -> list[tuple[str, str]]:
        if quiet:
            self.silent.setdefault(part, now)
            last = self.told.get(part)
            if last is None or now - last >= TELL_AGAIN_AFTER:
                self.told[part] = now
                return [(part, "silent")]
            return []
        self.silent.pop(part, None)
        return [(part, "back")] if self.told.pop(part, None) is not None else []


def ask(url: str, within_s: float = ANSWER_WITHIN_S) -> dict[str, datetime | None] | None:
    """Return each part's last sign of life; None when the database does not answer in time. [s]"""
    try:
        with closing(
            connect(url, application_name="undercroft-watch", autocommit=True, answer_within_s=within_s)
        ) as connection:
            return heartbeats(connection)
    except (StoreUnavailable, StoreRejected) as error:  # a table that is not there says nothing either
        log.warning("database_silent", error=str(error))
        return None


def run_watch(
    url: str, clock: Clock, wait: Callable[[float], bool], senders: Mapping[str, Sender], reach: tuple[Reach, ...],
    every_s: float = 2.0,
) -> None:  # fmt: skip
    """Watch until ``wait`` says stop. [s]"""
    watch, outbox = Watch(), Outbox(senders, reach)
    grace_until = clock.now() + timedelta(seconds=30)  # everything may still be starting
    while not wait(every_s):
        beats = ask(url)
        now = clock.now()
        if beats is not None and now < grace_until:
            beats = dict.fromkeys(beats, now)
        for part, what in watch.look(beats, now):
            log.error("part_" + what, part=part)
            outbox.add(Notice(part, what, now))
        outbox.deliver(clock.monotonic_s())
