"""Which run clocks are heard."""

from __future__ import annotations

import json

import pytest

from ingest.reasons import Reason
from ingest.run_clock import decode_run_clock
from undercroft.errors import PayloadInvalid


@pytest.mark.parametrize(
    "now", ["0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00", "1969-12-31T23:59:59Z", "2200-01-01T00:00:00Z"]
)
def test_a_clock_that_nobody_can_show_is_refused(now: str) -> None:
    with pytest.raises(PayloadInvalid, match="none from 1970 to 2199") as refused:
        decode_run_clock(json.dumps({"now": now, "seq": 1}).encode())
    assert refused.value.reason == Reason.BAD_RUN_CLOCK


def test_the_last_second_that_is_heard() -> None:
    assert decode_run_clock(b'{"now": "2199-12-31T23:59:59Z", "seq": 1}').now_us == 7_258_118_399_000_000
