"""The SL 651 gateway and the files that a machine lets it open."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys

from ingest.foreign.sl651_frame import Ending, confirmation, parse_frame
from ingest.gateway.descriptors import make_room
from ingest.gateway.sl651 import Limits
from tests.integration.gateway_kit import (
    STATION,
    FakeBroker,
    answer,
    frame,
    gateway_of,
    station_of,
)
from tests.integration.ingest_kit import DEADLINE_S, wait_until


def test_a_machine_without_a_free_descriptor_costs_no_station_that_is_on_line() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with gateway_of(FakeBroker()) as gateway, station_of(gateway) as on_line, socket.socket() as waiting:
        wait_until(lambda: gateway.counts["connections"] == 1, "in")
        free = os.dup(0)
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
        try:
            waiting.settimeout(DEADLINE_S)
            waiting.connect(gateway.listener.getsockname()[:2])
            wait_until(lambda: gateway.counts["no_room"] > 0, "counted")
            on_line.sendall(frame(1))
            assert answer(on_line) == confirmation(parse_frame(frame(1)), Ending.EOT)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        waiting.sendall(frame(2))

        assert answer(waiting) == confirmation(parse_frame(frame(2)), Ending.EOT)


def test_a_large_gateway_leaves_the_low_descriptors_to_the_broker() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    make_room(961)
    try:
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= 961 + 64 + 1024
        with gateway_of(FakeBroker(), limits=Limits(connections=961)) as gateway, station_of(gateway) as station:
            station.sendall(frame(1))
            assert answer(station) == confirmation(parse_frame(frame(1)), Ending.EOT)
            assert [connection.fileno() >= 1024 for connection in gateway._open] == [True]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_more_connections_than_files_may_be_open_are_refused_at_the_start() -> None:
    command = f"ulimit -n 256; exec {sys.executable} -m undercroft gateway sl651 --station {STATION} --connections 193"
    environment = os.environ | {"UNDERCROFT_MQTT_URL": "mqtt://127.0.0.1:1"}
    done = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--connections 193: needs 257 open files, and this process may have 256" in done.stderr
