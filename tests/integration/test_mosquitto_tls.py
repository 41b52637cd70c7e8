"""Our Mosquitto configuration on a real Mosquitto: TLS, passwords, topics, and a queue that nothing drops."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
import yaml
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from ingest.broker import parse_broker_url
from undercroft.clock import SystemClock
from undercroft.doctor.broker import check_certificate, check_sign_in
from undercroft.doctor.finding import Verdict
from undercroft.stack.ports import free_port

ROOT = Path(__file__).parents[2]
DEADLINE_S = 20.0
NOT_AUTHORISED = 135  # of MQTT 5
MOUNTED = ("mosquitto_passwords", "mqtt_ca.crt", "mqtt_server.crt", "mqtt_server.key")


@dataclass
class Broker:
    """A running Mosquitto with our configuration."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def authority(self) -> Path:
        return self.folder / "secrets/mqtt_ca.crt"


@dataclass
class Client:
    """A client that notes what happens to it."""

    client: mqtt.Client
    received: list[tuple[str, bytes]] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    connected: int | None = None
    acknowledged: int = 0
    refused: int = 0

    def wait(self, what: str, enough: object) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: bool(enough()), DEADLINE_S), what  # type: ignore[operator]


def program() -> str:
    found = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    if found is None:
        pytest.skip("Mosquitto is missing: apt install mosquitto")
    return found


def secrets(folder: Path, *words: str) -> str:
    command = [sys.executable, str(ROOT / "deploy/make_secrets.py"), *words, "--folder", str(folder)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def configured(folder: Path, port: int) -> Path:
    """Write our configuration with the container's paths replaced by this folder's."""
    text = (ROOT / "deploy/mosquitto/mosquitto.conf").read_text(encoding="utf-8")
    text = text.replace("/run/secrets/", f"{folder}/secrets/").replace("/mosquitto/data/", f"{folder}/data/")
    text = text.replace("/mosquitto/config/acl", str(ROOT / "deploy/mosquitto/acl"))
    text = text.replace("listener 8883", f"listener {port} 127.0.0.1") + "user root\n"
    path = folder / "mosquitto.conf"
    path.write_text(text, encoding="utf-8")
    return path


@contextmanager
def running(folder: Path, port: int) -> Iterator[Broker]:
    process = subprocess.Popen([program(), "-c", str(configured(folder, port))], stderr=subprocess.DEVNULL)
    broker = Broker(port, folder, process)
    try:
        deadline = time.monotonic() + DEADLINE_S
        while not _listens(port):
            assert process.poll() is None, "Mosquitto refused the configuration"
            assert time.monotonic() < deadline
        yield broker
    finally:
        process.terminate()
        process.wait(DEADLINE_S)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    program()
    (tmp_path / "data").mkdir()
    secrets(tmp_path / "secrets", "broker.example.org")
    return tmp_path


@contextmanager
def joined(
    broker: Broker, user: str, password: str, *, client_id: str = "", clean: bool | None = True
) -> Iterator[Client]:
    """Join; ``clean`` None speaks MQTT 5, in which a refused message is answered and does not end the connection."""
    inner = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=clean,
        protocol=mqtt.MQTTv5 if clean is None else mqtt.MQTTv311,
    )
    inner.username_pw_set(user, password)
    inner.tls_set(ca_certs=str(broker.authority))
    noted = Client(inner)

    def on_connect(client: object, data: object, flags: object, reason: ReasonCode, properties: object) -> None:
        with noted.changed:
            noted.connected = reason.value
            noted.changed.notify_all()

    def on_message(client: object, data: object, message: mqtt.MQTTMessage) -> None:
        with noted.changed:
            noted.received.append((message.topic, bytes(message.payload)))
            noted.changed.notify_all()

    def on_done(client: object, data: object, number: object, reason: object, *_: object) -> None:
        with noted.changed:
            noted.acknowledged += 1
            noted.refused += isinstance(reason, ReasonCode) and reason.value == NOT_AUTHORISED
            noted.changed.notify_all()

    inner.on_connect, inner.on_message = on_connect, on_message
    inner.on_publish = inner.on_subscribe = on_done
    inner.connect("127.0.0.1", broker.port)
    inner.loop_start()
    try:
        noted.wait("connected", lambda: noted.connected is not None)
        yield noted
    finally:
        inner.disconnect()
        inner.loop_stop()


