"""Keeps what a broker delivers. A session of its own, thrown away at the end: nobody else's messages are touched.

What was delivered while the connection is lost is not in the recording: a session that outlived the recorder would fill
the broker. The file is written and synced to the disk once a second and at the end, so that kill -9 or a power failure
loses at most the last second, and the line that was being written.
"""

from __future__ import annotations

import os
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from simulators.mqtt import KEEPALIVE_S, broker_address
from simulators.recording.lines import Recorded, line_of
from undercroft.clock import Clock
from undercroft.errors import BadInput, StackFailed
from undercroft.stack.ready import announce_ready

_log = structlog.get_logger("record")
SYNC_S = 1.0
DRAIN_S = 8.0
"""At a signal the recorder unsubscribes, and takes what the broker holds for it for at most so long. [s]"""

QUIET_S = 0.5
"""Nothing for so long: the broker holds nothing more. [s]"""

DEFAULT_FILTERS = ("flood/v1/#", "exercise/v1/#")
_LOOP_S = 0.2
_PACKETS_AT_ONCE = 100
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.2, 5.0


@dataclass(slots=True)
class RecordingFile:
    """Lines on their way to the disk.

    `add`, `sync_when_due`, `sync` and `close` raise `StackFailed` if the disk does not take them.
    """

    path: Path
    file: BinaryIO
    clock: Clock
    messages: int = 0
    _synced_s: float = 0.0
    _is_dirty: bool = False

    def add(self, message: Recorded) -> None:
        """Append a message."""
        with self._writing():
            self.file.write(line_of(message))
        self.messages += 1
        self._is_dirty = True

    def sync_when_due(self) -> None:
        """Sync if the last time is a second ago."""
        if self._is_dirty and self.clock.monotonic_s() - self._synced_s >= SYNC_S:
            self.sync()

    def sync(self) -> None:
        """Bring everything to the disk."""
        with self._writing():
            self.file.flush()
            os.fsync(self.file.fileno())
        self._synced_s, self._is_dirty = self.clock.monotonic_s(), False

    def close(self) -> None:
        """Bring everything to the disk, and be done with the file."""
        try:
            self.sync()
        finally:
            with self._writing():
                self.file.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StackFailed(
                f"{self.path}: cannot be written: {error.strerror or error}; up to the last second before it is kept"
            ) from error


class Recorder:
    """Records until asked to stop."""

    def __init__(self, url: str, filters: tuple[str, ...], client_id: str, clock: Clock) -> None:
        self._address = broker_address(url)
        self._filters = filters
        self._clock = clock
        self._subscribed = False
        self._refusal: str | None = None
        self._file: RecordingFile | None = None
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv311)
        if self._address.user is not None:
            self._client.username_pw_set(self._address.user, self._address.password)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    def run(self, path: Path, stop: threading.Event) -> int:
        """Record to a new file; return the number of messages.

        Raises
        ------
        BadInput
            If the file exists or cannot be made.
        StackFailed
            If the broker cannot be reached at the start, or refuses; if the disk is full.
        """
        self._connect()
        try:
            file = path.open("xb")
        except OSError as error:
            raise BadInput(f"{path}: --out: {error.strerror or error}") from error
        self._file = RecordingFile(path, file, self._clock)
        try:
            while not stop.is_set():
                self._turn(stop)
            self._drain(self._file)
        finally:
            self._client.disconnect()
            self._file.close()
        return self._file.messages

    def _connect(self) -> None:
        try:
            self._client.connect(self._address.host, self._address.port, KEEPALIVE_S)
        except OSError as error:
            where = f"{self._address.host}:{self._address.port}"
            raise StackFailed(f"no MQTT broker at {where}: {error.strerror or error}") from error

    def _turn(self, stop: threading.Event) -> None:
        answer = self._read()
        if self._refusal is not None:
            raise StackFailed(self._refusal)
        if answer != mqtt.MQTT_ERR_SUCCESS:
            self._return(stop)
        if self._file is not None:
            self._file.sync_when_due()

    def _read(self) -> MQTTErrorCode:
        """Wait for the network, then take what has come; paho by itself waits before every packet."""
        seen = 0 if self._file is None else self._file.messages
        answer = self._client.loop(_LOOP_S)
        if self._file is not None and self._file.messages > seen:
            for _ in range(_PACKETS_AT_ONCE):
                if answer != mqtt.MQTT_ERR_SUCCESS:
                    break
                answer = self._client.loop_read()
        return answer

    def _drain(self, file: RecordingFile) -> None:
        """Take what the broker still holds for us, but nothing newer."""
        self._client.unsubscribe(list(self._filters))
        began_s = quiet_since_s = self._clock.monotonic_s()
        seen = file.messages
        while (now_s := self._clock.monotonic_s()) - began_s < DRAIN_S and now_s - quiet_since_s < QUIET_S:
            if self._read() != mqtt.MQTT_ERR_SUCCESS:
                return
            if file.messages != seen:
                seen, quiet_since_s = file.messages, self._clock.monotonic_s()

    def _return(self, stop: threading.Event) -> None:
        """Connect again after the broker was lost; what it delivered meanwhile is not recorded."""
        _log.warning("broker_lost", hint="messages of this time are missing from the recording")
        wait_s = _FIRST_WAIT_S
        while not stop.is_set():
            try:
                self._client.reconnect()
            except OSError:
                stop.wait(wait_s * random.uniform(0.5, 1.0))
                wait_s = min(wait_s * 2, _LONGEST_WAIT_S)
            else:
                return

    def _on_connect(self, client: mqtt.Client, _data: Any, _flags: Any, reason: ReasonCode, _props: Any) -> None:
        if reason.is_failure:
            if not self._subscribed:
                self._refusal = f"the MQTT broker refused the connection: {reason}"
            return
        connection = client.socket()
        if isinstance(connection, socket.socket):  # many small acknowledgements must not wait for one another
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.subscribe([(topic_filter, 1) for topic_filter in self._filters])

    def _on_subscribe(self, _client: mqtt.Client, _data: Any, _mid: int, codes: list[ReasonCode], _props: Any) -> None:
        if any(code.is_failure for code in codes):
            self._refusal = f"the MQTT broker refused a subscription: {', '.join(self._filters)}"
            return
        self._subscribed = True
        _log.info("recording", filters=" ".join(self._filters))
        announce_ready()

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        if self._file is not None:
            kept = Recorded(self._clock.now(), message.topic, message.qos, message.retain, bytes(message.payload))
            self._file.add(kept)
