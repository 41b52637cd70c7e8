"""The embedded PostgreSQL server: the wheel's own ``initdb`` and ``postgres``, on a Unix socket in DATA_DIR."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from undercroft.errors import StackFailed
from undercroft.stack.binaries import postgres_bin
from undercroft.stack.datadir import DataDir
from undercroft.stack.leftovers import end_leftover_postgres
from undercroft.stack.process import ProcessSpec, ServerTraits, SupervisedProcess
from undercroft.store.databases import wait_for_server

OWNER = "undercroft_owner"
"""Superuser of the embedded server; owns every database in it."""

PORT = 5432
"""Part of the socket's name only: nothing listens on it unless a TCP port is asked for."""

_SOCKET_PATH_LIMIT = 107  # bytes, sun_path of Linux without its final NUL
_STOP_GRACE_S = 30.0
_ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

_SETTINGS = {
    # Two cores and, with all our processes, less than 1 GB.
    "max_connections": "60",
    "shared_buffers": "64MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "512MB",
    "wal_compression": "on",
    "huge_pages": "off",
    "io_method": "sync",
    "jit": "off",
    "max_worker_processes": "4",
    "max_parallel_workers_per_gather": "0",
    "autovacuum_max_workers": "1",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_min_messages": "warning",
    "password_encryption": "scram-sha-256",
    "unix_socket_permissions": "0700",
}


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server.

    Attributes
    ----------
    process : SupervisedProcess
        The postmaster; started again when it dies.
    socket_folder : Path
        Where its socket is, mode 0700.
    tcp_port : int or None
        Port on 127.0.0.1, where one was asked for.
    owner_password : str
        Of `OWNER`.
    """

    process: SupervisedProcess
    socket_folder: Path
    tcp_port: int | None
    owner_password: str = field(repr=False)

    def url(self, database: str = "postgres", user: str = OWNER, password: str | None = None) -> str:
        """Return the URL of a database through the socket."""
        secret = self.owner_password if password is None else password
        return _socket_url(self.socket_folder, self.tcp_port, secret, database, user)

    def tcp_url(self, database: str = "postgres", user: str = OWNER, password: str | None = None) -> str:
        """Return the URL of a database through TCP on 127.0.0.1."""
        if self.tcp_port is None:
            raise StackFailed("the embedded PostgreSQL was started without a TCP port")
        secret = quote(self.owner_password if password is None else password, safe="")
        return f"postgresql://{user}:{secret}@127.0.0.1:{self.tcp_port}/{database}"


@contextmanager
def running_postgres(
    data_dir: DataDir, *, fsync: bool = True, tcp_port: int | None = None, start_timeout_s: float = 120.0
) -> Iterator[PostgresServer]:
    """Run the server of this DATA_DIR; its cluster is made at the first start.

    Parameters
    ----------
    data_dir
        Prepared and locked by us.
    fsync
        False only where the data may be lost with the machine: tests.
    tcp_port
        Listen on this port of 127.0.0.1 too.
    start_timeout_s
        Longest time until it accepts connections; recovery after a crash counts. [s]

    Raises
    ------
    StackFailed
        If it does not start.
    """
    programs = postgres_bin(data_dir)
    socket_folder = data_dir.subfolder("run")
    _check_socket_path(socket_folder)
    cluster = data_dir.path / "pg"
    password = data_dir.secret(OWNER)
    if cluster.exists():
        _check_version(cluster, programs)
        end_leftover_postgres(cluster, socket_folder)
    else:
        _init_cluster(data_dir, programs / "initdb", cluster, password)
    log_path = data_dir.path / "postgres.log"
    if log_path.exists():
        log_path.replace(log_path.with_name(f"{log_path.name}.1"))
    argv = [str(programs / "postgres"), "-D", str(cluster), *_settings(socket_folder, fsync=fsync, tcp_port=tcp_port)]
    url = _socket_url(socket_folder, tcp_port, password)
    # SIGINT is the fast shutdown: sessions are ended, then a checkpoint.
    traits = ServerTraits(
        wait_ready=lambda lives: wait_for_server(url, start_timeout_s, still_alive=lives),
        stop_signal=signal.SIGINT,
        death_signal=signal.SIGINT,
        account=data_dir.account,
    )
    process = SupervisedProcess(ProcessSpec("postgres", argv, _ENV, log_path=log_path, server=traits))
    try:
        try:
            process.wait_ready(start_timeout_s)
        except StackFailed as error:
            raise StackFailed(f"PostgreSQL did not start: {_last_line(log_path)}") from error
        yield PostgresServer(process, socket_folder, tcp_port, password)
    finally:
        process.stop(_STOP_GRACE_S)


def _socket_url(
    folder: Path, tcp_port: int | None, password: str, database: str = "postgres", user: str = OWNER
) -> str:
    host = quote(str(folder), safe="/")
    return f"postgresql://{user}:{quote(password, safe='')}@/{database}?host={host}&port={tcp_port or PORT}"


def _settings(socket_folder: Path, *, fsync: bool, tcp_port: int | None) -> list[str]:
    chosen = _SETTINGS | {
        "unix_socket_directories": str(socket_folder),
        "port": str(tcp_port or PORT),
        "listen_addresses": "127.0.0.1" if tcp_port else "",
        "fsync": "on" if fsync else "off",
        "full_page_writes": "on" if fsync else "off",
    }
    return [word for name, value in chosen.items() for word in ("-c", f"{name}={value}")]


def _init_cluster(data_dir: DataDir, initdb: Path, cluster: Path, password: str) -> None:
    fresh = data_dir.path / "pg.new"
    shutil.rmtree(fresh, ignore_errors=True)  # of a start that was interrupted
    data_dir.subfolder(fresh.name)
    password_file = data_dir.path / "initdb.password"
    data_dir.write_private(password_file, password, for_account=True)
    account = data_dir.account
    try:
        done = subprocess.run(
            [
                *(initdb, "-D", fresh, "-E", "UTF8", "--locale=C", "-U", OWNER, f"--pwfile={password_file}"),
                *("--auth-local=scram-sha-256", "--auth-host=scram-sha-256", "--no-instructions", "--no-sync"),
            ],
            env=_ENV,
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    finally:
        password_file.unlink()
    if done.returncode != 0:
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise StackFailed(f"initdb failed: {words[-1] if words else done.returncode}")
    os.sync()  # initdb need not wait for each of its thousand files
    fresh.rename(cluster)


def _check_socket_path(folder: Path) -> None:
    length = len(os.fsencode(folder / f".s.PGSQL.{65535}"))
    if length > _SOCKET_PATH_LIMIT:
        raise StackFailed(
            f"DATA_DIR {folder.parent} is {length - _SOCKET_PATH_LIMIT} bytes too long for a Unix socket in it: "
            "set UNDERCROFT_DATA_DIR to a shorter path"
        )


def _check_version(cluster: Path, programs: Path) -> None:
    made_by = (cluster / "PG_VERSION").read_text(encoding="utf-8").strip()
    words = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    major = words.split()[-1].split(".")[0]
    if made_by != major:
        raise StackFailed(f"{cluster} was made by PostgreSQL {made_by}, the installed one is {major}: dump and restore")


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    fatal = [line for line in lines if "FATAL" in line or "ERROR" in line]
    return (fatal or lines or ["it wrote nothing"])[-1]
