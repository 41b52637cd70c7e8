"""Memory of a process and all its descendants, shared pages counted once (PSS)."""

from __future__ import annotations

import psutil


def tree_pss_bytes(pid: int) -> int:
    """Sum the proportional set size over a process and everything it started. [bytes]

    A process that ends, or changes its user, while it is being read counts with what could be read.
    """
    root = psutil.Process(pid)
    total = 0
    for process in (root, *root.children(recursive=True)):
        try:
            total += process.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return total
