"""The ingest service: which lanes there are, and their life from start to signal."""

from __future__ import annotations

import gc
import random
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace

import structlog

from ingest.backoff import Backoff
from ingest.broker import BrokerUrl
from ingest.failpoints import failpoint_from
from ingest.former import Own, take_up
from ingest.health import Health, Shown, Waiting
from ingest.lane import GIVE_BACK_S, STOP_S, Lane, LaneWiring
from ingest.metrics import Metrics
from ingest.session import SessionSettings
from ingest.share import Share, SlotKeeper
from ingest.topics import Kind, event_filters, narrow_filters, observation_filters, state_filters, tree_filters
from ingest.writer import BatchWriter
from undercroft.clock import Clock
from undercroft.errors import BadInput, StoreUnavailable, UndercroftError
from undercroft.model import Mode
from undercroft.stack.ready import announce_ready
from undercroft.store.connection import connect, translated_errors
from undercroft.store.dead_letters import Caps
from undercroft.store.sensors import Deployment, fetch_decoders, fetch_deployment, fetch_site_seq
from undercroft.store.subscriptions import Subscription

_log = structlog.get_logger("ingest")
_SITE_WAIT_S = 0.5
OBSERVATION = "observation"
THREAD_SWITCH_S = 0.0005
"""A writer that the database answers must not wait 5 ms, Python's default, for the reader to let go. [s]"""
GARBAGE_AFTER = 50_000
"""A batch makes tens of thousands of tuples and no cycle; at Python's default, 700, looking for cycles takes as long as
decoding. [objects]"""


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """Where ingest reads from and writes to."""

    database_url: str
    broker: BrokerUrl
    batch_max_messages: int
    batch_max_wait_s: float
    share: Share | None = None
    """None: one worker serves all."""


def await_deployment(database_url: str, stop: threading.Event) -> Deployment | None:
    """Wait for a database with a site; None if asked to stop before.

    Raises
    ------
    BadInput
        If the database has no mode: it was never migrated.
    """
    backoff = Backoff(random.Random())  # noqa: S311 - jitter
    has_told = False
    while not stop.is_set():
        try:
            with translated_errors(), connect(database_url, application_name="ingest", autocommit=True) as connection:
                deployment = fetch_deployment(connection)
                if deployment is None:
                    raise BadInput("this database has no mode yet: run `undercroft db migrate` first")
                if fetch_site_seq(connection):
                    is_live = deployment.mode is Mode.LIVE
                    topics = [decoder.topic for decoder in fetch_decoders(connection)] if is_live else []
                    return replace(deployment, decoder_topics=tuple(topics))
            if not has_told:
                _log.warning("no_site", hint="undercroft site import")
                has_told = True
            stop.wait(_SITE_WAIT_S)
        except StoreUnavailable as error:
            wait_s = backoff.next_s()
            _log.warning("database_unavailable", error=str(error), retry_in_s=round(wait_s, 2))
            stop.wait(wait_s)
    return None


