"""The SL 651 gateway over real sockets: with a broker that can be told what to do, and with a real Mosquitto."""

from __future__ import annotations

import os
import resource
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ingest.broker import parse_broker_url
from ingest.foreign.sl651_frame import Ending, confirmation, crc16, parse_frame
from ingest.gateway.descriptors import make_room
from ingest.gateway.sl651 import Gateway, Limits, Publishes, Rules
from ingest.gateway.uplink import connected_uplink
from tests.integration.ingest_kit import DEADLINE_S, Mosquitto, free_port, ingest_of, needs_mosquitto, query, wait_until
from undercroft.clock import SystemClock
from undercroft.site import sample_site_path
from undercroft.site.load import load_site
from undercroft.stack.ready import READY_FD_VARIABLE
from undercroft.store.connection import connect
from undercroft.store.site import import_site

STATION = "0012345678"
LOOPBACK = (ip_network("127.0.0.0/8"),)


def frame(serial: int, station: str = STATION, level: str = "00001500", function: int = 0x33) -> bytes:
    body = serial.to_bytes(2) + bytes.fromhex(f"260701120005F1F1{station}48F0F02607011200" + f"3923{level}")
    head = bytes.fromhex(f"7E7E01{station}1234") + bytes([function]) + len(body).to_bytes(2) + b"\x02"
    return head + body + b"\x03" + crc16(head + body + b"\x03").to_bytes(2)


