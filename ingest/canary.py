"""The canary: a device that speaks through the whole chain, and says when its words stop arriving.

It publishes as a sensor would, and looks in the database for its newest reading that a tick of the engine has covered.
When that is older than three beats, the chain from sensor to alarm stands still: the condition ``canary-late``. A
database that is away cannot be told; the dead-man (`duty.watch`) tells of that.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
import structlog

from undercroft.clock import Clock
from undercroft.errors import BadInput, StoreUnavailable
from undercroft.site.model import Site
from undercroft.site.places import devices_of, is_canary
from undercroft.store.canary import EVERY, LATE_AFTER, Beat, newest_judged
from undercroft.store.conditions import Condition, list_conditions, set_condition
from undercroft.store.connection import Connection, connect
from undercroft.store.site import latest_site

QUANTITY, BATTERY_V = "battery_v", 3.6
CONDITION = "canary-late"
log = structlog.get_logger("canary")


@dataclass(frozen=True, slots=True)
class Voice:
    """Where the canary speaks."""

    topic: str

    def payload(self, now: datetime, seq: int) -> bytes:
        """Return its reading; what it says does not matter, but when."""
        return orjson.dumps({"observed_at": now.isoformat(), "seq": seq, QUANTITY: BATTERY_V})


def voice_of(site: Site) -> Voice | None:
    """Return the voice of the first canary of a site, None where it has none."""
    for place, device in devices_of(site):
        if is_canary(device) and any(sensor.quantity == QUANTITY for sensor in device.sensors):
            return Voice(f"flood/v1/{site.district.id}/{place.id}/{device.id}/observation")
    return None


LOOK_FOR_SITE_EVERY_S = 60.0
ANSWER_WITHIN_S = 10.0
"""A database that takes longer, or is frozen, is asked again at the next beat: the canary goes on speaking."""


def await_voice(url: str, stop: threading.Event, every_s: float = LOOK_FOR_SITE_EVERY_S) -> Voice | None:
    """Return the voice of the site in force, as soon as one names a canary; None when told to stop before."""
    told = False
    while not stop.is_set():
        voice = _voice_now(url)
        if voice is not None:
            return voice
        if not told:
            log.warning("canary_waits", why="the site names no device canary... with a battery_v: give one to a gauge")
            told = True
        stop.wait(every_s)
    return None


def _session(url: str) -> Connection:
    return connect(url, application_name="undercroft-canary", autocommit=True, answer_within_s=ANSWER_WITHIN_S)


def _voice_now(url: str) -> Voice | None:
    try:
        with closing(_session(url)) as connection:
            return voice_of(latest_site(connection)[1])
    except StoreUnavailable as error:
        log.warning("canary_cannot_look", error=str(error))
    except BadInput:
        return None  # no site was imported yet
    return None


def lateness(beat: Beat | None, began: datetime, now: datetime) -> timedelta:
    """Return how long nothing of the canary has come through, counted from its newest beat or from the start.

    What was noted while the clock was ahead counts for nothing once that is set back.
    """
    return now - max(began, beat.sent_at if beat and beat.sent_at <= now else began)


def condition_of(late: timedelta) -> Condition:
    """Return what is told of it."""
    threshold_s, late_s = LATE_AFTER.total_seconds(), late.total_seconds()
    detail = "since the newest reading of the canary that the engine has judged was sent"
    return Condition(CONDITION, late > LATE_AFTER, round(late_s, 1), threshold_s, "s", detail)


class Canary:
    """Speaks and looks, once a beat."""

    def __init__(self, url: str, voice: Voice, publish: Callable[[str, bytes], None], clock: Clock) -> None:
        self._url, self._voice, self._publish, self._clock = url, voice, publish, clock
        self._began = clock.now()
        self._newest: Beat | None = None
        self._seq = 0

    def run(self, stop: threading.Event) -> None:
        """Go on until told to stop."""
        while not stop.is_set():
            self._speak()
            if stop.wait(EVERY.total_seconds() / 2):
                return
            try:
                with closing(_session(self._url)) as connection:
                    self.look(connection)
            except StoreUnavailable as error:
                log.warning("canary_cannot_look", error=str(error))
            if stop.wait(EVERY.total_seconds() / 2):
                return

    def _speak(self) -> None:
        self._seq += 1
        self._publish(self._voice.topic, self._voice.payload(self._clock.now(), self._seq))

    def look(self, connection: Connection) -> None:
        """Tell the condition if it changed."""
        now = self._clock.now()
        self._began = min(self._began, now)
        self._newest = newest_judged(connection, now) or self._newest  # the database is asked for its last few only
        condition = condition_of(lateness(self._newest, self._began, now))
        told = any(row["name"] == CONDITION and row["is_active"] for row in list_conditions(connection))
        if told != condition.is_active:
            set_condition(connection, condition, "canary", now)
