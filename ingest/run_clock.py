"""The run clock of an exercise: ``{"now": RFC 3339, "seq": n}`` on ``exercise/v1/{district}/run/clock``."""

from __future__ import annotations

from typing import NamedTuple, NoReturn

from ingest.decode_native import MAX_SEQ, load_object
from ingest.reasons import Reason
from ingest.timestamps import rfc3339_us
from undercroft.errors import PayloadInvalid

LAST_US = 7_258_118_400_000_000
"""2200-01-01T00:00:00Z. Times beyond are more than a database or a time zone can always show. [µs since 1970]"""


class RunClock(NamedTuple):
    """What time it is in a run."""

    now_us: int
    seq: int


def decode_run_clock(payload: bytes) -> RunClock:
    """Decode a run clock.

    Raises
    ------
    PayloadInvalid
        With reason ``bad_run_clock``.

    Examples
    --------
    >>> decode_run_clock(b'{"now": "1970-01-01T00:01:00Z", "seq": 1}')
    RunClock(now_us=60000000, seq=1)
    """
    try:
        body = load_object(payload)
        now, seq = body.pop("now", None), body.pop("seq", None)
        if body or type(now) is not str or type(seq) is not int or not 0 <= seq <= MAX_SEQ:
            return _refuse("its keys are now, RFC 3339, and seq, an integer from 0")
        now_us = rfc3339_us(now)
        if not 0 <= now_us < LAST_US:
            return _refuse("its time is none from 1970 to 2199")
        return RunClock(now_us, seq)
    except PayloadInvalid as error:
        raise PayloadInvalid(Reason.BAD_RUN_CLOCK, error.detail) from error


def _refuse(detail: str) -> NoReturn:
    raise PayloadInvalid(Reason.BAD_RUN_CLOCK, detail)
