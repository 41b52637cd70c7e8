"""Runs ``undercroft up`` as its users do, and waits for what it says."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import psutil
import pytest

_TRIAL = "import subprocess, sys, undercroft.cli; subprocess.run([sys.executable, '-c', ''], check=True)"
RUNNING = "running; Ctrl-C ends it"


@dataclass
class Up:
    """A running ``undercroft up``."""

    process: subprocess.Popen[str]
    data_dir: Path
    lines: list[str] = field(default_factory=list)

    def until(self, pattern: str) -> str:
        """Return the next line that matches; the test's own timeout is the deadline."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if re.search(pattern, line):
                return line.rstrip()
        raise AssertionError("\n".join(["it ended:", *self.lines]))

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(number)
        assert self.process.stdout is not None
        self.lines += self.process.stdout.read().splitlines()
        return self.process.wait()

    def services(self) -> dict[str, psutil.Process]:
        """Return the children by the last word that says what they are."""
        found = {}
        for child in psutil.Process(self.process.pid).children():
            words = " ".join(child.cmdline())
            name = re.search(r"undercroft (ingest|risk|duty|api|canary|watch)|broker_main|bin/postgres", words)
            if name:
                found[name.group(1) or name.group(0).rpartition("/")[2]] = child
        return found


@contextmanager
def short_folder() -> Iterator[Path]:
    """A folder with a short path: a Unix socket lies in it."""
    with tempfile.TemporaryDirectory(prefix="uc-", dir="/tmp") as folder:
        yield Path(folder)


def up_command(*words: str) -> list[str]:
    """Return the command line; the broker's port is any free one unless another is named."""
    given = [*words] if "--mqtt-port" in words else [*words, "--mqtt-port", "0"]
    return [sys.executable, "-P", "-m", "undercroft", "up", *given]


def environment(data_dir: Path, **extra: str) -> dict[str, str]:
    """Return our environment without Undercroft's own variables, but for these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UNDERCROFT_")}
    return {**kept, "UNDERCROFT_DATA_DIR": str(data_dir), "UNDERCROFT_API_PORT": "0", **extra}


@contextmanager
def running_up(data_dir: Path, *words: str, prefix: tuple[str, ...] = (), **extra: str) -> Iterator[Up]:
    """Start it; it is killed at the end if the test did not end it."""
    with subprocess.Popen(
        [*prefix, *up_command(*words)],
        env=environment(data_dir, **extra),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
    ) as process:
        try:
            yield Up(process, data_dir)
        finally:
            if process.poll() is None:
                process.kill()


@cache
def as_nobody() -> tuple[str, ...]:
    """Return the words that run a command as an ordinary user who can read this checkout and its Python.

    Where a closed folder lies above them the user is given the one capability to read past it: what is tested is a user
    who is not root.
    """
    if os.geteuid() != 0:
        return ()
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("setpriv is not installed")
    plain = (setpriv, "--reuid=nobody", "--regid=nogroup", "--clear-groups")
    for capabilities in ("-all", "-all,+dac_read_search", "-all,+dac_override"):
        words = (*plain, f"--inh-caps={capabilities}", f"--ambient-caps={capabilities}", "--bounding-set=+all")
        command = [*words, sys.executable, "-P", "-c", _TRIAL]
        if subprocess.run(command, cwd="/", capture_output=True, check=False).returncode == 0:
            return words
    pytest.skip("no ordinary user can reach this checkout")