class Service:
    """All lanes of one process."""

    def __init__(
        self, settings: ServiceSettings, deployment: Deployment, clock: Clock, environment: Mapping[str, str]
    ) -> None:
        self._settings = settings
        self._deployment = deployment
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._awaited: set[str] | None = None
        self._subscribed: set[str] = set()
        self.metrics = Metrics()
        self._wiring = LaneWiring(
            clock, failpoint_from(environment), self.metrics, self._note_subscribed, self._ended.set
        )
        self._lanes: dict[int, list[Lane]] = {}
        self._failed: list[Lane] = []
        """Lanes that ended by themselves, also those of a slot that was given back."""
        self._health = Health(
            settings.database_url,
            clock,
            self._waiting,
            Caps(),
            of_devices=deployment.mode is Mode.LIVE,
            heard_us=self._heard_us,
            shown=Shown(self.metrics.note_canary, self.metrics.note_letters),
        )
        self._health_failure: BaseException | None = None
        self._keeper: SlotKeeper | None = None
        if settings.share is not None:
            if deployment.mode is not Mode.LIVE:
                raise BadInput("ingest: an exercise has one worker, so that its order holds; leave out --share")
            self._keeper = SlotKeeper(settings.database_url, settings.share, clock, self._open, self._close)

    def run(self, stop: threading.Event) -> None:
        """Serve until ``stop`` is set, then settle and return.

        Raises
        ------
        UndercroftError
            If a lane ended by itself.
        """
        sys.setswitchinterval(THREAD_SWITCH_S)
        gc.freeze()
        gc.set_threshold(GARBAGE_AFTER)
        if self._keeper is None:
            self._open(0)
        if self._deployment.mode is Mode.LIVE:  # an exercise is told by its script alone
            threading.Thread(target=self._watch, args=(stop,), name="health", daemon=True).start()
        while not stop.is_set() and not self._ended.wait(0.2):
            if self._keeper is not None:
                self._keeper.turn()
        for lanes in self._lanes.values():
            for lane in lanes:
                lane.stop()
        for lanes in self._lanes.values():
            for lane in lanes:
                self._join(lane)
        if self._keeper is not None:
            self._keeper.stop()
        if self._health_failure is not None:
            raise UndercroftError(f"the health watch ended: {self._health_failure!r}") from self._health_failure
        for lane in self._failed:
            raise UndercroftError(f"lane {lane.name} ended: {lane.failure!r}") from lane.failure

    def _waiting(self) -> list[Waiting]:
        share = self._settings.share
        return [
            Waiting(
                "" if share is None else f"{share.name}-{slot}",
                max(lane.oldest_age_s() for lane in lanes),
                max(lane.away_s() for lane in lanes),
                tuple(words for lane in lanes for words in lane.ungranted),
                max((age_s for lane in lanes if (age_s := lane.delivery_delay_s()) > 0), default=0.0),
            )
            for slot, lanes in self._lanes.copy().items()
        ]

    def _heard_us(self) -> dict[str, int]:
        heard: dict[str, int] = {}
        for lanes in self._lanes.copy().values():
            for lane in lanes:
                for device_id, at_us in lane.heard_us().items():
                    heard[device_id] = max(at_us, heard.get(device_id, at_us))
        return heard

    def _watch(self, stop: threading.Event) -> None:
        try:
            self._health.watch(stop)
        except BaseException as error:  # noqa: BLE001 - handed to `run`, which ends
            self._health_failure = error
            self._ended.set()

    def _join(self, lane: Lane, within_s: float = STOP_S) -> None:
        if not lane.join(within_s):
            _log.warning("stopped_with_open_batch", lane=lane.name)
        if lane.failure is not None:
            self._failed.append(lane)
            self._ended.set()

    def _open(self, slot: int) -> None:
        """Start the lanes of a slot; without a share there is one."""
        mode, topics = self._deployment.mode, self._deployment.decoder_topics
        if self._settings.share is None:
            lanes = [self._lane(OBSERVATION, slot, (*tree_filters(mode), *topics), (), narrow_filters(mode))]
        else:
            states = state_filters(mode)
            lanes = [self._lane(OBSERVATION, slot, (*observation_filters(mode), *topics), states, states)]
        if events := event_filters(mode):
            lanes.append(self._lane("event", slot, events))
        self._lanes[slot] = lanes
        with self._lock:
            if self._awaited is None:
                self._awaited = {lane.name for lane in lanes}
        for lane in lanes:
            lane.start()

    def _close(self, slot: int) -> None:
        """Commit what the lanes of a slot hold, and leave its sessions to another worker."""
        lanes = self._lanes.pop(slot)
        for lane in lanes:
            lane.stop()
        ends_s = self._wiring.clock.monotonic_s() + GIVE_BACK_S
        for lane in lanes:
            self._join(lane, max(0.0, ends_s - self._wiring.clock.monotonic_s()))
            self.metrics.unwatch(lane.name)

    def _lane(
        self,
        kind: str,
        slot: int,
        filters: tuple[str, ...],
        in_order: tuple[str, ...] = (),
        former: tuple[str, ...] = (),
    ) -> Lane:
        """Make a lane; ``in_order`` are filters that one session alone takes, that of slot 0: their order holds.

        A broker gives what it retains to no shared subscription either. ``former`` are filters of earlier versions.
        """
        settings, wiring, share = self._settings, self._wiring, self._settings.share
        name = kind if share is None else f"{kind}-{share.name}-{slot}"
        asked = share.filters if share is not None else tuple
        session = SessionSettings(
            settings.broker,
            client_id_of(self._deployment, name),
            asked(filters) + (() if slot else in_order),
            frozenset(asked(self._deployment.decoder_topics)),
            asked(former),
            settings.batch_max_messages,
            settings.batch_max_wait_s,
        )
        mode = self._deployment.mode
        passes = frozenset({Kind.EVENT} if mode is Mode.LIVE and kind == OBSERVATION else ())

        def writer_of(client_id: str) -> BatchWriter:
            return BatchWriter(settings.database_url, kind, mode, wiring.clock, wiring.failpoint, client_id, passes)

        if mode is not Mode.LIVE:
            return Lane(name, session, writer_of(session.client_id), wiring)
        asked_for = Subscription(session.client_id, session.filters)
        share_name = "" if share is None else share.name
        own = Own(settings.broker, settings.database_url, kind, share_name, asked_for, drains_former=slot == 0)
        return Lane(
            name,
            session,
            writer_of(session.client_id),
            wiring,
            lambda stop, on_signed_in: take_up(own, writer_of, wiring.clock, stop, on_signed_in),
        )

    def _note_subscribed(self, name: str) -> None:
        with self._lock:
            self._subscribed.add(name)
            if self._awaited and self._awaited <= self._subscribed:
                self._awaited = set()
                announce_ready()


def client_id_of(deployment: Deployment, lane: str) -> str:
    """Return the client id of a lane: a fresh database never meets the session of an old one."""
    return f"undercroft-{deployment.deployment_id.replace('-', '')[:16]}-{lane}"
