"""Sessions of another arrangement of workers: what the broker still holds in them is stored before they are ended.

One worker has one session per lane, each worker of a share its own. After a change from one to the other nobody would
serve the sessions of before, and the broker would go on filling them. So a lane, before it serves its own session,
subscribes it (from now on nothing new is missed), takes the subscriptions from those of before, stores what they hold,
and ends them. In that order states stay in order; what comes by both for a moment is known by its key.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from threading import Event

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import MQTTErrorCode

from ingest.batch import Message
from ingest.broker import BrokerLost, BrokerUrl, connect_and_subscribe, sign_in
from ingest.pieces import Pieces
from ingest.writer import BatchWriter
from undercroft.clock import Clock
from undercroft.store.connection import connect
from undercroft.store.observations import whole_ms
from undercroft.store.subscriptions import Subscription, fetch_former, forget_subscription, remember_subscription

_log = structlog.get_logger("ingest")
ANSWER_WITHIN_S = 4.0
KEEPALIVE_S = 60
QUIET_S = 2.0
"""A session that is subscribed to nothing and was silent for so long is empty. [s]"""
_AT_ONCE = 500
_STEP_S = 0.2


@dataclass(frozen=True, slots=True)
class Own:
    """The session of a lane, and who else may have served the lane before."""

    url: BrokerUrl
    database_url: str
    lane: str
    share: str
    """Empty: one worker serves all."""
    asked: Subscription
    drains_former: bool
    """One worker of a share does it for all."""


class ServedElsewhere(BrokerLost):
    """The connection to a session of before broke: it may have its worker still."""


def take_up(
    own: Own,
    writer_of: Callable[[str], BatchWriter],
    clock: Clock,
    stop: Event,
    on_signed_in: Callable[[bool], None],
) -> tuple[str, ...]:
    """Remember the session, empty those of before; return the filters that it had and shall not have any more.

    ``writer_of`` makes the writer for the messages of a client id; ``on_signed_in`` is told whether the broker had kept
    the lane's own session.

    Raises
    ------
    StoreUnavailable
        If the database does not answer; call it again.
    BrokerLost
        If the broker does not; call it again.
    ServedElsewhere
        If a session of before is taken away while it is emptied.
    """
    database = connect(
        own.database_url, application_name="ingest sessions", autocommit=True, answer_within_s=ANSWER_WITHIN_S
    )
    with closing(database):
        surplus = remember_subscription(database, own.lane, own.share, own.asked)
        former = fetch_former(database, own.lane, own.share) if own.drains_former else []
        if former:
            began = connect_and_subscribe(
                own.url, own.asked.client_id, own.asked.filters, KEEPALIVE_S, clock, on_signed_in=on_signed_in
            )
            began.disconnect()
            began.close()
        for session in former:
            with closing(writer_of(session.client_id)) as writer:
                count = _Drain(own.url, session, writer, clock).run(stop)
            if stop.is_set():
                break
            forget_subscription(database, session.client_id)
            _log.warning("former_session_drained", lane=own.lane, client_id=session.client_id, messages=count)
    return surplus


@dataclass(slots=True)
class _Drain:
    url: BrokerUrl
    session: Subscription
    writer: BatchWriter
    clock: Clock
    inbox: list[Message] = field(default_factory=list)
    is_given_up: bool = False
    """The broker has confirmed that the session is subscribed to nothing."""

    def run(self, stop: Event) -> int:
        """Store what the session holds, end it, and return how many messages that were."""
        client, has_session = sign_in(self.url, self.session.client_id, KEEPALIVE_S, self.clock)
        count = self._empty(client, stop) if has_session else 0
        client.disconnect()
        if not stop.is_set():
            ending, _ = sign_in(self.url, self.session.client_id, KEEPALIVE_S, self.clock, is_clean=True)
            ending.disconnect()
        return count

    def _empty(self, client: mqtt.Client, stop: Event) -> int:
        client.on_message = self._on_message
        client.on_unsubscribe = self._on_unsubscribe
        client.unsubscribe(list(self.session.filters))
        count, heard_s = 0, self.clock.monotonic_s()
        while not stop.is_set():
            waiting = len(self.inbox)
            answer = client.loop(timeout=_STEP_S)
            if answer != MQTTErrorCode.MQTT_ERR_SUCCESS:
                raise ServedElsewhere(f"session {self.session.client_id}: {mqtt.error_string(answer)}")
            is_quiet = len(self.inbox) == waiting
            if self.inbox and (is_quiet or waiting >= _AT_ONCE):
                count += self._store(client)
                heard_s = self.clock.monotonic_s()
            elif self.is_given_up and is_quiet and self.clock.monotonic_s() - heard_s >= QUIET_S:
                break
        return count

    def _store(self, client: mqtt.Client) -> int:
        batch, self.inbox = self.inbox, []
        pieces = Pieces(self.writer, batch)
        while not pieces.is_done:
            pieces.write_next()
        for message in batch:
            client.ack(message.mid, message.qos)
        return len(batch)

    def _on_message(self, _client: mqtt.Client, _data: object, heard: mqtt.MQTTMessage) -> None:
        received_us = whole_ms(self.clock.now())
        self.inbox.append(
            Message(
                heard.topic.encode(), bytes(heard.payload), heard.mid, heard.qos, heard.retain, received_us, heard.dup
            )
        )

    def _on_unsubscribe(self, *_: object) -> None:
        self.is_given_up = True
