"""``undercroft up`` with real processes: it stops clean, comes back, and says what is in its way."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from tests.integration.stack_children import DEADLINE_S, tree, wait_gone
from tests.integration.up_kit import RUNNING, Up, as_nobody, environment, running_up, short_folder, up_command
from undercroft.stack.beside import Beside, leave_beside
from undercroft.stack.broker import running_broker
from undercroft.stack.datadir import open_data_dir

EXERCISE = ("--mode", "exercise")


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with short_folder() as folder:
        yield folder


def refused(data_dir: Path, *words: str, **extra: str) -> tuple[int, str]:
    """Run `up` where it cannot start; return exit status and its last line."""
    done = subprocess.run(
        up_command(*words), env=environment(data_dir, **extra), capture_output=True, text=True, check=False, cwd="/"
    )
    return done.returncode, done.stderr.strip().splitlines()[-1]


def simulate(data_dir: Path) -> tuple[int, str]:
    """Play five minutes of a dry day with DATA_DIR alone to go by; return exit status and the last line of errors."""
    words = ("simulate", "--scenario", "dry-day", "--speed", "max", "--until", "5")
    done = subprocess.run(
        [sys.executable, "-m", "undercroft", *words],
        env=environment(data_dir), capture_output=True, text=True, check=False, cwd="/",
    )  # fmt: skip
    return done.returncode, (done.stderr.strip().splitlines() or [""])[-1]


def page(up: Up) -> str:
    return next(line.split()[1] for line in up.lines if line.startswith("page "))


@dataclass(frozen=True)
class Evening:
    """What was seen of one `up` that found its usual port taken and was ended by Ctrl-C."""

    data_dir: Path
    lines: list[str]
    services: list[str]
    database_uid: int
    health: int
    simulated: tuple[int, str]
    exit_status: int
    pids: list[int]


@pytest.fixture(scope="module")
def evening() -> Iterator[Evening]:
    with short_folder() as data_dir, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with running_up(data_dir, *EXERCISE, UNDERCROFT_API_PORT=str(taken.getsockname()[1])) as up:
            up.until(f"port {taken.getsockname()[1]} is taken; the page is on")
            up.until(RUNNING)
            pids, services = tree(up.process.pid), up.services()
            uid = services["postgres"].uids().effective
            health = httpx.get(f"{page(up)}api/v1/health", timeout=DEADLINE_S).status_code
            simulated = simulate(data_dir)
            status = up.end(signal.SIGINT)
        yield Evening(data_dir, up.lines, sorted(services), uid, health, simulated, status, [*pids])


def test_a_taken_default_port_means_the_next_free_one(evening: Evening) -> None:
    assert evening.health == 200
    assert evening.services == ["api", "broker_main", "duty", "ingest", "postgres", "risk"]


def test_a_storm_finds_the_exercise_beside_it_and_says_what_to_start_where_there_is_none(evening: Evening) -> None:
    assert evening.simulated[0] == 0, evening.simulated[1]
    code, line = simulate(evening.data_dir)  # it has ended
    assert (code, "undercroft up --mode exercise" in line) == (2, True), line
    beside = evening.data_dir / "beside.json"
    assert beside.stat().st_mode & 0o777 == 0o600


def test_nothing_is_simulated_beside_a_live_one(data_dir: Path) -> None:
    with open_data_dir(data_dir) as prepared, running_broker(prepared, 0) as broker:
        leave_beside(prepared, Beside("live", broker.url("simulator")))
        code, line = simulate(data_dir)
    assert (code, "is live, and nothing simulated is played to it" in line) == (2, True), line


def test_an_interruption_ends_everything_in_good_order(evening: Evening) -> None:
    assert evening.exit_status == 0
    wait_gone(*evening.pids)
    assert not (evening.data_dir / "pg" / "postmaster.pid").exists(), "PostgreSQL was not shut down in good order"


def test_secrets_are_private(evening: Evening) -> None:
    data_dir = evening.data_dir
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
    for name in ("run", "pg", "clients"):
        assert stat.S_IMODE((data_dir / name).stat().st_mode) == 0o700, name
    for name in ("secrets.json", "broker.toml", "clients/mosquitto_pub", "postgres.log"):
        assert stat.S_IMODE((data_dir / name).stat().st_mode) == 0o600, name
    said = "\n".join(evening.lines)
    passwords = [word for word in (data_dir / "secrets.json").read_text().split('"') if len(word) > 30]
    assert len(passwords) >= 8
    assert not any(password in said for password in passwords)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers as another account")
def test_as_root_postgresql_runs_without_rights(evening: Evening) -> None:
    assert evening.database_uid != 0
    assert evening.database_uid == evening.data_dir.stat().st_uid


@pytest.mark.slow
def test_the_canary_speaks_through_the_whole_chain(data_dir: Path) -> None:
    with running_up(data_dir) as up:
        up.until(RUNNING)
        assert "canary" in up.services()
        deadline = time.monotonic() + DEADLINE_S
        while (health := httpx.get(f"{page(up)}api/v1/health", timeout=DEADLINE_S).json())["canary_latency_s"] is None:
            assert time.monotonic() < deadline, health
        assert health["checks"]["canary"]["ok"]
        assert up.end() == 0


@pytest.mark.slow
def test_whatever_dies_is_started_again(data_dir: Path) -> None:
    with running_up(data_dir, *EXERCISE) as up:
        up.until(RUNNING)
        before = up.services()
        for name in ("api", "duty", "risk", "ingest", "broker_main", "postgres"):
            before[name].kill()
            word = name.removesuffix("_main")
            up.until(rf"process_restarts.* process={word}\b")
            up.until(rf"process_started process={word}\b")
        up.until("process_ready process=postgres")
        deadline = time.monotonic() + DEADLINE_S
        while not (_is_healthy(page(up)) and len(up.services()) == len(before)):
            assert time.monotonic() < deadline, up.services()
        assert up.services().keys() == before.keys()
        assert up.end() == 0


def _is_healthy(address: str) -> bool:
    try:
        return httpx.get(f"{address}api/v1/spaces", timeout=5.0).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.slow
def test_nothing_survives_a_killed_up_and_the_next_one_resumes(data_dir: Path) -> None:
    with running_up(data_dir, *EXERCISE) as up:
        up.until("fictional sample district")
        up.until(RUNNING)
        pids = tree(up.process.pid)
        assert len(pids) > 8  # up, five children, and PostgreSQL's own
        os.kill(up.process.pid, signal.SIGKILL)
        up.process.wait()
        wait_gone(*pids)
    with running_up(data_dir, *EXERCISE) as again:
        again.until(RUNNING)
        assert not any("fictional sample district" in line for line in again.lines), "the database was not kept"
        assert again.end() == 0


@pytest.mark.slow
def test_everything_killed_at_once_resumes(data_dir: Path) -> None:
    with running_up(data_dir, *EXERCISE) as up:
        up.until(RUNNING)
        processes = [psutil.Process(pid) for pid in tree(up.process.pid)]
        for process in processes:
            process.suspend()  # so that none can clean up after another
        for process in processes:
            process.kill()
        up.process.wait()
        wait_gone(*(process.pid for process in processes))
    pid_file = data_dir / "pg" / "postmaster.pid"
    assert pid_file.exists()
    # A number that came round: PostgreSQL by itself would refuse to start, for "its" process lives.
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    with running_up(data_dir, *EXERCISE) as again:
        again.until(RUNNING)
        assert again.end() == 0


@pytest.mark.slow
def test_one_instance_per_data_dir(data_dir: Path) -> None:
    with running_up(data_dir, *EXERCISE) as up:
        up.until(RUNNING)
        code, line = refused(data_dir, *EXERCISE)
        assert code == 1
        assert line == f"undercroft: another undercroft (process {up.process.pid}) already runs on DATA_DIR {data_dir}"
        assert up.process.poll() is None
        assert up.end() == 0


def test_a_taken_port_that_was_asked_for_is_one_line(data_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, line = refused(data_dir, *EXERCISE, "--api-port", port)
        assert (code, line) == (
            1,
            f"undercroft: port {port} on 127.0.0.1 is taken: name another one with --api-port",
        )
        code, line = refused(data_dir, *EXERCISE, "--mqtt-port", port)
        assert (code, line) == (
            1,
            f"undercroft: port {port} on 127.0.0.1 is taken: name another one for the broker with --mqtt-port",
        )


def test_modes_do_not_mix_in_an_external_database(data_dir: Path, exercise_db: str, broker: str) -> None:
    code, line = refused(data_dir, "--mode", "live", UNDERCROFT_DATABASE_URL=exercise_db, UNDERCROFT_MQTT_URL=broker)
    assert (code, line) == (2, "undercroft: this database is for exercise; it cannot be used for live")


@pytest.mark.slow
def test_external_servers_are_used(data_dir: Path, exercise_db: str, broker: str) -> None:
    acts, token = f"{exercise_db}?application_name=acts", "a-token-of-24-characters"
    secrets = {"UNDERCROFT_ACTS_DATABASE_URL": acts, "UNDERCROFT_ALERT_WEBHOOK_TOKEN": token}
    with running_up(
        data_dir,
        *EXERCISE,
        UNDERCROFT_DATABASE_URL=exercise_db,
        UNDERCROFT_MQTT_URL=broker,
        UNDERCROFT_ACTS_DATABASE_URL=acts,
        UNDERCROFT_ALERT_WEBHOOK_TOKEN=token,
    ) as up:
        up.until("every service uses that one user and its rights")
        up.until(RUNNING)
        for name, service in up.services().items():
            given = {key: value for key, value in service.environ().items() if key in secrets}
            assert given == (secrets if name == "api" else {}), name
        assert sorted(up.services()) == ["api", "duty", "ingest", "risk"]
        assert up.end() == 0
    assert list(data_dir.iterdir()) == []


def test_another_persons_folder_is_left_alone(data_dir: Path) -> None:
    (data_dir / "thesis.txt").write_text("mine")
    data_dir.chmod(0o755)
    code, line = refused(data_dir)
    assert code == 1
    assert line == f"undercroft: DATA_DIR {data_dir} holds other files: name a new or an empty folder"
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o755


def test_a_path_too_long_for_a_socket_is_one_line(data_dir: Path) -> None:
    data_dir.chmod(0o755)
    deep = data_dir / ("d" * 90)
    code, line = refused(deep)
    assert code == 1
    assert "bytes too long for a Unix socket in it: set UNDERCROFT_DATA_DIR to a shorter path" in line


def test_a_wrong_site_is_told_before_anything_starts(data_dir: Path) -> None:
    code, line = refused(data_dir, "--site", "/nowhere/site.toml")
    assert code == 2
    assert "/nowhere/site.toml: cannot be read: No such file or directory" in line
    assert list(data_dir.iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="we are an ordinary user already: every other test is this one")
def test_as_an_ordinary_user(data_dir: Path) -> None:
    prefix = as_nobody()
    shutil.chown(data_dir, "nobody")
    with running_up(data_dir, *EXERCISE, prefix=prefix, HOME=str(data_dir)) as up:
        up.until(RUNNING)
        owners = {process.uids().real for process in up.services().values()}
        assert owners == {data_dir.stat().st_uid}
        pids = tree(up.process.pid)
        assert up.end(signal.SIGTERM) == 0
    wait_gone(*pids)
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
