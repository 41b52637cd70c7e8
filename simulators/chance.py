"""Chance that is the same every time: numbers drawn from a hash of what they are for."""

from __future__ import annotations

import hashlib


def drawn(*key: object) -> float:
    """Return a number in [0, 1) that depends on the key alone.

    Examples
    --------
    >>> drawn("phase", 1) == drawn("phase", 1) != drawn("phase", 2)
    True
    """
    digest = hashlib.sha256("/".join(map(str, key)).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
