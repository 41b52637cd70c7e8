"""The embedded MQTT broker (rumqttd, from the iotcore wheel): loopback, generated credentials, queue in memory.

It is for demo and tests: what it has queued is gone when it ends.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

from undercroft.errors import StackFailed
from undercroft.stack.broker_main import PORT_TAKEN_EXIT_CODE
from undercroft.stack.datadir import DataDir
from undercroft.stack.ports import LOOPBACK, free_port, free_port_from, is_free
from undercroft.stack.process import ProcessSpec, ServerTraits, SupervisedProcess

DEFAULT_PORT = 1883
USERS = ("ingest", "simulator", "operator")
"""The broker knows no rights, only who may connect; ``operator`` is for people at a terminal."""

MAX_PAYLOAD_BYTES = 262_144
_START_TIMEOUT_S = 30.0
_RETRY_S = 0.02
_STOP_GRACE_S = 5.0

_CONFIG = """\
id = 0

[router]
id = 0
max_connections = 1000
max_outgoing_packet_count = 200
max_segment_size = 104857600
max_segment_count = 10

[v4.1]
name = "loopback"
listen = "{host}:{port}"
next_connection_delay_ms = 1

[v4.1.connections]
connection_timeout_ms = 60000
max_payload_size = {max_payload_bytes}
max_inflight_count = 1000
dynamic_filters = true

[v4.1.connections.auth]
{users}
"""


@dataclass(frozen=True, slots=True)
class Broker:
    """A running broker on 127.0.0.1."""

    process: SupervisedProcess
    port: int
    passwords: dict[str, str] = field(repr=False)

    def url(self, user: str = "ingest") -> str:
        """Return the URL for one of `USERS`."""
        return f"mqtt://{user}:{quote(self.passwords[user], safe='')}@{LOOPBACK}:{self.port}"


@contextmanager
def running_broker(data_dir: DataDir, port: int | None = None) -> Iterator[Broker]:
    """Run the broker.

    Parameters
    ----------
    data_dir
        Holds its configuration and passwords.
    port
        Port of 127.0.0.1; None: 1883 if free, else the next free one; 0: any.

    Raises
    ------
    StackFailed
        If it does not start; a taken port is named.
    """
    passwords = {user: data_dir.secret(f"mqtt_{user}") for user in USERS}
    broker = _start(data_dir, passwords, port)
    try:
        yield broker
    finally:
        broker.process.stop(_STOP_GRACE_S)


def _start(data_dir: DataDir, passwords: dict[str, str], port: int | None) -> Broker:
    if port and not is_free(port):
        raise _taken(port)
    for attempt in range(5):
        chosen = free_port_from(DEFAULT_PORT + attempt) if port is None else port or free_port()
        process = SupervisedProcess(_spec(data_dir, passwords, chosen))
        try:
            process.wait_ready(_START_TIMEOUT_S)
        except StackFailed as error:
            process.stop(_STOP_GRACE_S)
            if process.exit_code != PORT_TAKEN_EXIT_CODE:
                raise StackFailed(f"the MQTT broker did not start (exit status {process.exit_code})") from error
            if port:
                raise _taken(port) from error
        else:
            return Broker(process, chosen, passwords)
    raise StackFailed(f"no free port found for the MQTT broker from {DEFAULT_PORT} up")


def _taken(port: int) -> StackFailed:
    return StackFailed(f"port {port} on {LOOPBACK} is taken: name another one for the broker with --mqtt-port")


def _spec(data_dir: DataDir, passwords: dict[str, str], port: int) -> ProcessSpec:
    config = data_dir.path / "broker.toml"
    users = "\n".join(f"{user} = {json.dumps(password)}" for user, password in passwords.items())
    text = _CONFIG.format(host=LOOPBACK, port=port, max_payload_bytes=MAX_PAYLOAD_BYTES, users=users)
    data_dir.write_private(config, text)
    argv = [sys.executable, "-P", "-m", "undercroft.stack.broker_main", str(config)]
    traits = ServerTraits(wait_ready=lambda lives: _wait_ready(lives, port, passwords["operator"]))
    env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin")}
    words = {PORT_TAKEN_EXIT_CODE: f"another program holds port {port} of {LOOPBACK}: end it, or start on another port"}
    return ProcessSpec(
        "broker", argv, env, log_path=data_dir.path / "broker.log", server=traits, exit_words=words
    )  # fmt: skip


def _wait_ready(lives: Callable[[], bool], port: int, password: str) -> bool:
    while lives():
        if is_ours(port, password):
            return lives()
        time.sleep(_RETRY_S)
    return False


def is_ours(port: int, password: str) -> bool:
    """Tell whether the broker there is the one with our passwords: another may listen, and let everybody in."""
    return accepts(port, "operator", password) and not accepts(port, "operator", f"not {password}")


def accepts(port: int, user: str, password: str, host: str = LOOPBACK) -> bool:
    """Tell whether an MQTT 3.1.1 broker there accepts this user: one CONNECT, one CONNACK, one DISCONNECT."""
    strings = [f"ready-{os.getpid()}", user, password]
    payload = b"".join(len(text.encode()).to_bytes(2, "big") + text.encode() for text in strings)
    # Protocol name and level 4, flags: user name, password, clean session; keep alive 10 s (MQTT 3.1.1, section 3.1).
    variable = b"\x00\x04MQTT\x04" + b"\xc2" + b"\x00\x0a"
    packet = b"\x10" + _remaining_length(len(variable) + len(payload)) + variable + payload
    try:
        with socket.create_connection((host, port), timeout=2.0) as connection:
            connection.sendall(packet)
            answer = connection.recv(4)
            connection.sendall(b"\xe0\x00")
    except OSError:
        return False
    return answer[:1] == b"\x20" and answer[3:4] == b"\x00"


def _remaining_length(length: int) -> bytes:
    encoded = bytearray()
    while True:
        length, digit = divmod(length, 128)
        encoded.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(encoded)
