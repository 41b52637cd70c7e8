"""Checks of the machine: disk and versions."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from undercroft.doctor.finding import Finding, bad, good

LEAST_FREE_SHARE = 0.10
LEAST_FREE_BYTES = 2 * 10**9


def check_disk(folder: Path) -> list[Finding]:
    """Return how much room there is where a folder is, or would be."""
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    usage = shutil.disk_usage(there)
    share = usage.free / usage.total
    seen = f"{usage.free / 1e9:.1f} GB ({share:.0%}) free at {there}"
    if usage.free < LEAST_FREE_BYTES or share < LEAST_FREE_SHARE:
        return [bad("disk", seen, "make room: PostgreSQL stops at a full disk, and readings queue at the broker")]
    return [good("disk", seen)]


def check_python() -> list[Finding]:
    """Return the interpreter's version."""
    return [good("python", ".".join(map(str, sys.version_info[:3])))]