class FakeBroker:
    """Takes messages, or lets them wait, or refuses them."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes]] = []
        self.answers = threading.Event()
        self.answers.set()

    def publish(self, topic: str, payload: bytes, timeout_s: float) -> bool:
        self.taken.append((topic, payload))
        return self.answers.wait(timeout_s)


@contextmanager
def gateway_of(broker: Publishes, rules: Rules | None = None, limits: Limits | None = None) -> Iterator[Gateway]:
    listener = socket.create_server(("127.0.0.1", 0))
    settings = limits or Limits()
    gateway = Gateway(listener, broker, rules or Rules(frozenset({STATION}), LOOPBACK), settings, SystemClock())
    thread = threading.Thread(target=gateway.run)
    thread.start()
    try:
        yield gateway
    finally:
        gateway.stop()
        thread.join(DEADLINE_S)
        assert not thread.is_alive()


def station_of(gateway: Gateway) -> socket.socket:
    return socket.create_connection(gateway.listener.getsockname()[:2], timeout=DEADLINE_S)


def answer(station: socket.socket, count: int = 25) -> bytes:
    data = b""
    while len(data) < count:
        chunk = station.recv(count - len(data))
        if not chunk:
            break
        data += chunk
    return data


def test_a_frame_is_published_as_it_is_and_then_confirmed() -> None:
    broker = FakeBroker()
    with gateway_of(broker) as gateway, station_of(gateway) as station:
        station.sendall(frame(1))

        assert answer(station) == confirmation(parse_frame(frame(1)), Ending.EOT)
        assert broker.taken == [(f"sl651/v1/{STATION}", frame(1))]


def test_no_confirmation_before_the_broker_has_it() -> None:
    broker = FakeBroker()
    broker.answers.clear()
    with gateway_of(broker) as gateway, station_of(gateway) as station:
        station.sendall(frame(1))
        wait_until(lambda: len(broker.taken) == 1, "published")
        with selectors.DefaultSelector() as selector:
            selector.register(station, selectors.EVENT_READ)
            assert selector.select(0.2) == []
        broker.answers.set()

        assert answer(station)[-3] == Ending.EOT.value


def test_a_broker_that_does_not_answer_leaves_the_station_unconfirmed_and_on_line() -> None:
    broker = FakeBroker()
    broker.answers.clear()
    with gateway_of(broker, limits=Limits(confirm_s=0.05)) as gateway, station_of(gateway) as station:
        station.sendall(frame(1))
        wait_until(lambda: gateway.counts["not_confirmed"] == 1, "given up")
        broker.answers.set()
        station.sendall(frame(1))

        assert answer(station) == confirmation(parse_frame(frame(1)), Ending.EOT)
        wait_until(lambda: gateway.counts["confirmed"] == 1, "counted")


def test_partial_frames_and_garbage_around_them() -> None:
    broker = FakeBroker()
    with gateway_of(broker) as gateway, station_of(gateway) as station:
        broken = bytearray(frame(2))
        broken[20] ^= 0xFF
        stream = b"\x00\xffGET / HTTP/1.1\r\n" + frame(1) + bytes(broken) + b"\x7e" + frame(3)
        for byte in stream:
            station.sendall(bytes([byte]))

        assert answer(station, 50)[14:16] == (1).to_bytes(2)
        assert [payload for _, payload in broker.taken] == [frame(1), frame(3)]
        assert gateway.counts["broken_frames"] >= 1


def test_keep_alives_are_neither_published_nor_confirmed() -> None:
    broker = FakeBroker()
    with gateway_of(broker) as gateway, station_of(gateway) as station:
        station.sendall(frame(1, function=0x2F) + frame(2))

        assert answer(station)[14:16] == (2).to_bytes(2)
        assert [payload for _, payload in broker.taken] == [frame(2)]
        assert gateway.counts["keep_alives"] == 1


def test_a_station_that_is_not_on_the_list_is_put_off() -> None:
    broker = FakeBroker()
    with gateway_of(broker) as gateway, station_of(gateway) as station:
        station.sendall(frame(1, station="0012345679"))

        assert answer(station) == b""
        assert broker.taken == []
        wait_until(lambda: gateway.counts["refused_station"] == 1, "counted")


def test_a_network_that_is_not_on_the_list_is_put_off() -> None:
    rules = Rules(frozenset({STATION}), (ip_network("10.0.0.0/8"),))
    with gateway_of(FakeBroker(), rules) as gateway, station_of(gateway) as station:
        assert answer(station) == b""
        wait_until(lambda: gateway.counts["refused_network"] == 1, "counted")


def test_one_connection_too_many_is_closed_and_room_comes_back() -> None:
    with gateway_of(FakeBroker(), limits=Limits(connections=2)) as gateway:
        first, second = station_of(gateway), station_of(gateway)
        wait_until(lambda: gateway.counts["connections"] == 2, "both in")
        with station_of(gateway) as third:
            assert answer(third) == b""
        first.close()
        wait_until(lambda: len(gateway._open) == 1, "first is out")
        with station_of(gateway) as fourth:
            fourth.sendall(frame(1))
            assert len(answer(fourth)) == 25
        second.close()
        assert gateway.counts["refused_full"] == 1


@pytest.mark.parametrize(
    ("sent", "limits", "why"),
    [
        (frame(1)[:20], Limits(frame_s=0.1), "too_slow"),
        (b"", Limits(idle_s=0.1), "idle"),
        (b"x" * 5000, Limits(garbage_bytes=4000), "garbage"),
    ],
)
def test_stations_that_waste_a_connection_lose_it(sent: bytes, limits: Limits, why: str) -> None:
    with gateway_of(FakeBroker(), limits=limits) as gateway, station_of(gateway) as station:
        station.sendall(sent)

        assert answer(station) == b""
        wait_until(lambda: gateway.counts[why] == 1, why)


def test_bytes_that_trickle_do_not_extend_the_time_of_a_frame() -> None:
    with gateway_of(FakeBroker(), limits=Limits(frame_s=0.3, idle_s=60)) as gateway, station_of(gateway) as station:
        station.sendall(frame(1)[:3])
        trickle = iter(frame(1)[3:-1] * 1000)

        def is_out() -> bool:
            try:
                station.sendall(bytes([next(trickle)]))
            except OSError:
                return True
            return gateway.counts["too_slow"] == 1

        wait_until(is_out, "out")


def test_a_station_that_takes_no_answers_holds_up_nobody() -> None:
    broker = FakeBroker()
    with (
        gateway_of(broker, limits=Limits(send_s=0.2)) as gateway,
        station_of(gateway) as deaf,
        station_of(gateway) as other,
    ):
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        deaf.sendall(frame(1) * 50)
        other.sendall(frame(7))

        assert answer(other)[14:16] == (7).to_bytes(2)


# With the command, a real broker, ingest and the database


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


DECODER = f"""
[[decoder]]
id = "stations"
kind = "sl651"
topic = "sl651/v1/+"
devices = [{{ key = "{STATION}", device = "gauge-beiling-rain" }}]
fields = [{{ field = "39", quantity = "rain_total_mm" }}]
"""


@pytest.fixture
def mosquitto() -> Iterator[Mosquitto]:
    with tempfile.TemporaryDirectory(prefix="ucm-", dir="/tmp") as folder:
        server = Mosquitto(Path(folder), free_port())
        server.start()
        yield server
        server.stop(signal.SIGKILL)


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
