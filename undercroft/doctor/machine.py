"""Checks of the machine: room on its disks, versions, and whether anything holds its clock to the true time."""

from __future__ import annotations

import ctypes
import errno
import platform
import shutil
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from undercroft.doctor.finding import Finding, bad, good, note

LEAST_FREE_SHARE = 0.10
LEAST_FREE_BYTES = 2 * 10**9
MOST_CLOCK_ERROR_S = 1.0
_ADJTIMEX = {"x86_64": 159, "aarch64": 171}
"""Number of the system call: the C library's asks for a right to set the clock, which a container has not."""
_UNSYNCHRONISED = 0x0040


def check_disks(folders: Sequence[Path]) -> list[Finding]:
    """Return how much room there is where each folder is, or would be; in a container, of what is mounted there."""
    return [_disk(folder) for folder in folders]


def _disk(folder: Path) -> Finding:
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    usage = shutil.disk_usage(there)
    share = usage.free / usage.total if usage.total else 0.0
    seen = f"{usage.free / 1e9:.1f} GB ({share:.0%}) free at {there}"
    if usage.free < LEAST_FREE_BYTES or share < LEAST_FREE_SHARE:
        return bad("disk", seen, "make room: PostgreSQL stops at a full disk, and readings queue at the broker")
    return good("disk", seen)


def check_versions() -> list[Finding]:
    """Return which Undercroft this is, and on which Python."""
    return [good("undercroft", f"{version('undercroft')} on Python {platform.python_version()}")]


class _Timex(ctypes.Structure):
    """The head of the kernel's ``struct timex``; what follows is not read."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def check_clock() -> list[Finding]:
    """Return whether the kernel says that its clock is held to the true time; containers share it with the host."""
    number = _ADJTIMEX.get(platform.machine())
    if platform.system() != "Linux" or number is None:
        return [judge_clock(None, 0.0, 0)]
    told = _Timex()
    state = ctypes.CDLL(None, use_errno=True).syscall(number, ctypes.byref(told))
    if state < 0:
        return [judge_clock(None, 0.0, ctypes.get_errno())]
    return [judge_clock(not told.status & _UNSYNCHRONISED, told.maxerror / 1e6, 0)]


def judge_clock(is_held: bool | None, error_s: float, failure: int) -> Finding:
    """Return what the kernel's word means: is the clock held (None: it does not tell), and its greatest error. [s]"""
    if is_held is None:
        why = errno.errorcode.get(failure, "not on this system")
        return note("true time", f"the kernel does not tell ({why})", "see on the host: timedatectl, chronyc tracking")
    if not is_held:
        advice = "run chrony (with rtcsync) or systemd-timesyncd on the host, not in a container"
        return bad("true time", "nothing holds this machine's clock to the true time", advice)
    if error_s > MOST_CLOCK_ERROR_S:
        return bad("true time", f"this machine's clock may be {error_s:.1f} s off", "see chronyc tracking on the host")
    return good("true time", f"this machine's clock is held, at most {error_s * 1000:.0f} ms off")
