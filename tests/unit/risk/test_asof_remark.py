"""A time that no tick was taken for is remarked on, not answered as if one had been."""

from __future__ import annotations

from datetime import timedelta

import pytest

from risk.asof import behind
from tests.unit.risk.builders import START


@pytest.mark.parametrize(("after_s", "told"), [(0, ""), (60, ""), (61, "1 min older"), (90 * 86_400, "2160.0 h older")])
def test_the_age_of_the_tick_is_told_beyond_a_minute(after_s: int, told: str) -> None:
    remark = behind({"tick_at": START}, START + timedelta(seconds=after_s))
    assert (told in remark) if told else remark == ""
