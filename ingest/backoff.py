"""How long to wait before the next try."""

from __future__ import annotations

import random

FIRST_S = 0.05
LONGEST_S = 5.0


class Backoff:
    """Exponential, with jitter so that workers that failed together do not return together.

    Waits double from `FIRST_S` to `LONGEST_S`; each is drawn between half and the whole of its bound.
    """

    def __init__(self, source: random.Random) -> None:
        self._source = source
        self._failures = 0

    def next_s(self) -> float:
        """Count a failure and return the wait. [s]"""
        bound = min(LONGEST_S, FIRST_S * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return bound * (0.5 + 0.5 * self._source.random())

    def reset(self) -> None:
        """Forget the failures: it worked."""
        self._failures = 0