def ingest_password(folder: Path) -> str:
    url = parse_broker_url((folder / "secrets/mqtt_url").read_text(encoding="utf-8").strip())
    assert url.is_tls
    return str(url.password)


def test_a_device_writes_its_own_topics_and_reads_nothing(folder: Path) -> None:
    device, password = secrets(folder / "secrets", "--device", "g-7").split()
    own, other = f"flood/v1/futian/square/{device}/observation", "flood/v1/futian/square/g-8/observation"
    with running(folder, free_port()) as broker, joined(broker, "undercroft-ingest", ingest_password(folder)) as ingest:
        ingest.client.subscribe("#", qos=1)
        ingest.wait("subscribed", lambda: ingest.acknowledged)
        with joined(broker, device, password, clean=None) as sensor:
            assert sensor.connected == 0
            sensor.client.subscribe("flood/v1/#", qos=1)
            sensor.wait("subscribed", lambda: sensor.acknowledged == 1)
            # One at a time: Mosquitto 2.0.11 closes a connection that sends more behind a refused message.
            for number, topic in enumerate((other, "exercise/v1/futian/square/g-7/event", f"{own}/more", own), start=2):
                sensor.client.publish(topic, topic.encode(), qos=1)
                sensor.wait(topic, lambda number=number: sensor.acknowledged == number)
            assert sensor.refused == 3  # the subscription is granted, and never served
        ingest.wait("received", lambda: ingest.received)
        assert ingest.received == [(own, own.encode())]
        assert sensor.received == []


def test_ingest_publishes_nowhere_and_a_client_id_with_a_wildcard_is_refused(folder: Path) -> None:
    """The patterns of devices would let ingest speak as a device of its own name."""
    device, password = secrets(folder / "secrets", "--device", "g-7").split()
    own, of_ingest = (f"flood/v1/futian/square/{name}/observation" for name in (device, "undercroft-ingest"))
    with running(folder, free_port()) as broker, joined(broker, "undercroft-ingest", ingest_password(folder)) as ingest:
        ingest.client.subscribe("flood/v1/#", qos=1)
        ingest.wait("subscribed", lambda: ingest.acknowledged)
        with joined(broker, "undercroft-ingest", ingest_password(folder), clean=None) as another:
            another.client.publish(of_ingest, b"x", qos=1)
            another.wait("answered", lambda: another.acknowledged == 1)
            assert another.refused == 1
        with joined(broker, device, password, client_id="#", clean=None) as odd:
            odd.client.publish(own, b"odd", qos=1)
            odd.wait("answered", lambda: odd.acknowledged == 1)
            assert odd.refused == 1
        with joined(broker, device, password, clean=None) as sensor:
            sensor.client.publish(own, b"well", qos=1)
            ingest.wait("received", lambda: ingest.received)
        assert ingest.received == [(own, b"well")]


def test_a_device_added_and_a_certificate_renewed_count_from_the_reload_on(folder: Path) -> None:
    # Compose shows the broker the very files: a new one of the same name would not be seen in there.
    held = [(path, path.stat().st_ino) for path in (folder / f"secrets/{name}" for name in MOUNTED)]
    with running(folder, free_port()) as broker:
        first = certificate_of(broker)
        device, password = secrets(folder / "secrets", "--device", "g-7").split()
        secrets(folder / "secrets", "--renew")
        assert [(path, path.stat().st_ino) for path, _ in held] == held
        with joined(broker, device, password) as early:
            assert early.connected != 0
        broker.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + DEADLINE_S
        while certificate_of(broker) == first:  # a client of the authority of before: it is still trusted
            assert time.monotonic() < deadline, "the new certificate is not served"
        with (
            joined(broker, device, password) as late,
            joined(broker, "undercroft-ingest", ingest_password(folder)) as old,
        ):
            assert (late.connected, old.connected) == (0, 0)


