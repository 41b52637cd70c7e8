"""The dead-man: a process of its own that tells somebody when engine, ingest or notifier fall silent.

Its code path is its own: it asks the database three questions, and sends by itself, past notifier and queues. A
database that does not answer is a silence too, whether it is away, slow or frozen, and from the first look on.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import structlog

from duty.model import Reach
from duty.senders.base import Sender
from duty.watch.outbox import Notice, Outbox
from undercroft.clock import Clock
from undercroft.errors import StoreRejected, StoreUnavailable
from undercroft.model import Mode
from undercroft.store.connection import connect
from undercroft.store.duty import signs_of_life

log = structlog.get_logger(__name__)

SILENT_AFTER_S: Mapping[str, float] = {"engine": 20.0, "duty": 20.0, "ingest": 180.0}
"""The engine ticks at least every 5 s, the notifier beats every 2 s; ingest hears some device every minute or so."""

STARTING_S = 10.0
"""What everybody has more at the first look: everything may still be starting."""

TELL_AGAIN_AFTER_S = 300.0

ANSWER_WITHIN_S = 10.0
"""A database that lets connecting and three small questions wait this long does not answer, whatever it waits for."""

LOOK_EVERY_S = 2.0
ZONE = ZoneInfo("Asia/Shanghai")
"""Of the times in the messages, unless another one is named: the site cannot be asked while its database is silent."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What the database said: what it is for, and for each part what changes with every sign of life."""

    mode: Mode
    of: Mapping[str, str | None]


@dataclass(slots=True)
class Watch:
    """Who is silent, and what was told. Pure: signs and times are arguments.

    Times are those of one clock that never goes back; a part lives as long as its sign changes, whatever it says. So no
    clock that is set, here or there, puts off what is told. While the database does not answer, nobody can be seen to
    live: that time counts against no part.
    """

    changed_s: dict[str, float] = field(default_factory=dict)
    seen: dict[str, str | None] = field(default_factory=dict)
    told_s: dict[str, float] = field(default_factory=dict)
    unanswered_s: float | None = None

    def look(self, signs: Mapping[str, str | None] | None, now_s: float) -> list[tuple[str, str]]:
        """Return ``(part, silent|back)`` that are to be told now.

        Parameters
        ----------
        signs : mapping or None
            Part -> its sign of life, None before the first; None when the database does not answer.
        """
        found = self._judge("database", now_s, quiet=signs is None)
        if signs is None:
            self.unanswered_s = now_s if self.unanswered_s is None else self.unanswered_s
            return found  # of the others nobody knows: the database is what is told
        pause_s = 0.0 if self.unanswered_s is None else now_s - self.unanswered_s
        self.unanswered_s = None
        for part, patience_s in SILENT_AFTER_S.items():
            if part not in self.seen:
                self.changed_s[part] = now_s + STARTING_S
            elif signs.get(part) != self.seen[part]:
                self.changed_s[part] = now_s
            else:
                self.changed_s[part] += pause_s
            self.seen[part] = signs.get(part)
            found += self._judge(part, now_s, quiet=now_s - self.changed_s[part] > patience_s)
        return found

    def _judge(self, part: str, now_s: float, *, quiet: bool) -> list[tuple[str, str]]:
        last_s = self.told_s.get(part)
        if not quiet:
            return [(part, "back")] if self.told_s.pop(part, None) is not None else []
        if last_s is None or now_s - last_s >= TELL_AGAIN_AFTER_S:
            self.told_s[part] = now_s
            return [(part, "silent")]
        return []


def ask(url: str, within_s: float = ANSWER_WITHIN_S) -> Signs | None:
    """Return each part's sign of life; None when the database does not answer in time. [s]"""
    found = _found(url, within_s)
    if found is None:
        gc.collect()  # psycopg's attempt that timed out is a cycle, and holds its socket until it is collected
        return None
    mode = found.pop("mode")
    if mode is None:
        log.warning("database_silent", error="this database has no mode yet: `undercroft db migrate` was not run")
        return None
    return Signs(Mode(mode), found)


def _found(url: str, within_s: float) -> dict[str, str | None] | None:
    try:
        with closing(
            connect(url, application_name="undercroft-watch", autocommit=True, answer_within_s=within_s / 2)
        ) as connection:
            return signs_of_life(connection)
    except (StoreUnavailable, StoreRejected) as error:  # a table that is not there says nothing either
        log.warning("database_silent", error=str(error))
        return None


def run_watch(  # noqa: PLR0913, PLR0917 - the loop's surroundings
    url: str, clock: Clock, wait: Callable[[float], bool], senders_of: Callable[[Mode], Mapping[str, Sender]],
    reach: tuple[Reach, ...], on_ready: Callable[[], None] = lambda: None, assumed: Mode = Mode.LIVE,
    zone: ZoneInfo = ZONE,
    within_s: float = ANSWER_WITHIN_S, every_s: float = LOOK_EVERY_S,
) -> None:  # fmt: skip
    """Watch until ``wait`` says stop. [s]

    Parameters
    ----------
    senders_of : callable
        The channels that may be used in a mode; asked again when the database turns out to be of another one.
    assumed : Mode
        What the database is taken for until it has answered.
    zone : ZoneInfo
        Of the times in the messages: those of whoever is told.
    """
    signs = ask(url, within_s)
    watch, outbox = Watch(), Outbox(senders_of, reach, signs.mode if signs else assumed, zone)
    on_ready()
    while True:
        if signs is not None:
            outbox.be(signs.mode)
        for part, what in watch.look(signs.of if signs else None, clock.monotonic_s()):
            log.error("part_" + what, part=part)
            outbox.add(Notice(part, what, clock.now()))
        outbox.deliver(clock.monotonic_s())
        if wait(every_s):
            return
        signs = ask(url, within_s)
