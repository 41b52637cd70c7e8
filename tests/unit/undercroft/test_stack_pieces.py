"""The small parts of the stack, without servers."""

from __future__ import annotations

import json
import os
import socket
import stat
import tempfile
from pathlib import Path

import pytest
from pydantic import ValidationError

from undercroft.errors import BadInput, StackFailed
from undercroft.model import Mode
from undercroft.settings import Settings, default_data_dir
from undercroft.site import load_site, sample_site_path
from undercroft.stack.broker import USERS, _remaining_length
from undercroft.stack.byhand import given_broker_options, publish_line
from undercroft.stack.datadir import DataDir, open_data_dir
from undercroft.stack.ports import free_port, free_port_from, is_free, require_broker
from undercroft.stack.ready import READY_FD_VARIABLE, announce_ready


def test_ready_is_announced_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    monkeypatch.setenv(READY_FD_VARIABLE, str(writer))
    announce_ready()
    announce_ready()
    with os.fdopen(reader, "rb") as said:
        assert said.read() == b"1"  # the end of file says that the descriptor was closed
    assert READY_FD_VARIABLE not in os.environ


def test_ready_without_a_listener(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    monkeypatch.setenv(READY_FD_VARIABLE, str(writer))
    announce_ready()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(writer)


# MQTT 3.1.1, table 2.4: the first and last length of each number of digits.
@pytest.mark.parametrize(
    ("length", "encoded"),
    [(0, "00"), (127, "7f"), (128, "8001"), (16_383, "ff7f"), (16_384, "808001"), (2_097_152, "80808001")],
)
def test_remaining_length(length: int, encoded: str) -> None:
    assert _remaining_length(length).hex() == encoded


def test_secrets_are_kept_and_private(tmp_path: Path) -> None:
    data_dir = DataDir(tmp_path, None)
    first = data_dir.secret("one")
    assert len(first) >= 32
    assert data_dir.secret("two") != first
    assert DataDir(tmp_path, None).secret("one") == first
    assert stat.S_IMODE(data_dir.secrets_path.stat().st_mode) == 0o600
    assert sorted(json.loads(data_dir.secrets_path.read_text())) == ["one", "two"]


def test_no_link_is_followed(tmp_path: Path) -> None:
    target = tmp_path / "victim"
    target.write_text("untouched")
    (tmp_path / "secrets.json.new").symlink_to(target)
    (tmp_path / "secrets.json").symlink_to(tmp_path / "absent")
    DataDir(tmp_path, None).write_private(tmp_path / "secrets.json", "{}")
    assert target.read_text() == "untouched"
    assert not (tmp_path / "secrets.json").is_symlink()


def test_a_data_dir_is_held_by_one() -> None:
    with (
        tempfile.TemporaryDirectory(dir="/tmp") as folder,
        open_data_dir(Path(folder)),
        pytest.raises(StackFailed, match=rf"another undercroft \(process {os.getpid()}\) already runs"),
        open_data_dir(Path(folder)),
    ):
        pass


def test_ports() -> None:
    port = free_port()
    assert is_free(port)
    assert free_port_from(port) == port
    assert free_port_from(70_000) < 65_536


def test_an_address_that_nobody_can_listen_on_is_no_taken_port() -> None:
    with pytest.raises(BadInput, match=r"cannot listen on 192\.0\.2\.1 port 8000: "):  # RFC 5737: nobody's
        is_free(8000, "192.0.2.1")


def test_a_port_beyond_all_ports_is_refused_with_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERCROFT_MQTT_URL", "mqtt://127.0.0.1:99999")
    with pytest.raises(ValidationError, match="the port at most 65535"):
        Settings()


def test_an_empty_data_dir_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERCROFT_DATA_DIR", "")
    assert Settings().data_dir == default_data_dir()


def test_the_line_to_publish_by_hand_names_a_sensor_inside_a_space() -> None:
    site = load_site(sample_site_path())
    line = publish_line(site, Mode.LIVE, "XDG_CONFIG_HOME=/d/clients")
    assert line is not None
    words = line.split()
    assert words[:5] == ["XDG_CONFIG_HOME=/d/clients", "mosquitto_pub", "-q", "1", "-t"]
    root, version, district, place, device, lane = words[5].split("/")
    assert (root, version, district, lane) == ("flood", "v1", site.district.id, "event")
    (space,) = (space for space in site.spaces if space.id == place)
    (found,) = (each for each in space.devices if each.id == device)
    assert any(sensor.quantity == "water_depth_m" and sensor.entrance is None for sensor in found.sensors)


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("mqtt://broker.example", " -h broker.example -p 1883"),
        ("mqtts://broker.example", " -h broker.example -p 8883 --tls-use-os-certs"),
        ("mqtt://ingest:secret@10.0.0.7:8883", " -h 10.0.0.7 -p 8883 -u YOUR_USER -P YOUR_PASSWORD"),
    ],
)
def test_a_broker_of_ones_own_is_named_without_its_secret(url: str, options: str) -> None:
    line = publish_line(load_site(sample_site_path()), Mode.LIVE, "", given_broker_options(url))
    assert line is not None
    assert line.startswith(f"mosquitto_pub{options} -q 1 -t flood/v1/")
    assert "secret" not in line


def test_a_broker_that_is_not_there_is_told_at_once_and_without_its_secret() -> None:
    port = free_port()
    with pytest.raises(StackFailed, match=rf"^UNDERCROFT_MQTT_URL: no broker answers at 127\.0\.0\.1:{port}: ") as told:
        require_broker(f"mqtt://ingest:secret@127.0.0.1:{port}")
    assert "secret" not in str(told.value)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        require_broker(f"mqtt://127.0.0.1:{listening.getsockname()[1]}")


def test_people_have_a_user_of_their_own() -> None:
    assert "operator" in USERS
