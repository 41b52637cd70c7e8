"""A device's time as it is written in payloads: RFC 3339 with an offset, or epoch milliseconds."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from ingest.reasons import Reason
from undercroft.errors import PayloadInvalid

MAX_EPOCH_MS = 8_640_000_000_000_000
"""Largest epoch of ECMA-262 section 21.4.1.1; beyond it a number is no time at all. [ms]"""

_RFC3339 = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}):(\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2})",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@lru_cache(maxsize=8192)
def rfc3339_us(text: str) -> int:
    """Read an RFC 3339 time; a leap second is the last microsecond before the next minute. [µs since 1970]

    Raises
    ------
    PayloadInvalid
        With reason ``bad_timestamp``.

    Examples
    --------
    >>> rfc3339_us("1970-01-01T08:00:01.5+08:00")
    1500000
    """
    match = _RFC3339.fullmatch(text) if len(text) <= 64 else None
    if match is None:
        raise PayloadInvalid(Reason.BAD_TIMESTAMP, f"observed_at {text[:40]!r} is not RFC 3339 with an offset")
    day, minute, second, fraction, offset = match.groups(default="")
    if second == "60":
        second, fraction = "59", ".999999"
    try:
        moment = datetime.fromisoformat(f"{day}T{minute}:{second}{fraction[:7]}{offset.upper()}")
        return (moment - _EPOCH) // _MICROSECOND
    except ValueError as error:
        raise PayloadInvalid(Reason.BAD_TIMESTAMP, f"observed_at {text[:40]!r}: {error}") from error


def timestamp_us(value: object) -> int:
    """Read ``observed_at`` as it stands in a payload. [µs since 1970]

    Raises
    ------
    PayloadInvalid
        With reason ``bad_timestamp``.
    """
    if type(value) is str:
        return rfc3339_us(value)
    if type(value) is int or (type(value) is float and math.isfinite(value)):
        if abs(value) <= MAX_EPOCH_MS:
            return value * 1000 if type(value) is int else round(value * 1000)
        raise PayloadInvalid(Reason.BAD_TIMESTAMP, f"observed_at {value!r} is beyond any epoch in milliseconds")
    raise PayloadInvalid(Reason.BAD_TIMESTAMP, f"observed_at is a JSON {type(value).__name__}")