def test_the_doctor_sees_certificate_authority_version_and_whether_it_is_let_in(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "secrets/mqtt_ca.crt"))
    with running(folder, free_port()) as broker:
        url = f"mqtts://undercroft-ingest:{ingest_password(folder)}@localhost:{broker.port}"
        now = SystemClock().now()

        def found(at: datetime) -> list[tuple[str, str]]:
            return [(each.check, each.verdict.value) for each in check_certificate(url, at)]

        assert found(now) == [("certificate", "good"), ("authority", "good")]
        assert found(now + timedelta(days=800)) == [("certificate", "bad"), ("authority", "good")]  # of 825
        assert found(now + timedelta(days=3300)) == [("certificate", "bad"), ("authority", "bad")]  # of 3650
        (well,) = check_sign_in(url)
        assert re.fullmatch(r"lets us in: mosquitto version 2\.\d+\.\d+", well.seen), well.seen
        (ill,) = check_sign_in(url.replace("undercroft-ingest:", "undercroft-ingest:x"))
        assert (ill.verdict, ill.seen) == (Verdict.BAD, "lets this name not in: Not authorized")


def test_the_health_check_of_the_stack_sees_whether_the_broker_listens(folder: Path) -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    words = compose["services"]["mosquitto"]["healthcheck"]["test"]
    assert f":{8883:04X} " in words[3]
    with running(folder, free_port()) as broker:
        command = [word.replace(f":{8883:04X} ", f":{broker.port:04X} ") for word in words[1:]]
        assert subprocess.run(command, check=False).returncode == 0
    assert subprocess.run(command, check=False).returncode != 0


def certificate_of(broker: Broker) -> bytes:
    context = ssl.create_default_context(cafile=str(broker.authority))
    with (
        socket.create_connection(("127.0.0.1", broker.port)) as raw,
        context.wrap_socket(raw, server_hostname="broker.example.org") as secured,
    ):
        return secured.getpeercert(binary_form=True) or b""


def test_nobody_enters_without_a_password_or_without_tls(folder: Path) -> None:
    with running(folder, free_port()) as broker:
        for user, password in (("undercroft-ingest", "wrong"), ("g-9", "")):
            with joined(broker, user, password) as refused:
                assert refused.connected in {4, 5, 134, 135}  # bad name or password, not authorised
        plain = mqtt.Client(CallbackAPIVersion.VERSION2)
        plain.connect("127.0.0.1", broker.port)
        deadline = time.monotonic() + DEADLINE_S
        while (code := plain.loop(0.1)) == mqtt.MQTT_ERR_SUCCESS:
            assert time.monotonic() < deadline, "a client without TLS was not turned away"
        assert code != mqtt.MQTT_ERR_SUCCESS
        stranger = ssl.create_default_context()  # knows the public authorities, not ours
        with (
            socket.create_connection(("127.0.0.1", broker.port)) as raw,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            stranger.wrap_socket(raw, server_hostname="localhost")


def test_more_than_the_default_queue_waits_for_a_client_that_is_away_even_over_a_restart(folder: Path) -> None:
    device, password = secrets(folder / "secrets", "--device", "g-7").split()
    port, count = free_port(), 3_000
    topic = f"flood/v1/futian/square/{device}/observation"
    with running(folder, port) as broker:
        with joined(broker, "undercroft-ingest", ingest_password(folder), client_id="lane", clean=False) as ingest:
            ingest.client.subscribe("flood/v1/+/+/+/observation", qos=1)
            ingest.wait("subscribed", lambda: ingest.acknowledged)
        with joined(broker, device, password) as sensor:
            for number in range(count):
                sensor.client.publish(topic, str(number).encode(), qos=1)
            sensor.wait("published", lambda: sensor.acknowledged == count)
    with (
        running(folder, port) as broker,
        joined(broker, "undercroft-ingest", ingest_password(folder), client_id="lane", clean=False) as ingest,
    ):
        ingest.wait("received", lambda: len(ingest.received) >= count)
        assert [int(payload) for _, payload in ingest.received] == list(range(count))
