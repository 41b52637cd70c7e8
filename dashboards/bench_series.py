"""Simulated days for ``undercroft bench query``, from the simulator's own command: parts never import each other."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Sequence

from undercroft.errors import BadInput
from undercroft.store.bench import Series

SEEDS = (1, 2, 3)
"""Storms of five, twenty and a hundred years, by turns."""


def simulated_days(sensors: int, seeds: Sequence[int] = SEEDS) -> list[Series]:
    """Return a day for each seed: ``undercroft bench series``.

    Raises
    ------
    BadInput
        If the simulator refuses, with what it says.
    """
    return [_day(sensors, seed) for seed in seeds]


def _day(sensors: int, seed: int) -> Series:
    words = [sys.executable, "-m", "undercroft", "bench", "series", "--sensors", str(sensors), "--seed", str(seed)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BadInput(f"undercroft bench series --sensors {sensors} --seed {seed}: {done.stderr.strip()}")
    return [
        (device, quantity, int(ms), float(value))
        for device, quantity, ms, value in csv.reader(done.stdout.splitlines())
    ]
