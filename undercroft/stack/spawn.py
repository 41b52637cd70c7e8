"""Starts child processes that end when this process ends, however it ends.

The kernel's parent-death signal is tied to the *thread* that started the child, so one thread, which lives as long as
this process, starts them all.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import IO

from undercroft.stack import launcher
from undercroft.stack.accounts import Account


@cache
def _starter() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawn")


def spawn(
    argv: Sequence[str],
    env: Mapping[str, str],
    *,
    account: Account | None = None,
    death_signal: signal.Signals = signal.SIGKILL,
    output: IO[bytes] | None = None,
    keep_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own.

    Parameters
    ----------
    argv
        The program's absolute path and its arguments.
    env
        Its whole environment.
    account
        Whom to run it as; None: as ourselves.
    death_signal
        What the kernel sends it when we are gone.
    output
        File for its standard output and error; None: ours.
    keep_fds
        Descriptors that it inherits.
    """
    uid, gid = (account.uid, account.gid) if account else (launcher.UNCHANGED, launcher.UNCHANGED)
    words = [str(os.getpid()), str(int(death_signal)), str(uid), str(gid), *argv]
    command = [sys.executable, "-I", "-S", str(Path(launcher.__file__)), *words]

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            start_new_session=True,
            pass_fds=tuple(keep_fds),
        )

    return _starter().submit(start).result()
