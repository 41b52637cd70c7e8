"""What a killed instance leaves in DATA_DIR. We hold its lock, so nobody but us has a right to a server there."""

from __future__ import annotations

from pathlib import Path

import psutil

_END_GRACE_S = 20.0


def end_leftover_postgres(cluster: Path, socket_folder: Path) -> None:
    """End a server that outlived its supervisor, or forget a process number that is somebody else's by now.

    PostgreSQL refuses to start when the process named in ``postmaster.pid`` lives, whatever it is; in a container
    numbers come round soon.
    """
    pid_file = cluster / "postmaster.pid"
    try:
        pid = int(pid_file.read_text(encoding="utf-8").split("\n", maxsplit=1)[0])
    except (FileNotFoundError, ValueError):
        return
    server = _server_process(pid, cluster)
    if server is not None:
        server.terminate() if server.status() == psutil.STATUS_STOPPED else server.send_signal(2)
        try:
            server.wait(_END_GRACE_S)
        except psutil.TimeoutExpired:
            server.kill()
            server.wait(_END_GRACE_S)
    pid_file.unlink(missing_ok=True)
    for lock_file in socket_folder.glob(".s.PGSQL.*.lock"):
        lock_file.unlink(missing_ok=True)


def _server_process(pid: int, cluster: Path) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
        return process if str(cluster) in process.cmdline() else None
    except psutil.NoSuchProcess:
        return None
