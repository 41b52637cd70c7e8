"""The real service on a free port, as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

READY_S = 20.0


@contextmanager
def running_api(database_url: str, port: int = 0) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run `undercroft api`; give its address and process, and end it with SIGTERM."""
    environment = {**os.environ, "UNDERCROFT_DATABASE_URL": database_url, "UNDERCROFT_API_PORT": str(port)}
    process = subprocess.Popen(
        [sys.executable, "-m", "undercroft", "api"], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("undercroft api: http://"), line
        yield line.split(": ", 1)[1].strip(), process
    finally:
        process.terminate()
        try:
            process.wait(10)
        finally:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
