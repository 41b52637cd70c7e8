"""The real service on a free port, as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

READY_S = 20.0


@contextmanager
def running_api(
    database_url: str, port: int = 0, settings: Mapping[str, str] | None = None
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run `undercroft api`, with further settings by name; give its address and process, and end it with SIGTERM."""
    environment = {**os.environ, "UNDERCROFT_DATABASE_URL": database_url, "UNDERCROFT_API_PORT": str(port)}
    environment |= {f"UNDERCROFT_{name.upper()}": value for name, value in (settings or {}).items()}
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
