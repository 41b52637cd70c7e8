"""The SL 651 gateway as a process with real brokers, and its options."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ingest.broker import parse_broker_url
from ingest.foreign.sl651_frame import Ending, confirmation, parse_frame
from ingest.gateway.uplink import connected_uplink
from tests.integration.gateway_kit import (
    DECODER,
    STATION,
    answer,
    frame,
    gateway_of,
    station_of,
)
from tests.integration.ingest_kit import DEADLINE_S, Mosquitto, free_port, ingest_of, needs_mosquitto, query, wait_until
from undercroft.clock import SystemClock
from undercroft.site import sample_site_path
from undercroft.site.load import load_site
from undercroft.stack.ready import READY_FD_VARIABLE
from undercroft.store.connection import connect
from undercroft.store.site import import_site


@contextmanager
def gateway_process(mqtt_url: str, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port = free_port()
    readable, writable = os.pipe()
    environment = {key: value for key, value in os.environ.items() if not key.startswith("UNDERCROFT_")}
    environment |= {"UNDERCROFT_MQTT_URL": mqtt_url, READY_FD_VARIABLE: str(writable)}
    command = [sys.executable, "-m", "undercroft", "gateway", "sl651", "--listen", f"127.0.0.1:{port}", *options]
    process = subprocess.Popen(command, env=environment, pass_fds=[writable], stderr=subprocess.PIPE)
    os.close(writable)
    try:
        with os.fdopen(readable, "rb") as ready:
            assert ready.read(1) == b"1"
        yield process, port
    finally:
        process.kill()
        process.communicate()


@needs_mosquitto
def test_from_a_station_to_the_database(mosquitto: Mosquitto, live_db: str, tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text(sample_site_path().read_text(encoding="utf-8") + DECODER, encoding="utf-8")
    with connect(live_db, application_name="test", autocommit=True) as connection:
        import_site(connection, load_site(site), "test", SystemClock().now())
    with (
        ingest_of(live_db, mosquitto.url) as ingest,
        gateway_process(mosquitto.url, "--site", str(site)) as (process, port),
    ):
        ingest.start()
        with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S) as station:
            for serial, level in ((1, "00001500"), (2, "00001700"), (1, "00001500"), (1, "00001500")):
                station.sendall(frame(serial, level=level))
                assert answer(station) == confirmation(parse_frame(frame(serial, level=level)), Ending.EOT)
        count = "select coalesce(sum(messages), 0)::int as n from batch"
        wait_until(lambda: query(live_db, count)[0]["n"] >= 4, "all four committed")
        stored = query(live_db, "select value, extract(epoch from observed_at)::bigint as at from observation")
        beside = query(live_db, "select value from observation_conflict")
        # Serials 1 and 2 say another level of the same minute: one row and one conflict; the two resends add nothing.
        assert [(row["value"], row["at"]) for row in stored] == [(1.5, 1_782_878_400)]
        assert [row["value"] for row in beside] == [1.7]
        assert query(live_db, "select 1 from dead_letter") == []
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_S) == 0


def _begin_session(mosquitto: Mosquitto) -> None:
    """Subscribe as ingest does, and go away: the session takes what is published."""
    url = parse_broker_url(mosquitto.url)
    with socket.create_connection((url.host, url.port), timeout=DEADLINE_S) as connection:
        connection.sendall(bytes.fromhex("101000044d515454040000000004") + b"kept")
        assert connection.recv(4, socket.MSG_WAITALL) == b"\x20\x02\x00\x00"
        connection.sendall(b"\x82\x0f\x00\x01\x00\x0asl651/v1/+\x01")
        assert connection.recv(5, socket.MSG_WAITALL) == b"\x90\x03\x00\x01\x01"


def test_a_broker_that_refuses_mqtt_5_is_spoken_to_in_3_1_1(broker: str) -> None:
    """The embedded one; it does not say when nobody receives a frame, and the gateway says so."""
    with (
        capture_logs() as told,
        connected_uplink(parse_broker_url(broker), "gateway-3-1-1") as uplink,
        gateway_of(uplink) as gateway,
        station_of(gateway) as station,
    ):
        station.sendall(frame(7))
        assert answer(station) == confirmation(parse_frame(frame(7)), Ending.EOT)
    assert [entry["protocol"] for entry in told if entry["event"] == "broker_does_not_let_us_in"] == ["MQTTv5"]
    assert [entry["log_level"] for entry in told if entry["event"] == "broker_without_mqtt_5"] == ["warning"]


@needs_mosquitto
def test_a_broker_that_goes_away_and_comes_back(mosquitto: Mosquitto) -> None:
    with (
        gateway_process(mosquitto.url, "--station", STATION) as (_, port),
        socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S) as station,
    ):
        station.settimeout(1.0)
        station.sendall(frame(1))
        with pytest.raises(TimeoutError):  # the broker has it for nobody
            station.recv(25)
        _begin_session(mosquitto)
        station.settimeout(DEADLINE_S)
        station.sendall(frame(1))
        assert len(answer(station)) == 25
        mosquitto.stop()
        station.sendall(frame(2))
        station.settimeout(1.0)
        with pytest.raises(TimeoutError):
            station.recv(25)
        mosquitto.start()

        def is_confirmed() -> bool:
            station.sendall(frame(2))
            try:
                return len(station.recv(25)) == 25
            except TimeoutError:
                return False

        wait_until(is_confirmed, "confirmed after the broker's return")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "no station may send"),
        (["--station", "12"], "--station 12: expected six digits"),
        (["--station", STATION, "--listen", "nowhere"], "--listen nowhere: expected HOST:PORT"),
        (["--station", STATION, "--network", "10.0.0.1/8"], "--network:"),
        (["--station", STATION, "--ending", "bye"], "--ending bye: expected one of EOT, ACK, ESC"),
        (["--station", STATION, "--topic", "sl651/v1/x"], "--topic sl651/v1/x"),
        (["--site", "site.toml"], f"nobody would read sl651/v1/{STATION}; the sl651 decoders of site.toml read hydro/"),
    ],
)
def test_wrong_options_are_one_line(options: list[str], told: str, tmp_path: Path) -> None:
    decoder = DECODER.replace("sl651/v1/+", "hydro/stations/+")
    (tmp_path / "site.toml").write_text(sample_site_path().read_text(encoding="utf-8") + decoder, encoding="utf-8")
    options = [str(tmp_path / text) if text == "site.toml" else text for text in options]
    environment = {**os.environ, "UNDERCROFT_MQTT_URL": "mqtt://127.0.0.1:1"}
    command = [sys.executable, "-m", "undercroft", "gateway", "sl651", *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=DEADLINE_S, check=False)

    assert done.returncode == 2
    assert told in done.stderr
