"""Starts one program that must not outlive its parent: ``launcher.py PARENT_PID SIGNAL UID GID PROGRAM ARGUMENT...``.

Run by path with ``python -I -S``, it imports the standard library only. It gives up root where a uid is given, asks the
kernel for SIGNAL when the parent ends, and becomes PROGRAM. (A ``preexec_fn`` could do the same, but is not safe in a
process with threads.)
"""

from __future__ import annotations

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1
UNCHANGED = -1
"""In place of a uid and gid: stay who we are."""


def main(arguments: list[str]) -> None:
    """Become the program; never returns."""
    parent_pid, death_signal, uid, gid = (int(word) for word in arguments[:4])
    program = arguments[4:]
    if uid != UNCHANGED:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)  # after setuid, which clears it
    if os.getppid() != parent_pid:
        sys.exit(f"{program[0]}: parent {parent_pid} is gone")
    os.execv(program[0], program)  # noqa: S606 - becoming the program is the purpose


if __name__ == "__main__":
    main(sys.argv[1:])
