"""JSON that no tree of Python says: nested as deep as the parser goes, numbers of thousands of digits, a key twice.

A tree holds a stand-in for each, and `encoded` puts the text in its place.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import strategies as st

PARSED_DEPTH = 1_024
"""What orjson reads; beyond it the payload is no JSON."""
_THREAD_FRAMES = 1_000
"""Python's limit, which a lane's thread has nearly whole; Hypothesis raises it."""


def nested(depth: int, opening: str = "[", closing: str = "]") -> str:
    """Return a value within so many others."""
    return opening * depth + "1" + closing * depth


TEXTS = (
    *(nested(depth) for depth in (900, 990, 1_005, PARSED_DEPTH - 4, PARSED_DEPTH + 1)),
    *(nested(depth, '{"a":', "}") for depth in (990, PARSED_DEPTH - 4)),
    nested(500, '[{"a":', "}]"),
    *("9" * 5_000, "-" + "9" * 309, "18446744073709551615", "18446744073709551616", "-9223372036854775809"),
    *("0." + "3" * 5_000, "1e400", "-1e400", "1.7976931348623157e308", "5e-324", "1e-400", "-0.0", "NaN", "-Infinity"),
    *('"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\\ufeff"', f'"{"x" * 5_000}"', '"\\ud83d\\ude00"'),
    *('{"a": 1, "a": [1]}', '{"": 1}', f'{{"{"k" * 5_000}": 1}}', '{"a_": 1, "\\u0000": 2}'),
    f"[{','.join('1' * 3_000)}]",
    "{" + ",".join(f'"k{n}": {n}' for n in range(3_000)) + "}",
)
ODD = st.integers(0, len(TEXTS) - 1).map("\ue000{}\ue001".format)
"""Stand-ins for `TEXTS`."""
_STAND_IN = re.compile(r'"\\ue000(\d+)\\ue001"')


def encoded(tree: object) -> bytes:
    """Return a tree as JSON, the texts in place of their stand-ins."""
    return _STAND_IN.sub(lambda match: TEXTS[int(match[1])], json.dumps(tree)).encode()


@contextmanager
def as_on_a_lane() -> Iterator[None]:
    """Leave so many frames as a lane's thread has."""
    before, frame, depth = sys.getrecursionlimit(), sys._getframe(), 0
    while frame.f_back is not None:
        frame, depth = frame.f_back, depth + 1
    sys.setrecursionlimit(depth + _THREAD_FRAMES)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
