"""A real Mosquitto for a measurement, on a free port of loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from undercroft.clock import Clock
from undercroft.errors import BadInput, StackFailed

START_S = 20.0
_CONFIG = """
listener {port} 127.0.0.1
allow_anonymous true
max_inflight_messages 1000
max_queued_messages 0
message_size_limit 262144
persistence true
persistence_location {folder}/
log_dest none
"""


@contextmanager
def running_mosquitto(folder: Path, clock: Clock) -> Iterator[str]:
    """Run the installed broker and yield its URL.

    Raises
    ------
    BadInput
        If Mosquitto is not installed.
    StackFailed
        If it does not start.
    """
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        raise BadInput("bench ingest: install mosquitto, the system package of that name")
    port = _free_port()
    config = folder / "mosquitto.conf"
    config.write_text(_CONFIG.format(port=port, folder=folder), encoding="utf-8")
    if os.geteuid() == 0:
        shutil.chown(folder, "mosquitto")
        folder.chmod(0o755)
    process = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        _await_port(port, process, clock)
        yield f"mqtt://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _await_port(port: int, process: subprocess.Popen[bytes], clock: Clock) -> None:
    ends_s = clock.monotonic_s() + START_S
    while process.poll() is None and clock.monotonic_s() < ends_s:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            continue
        return
    raise StackFailed("mosquitto did not start")


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
