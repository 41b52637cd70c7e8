"""RFC 3339 and epoch milliseconds. Expected values by `date -u -d @N`."""

from __future__ import annotations

import pytest

from ingest.reasons import Reason
from ingest.timestamps import MAX_EPOCH_MS, timestamp_us
from undercroft.errors import PayloadInvalid


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:00z", 0),
        ("1970-01-01 08:00:00+08:00", 0),
        ("2001-09-09T01:46:40Z", 1_000_000_000),
        ("2001-09-09T01:46:40.25Z", 1_000_000_000.25),
        ("2001-09-09T01:46:40.1234569Z", 1_000_000_000.123456),
        ("2016-12-31T23:59:60Z", 1_483_228_799.999999),
        ("1969-12-31T23:59:59Z", -1),
        (1_000_000_000_000, 1_000_000_000),
        (1_000_000_000_000.5, 1_000_000_000.0005),
        (-1, -0.001),
    ],
)
def test_read(written: object, seconds: float) -> None:
    assert timestamp_us(written) == round(seconds * 1_000_000)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "20260701T000000Z",
        "2026-W01-1T00:00:00Z",
        "2026-07-01",
        "2026-07-01T24:00:00Z",
        "2026-07-01T00:61:00Z",
        "2026-07-01T00:00:61Z",
        "2026-07-01T00:00:00+0800",
        "2026-07-01T00:00:00,5Z",
        "2026-07-01T00:00:00+24:00",
        "0000-01-01T00:00:00Z",
        "\u0662026-07-01T00:00:00Z",
        "2026-07-01T00:00:00Z" + "0" * 60,
        MAX_EPOCH_MS + 1,
        -MAX_EPOCH_MS - 1,
        True,
        None,
        {},
    ],
)
def test_refuse(written: object) -> None:
    with pytest.raises(PayloadInvalid) as caught:
        timestamp_us(written)
    assert caught.value.reason == Reason.BAD_TIMESTAMP
