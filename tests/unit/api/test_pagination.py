"""Cursors come back as they went out, and nothing else is taken for one."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.alarms.schemas import AlarmEventRank
from api.errors import CursorInvalid
from api.params import sensor_key, split_sensor_key
from api.spaces.schemas import SpaceRank


@given(
    st.integers(0, 2**62),
    st.integers(0, 4),
    st.floats(0, 100),
    st.from_regex(r"[a-z0-9][a-z0-9-]{0,39}", fullmatch=True),
)
def test_cursor_round_trip(as_of: int, level: int, score: float, space_id: str) -> None:
    rank = SpaceRank(as_of=as_of, level=level, score=score, space_id=space_id)
    text = rank.encode()
    assert SpaceRank.decode(text) == rank
    assert text.isascii()
    assert "=" not in text


@given(st.text(alphabet="abcdefXYZ0189-_", max_size=60))
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(CursorInvalid):
        SpaceRank.decode(text)


def test_cursor_of_another_listing_is_refused() -> None:
    with pytest.raises(CursorInvalid):
        SpaceRank.decode(AlarmEventRank(tick_seq=1, subject="space/a", event_no=1).encode())


def test_not_a_number_is_refused() -> None:
    text = base64.urlsafe_b64encode(b'{"as_of":1,"level":1,"score":NaN,"space_id":"a"}').decode().rstrip("=")
    with pytest.raises(CursorInvalid):
        SpaceRank.decode(text)


def test_no_cursor_is_the_first_page() -> None:
    assert SpaceRank.decode(None) is None


@pytest.mark.parametrize("key", ["d1:water_depth_m", "d1/north:stock_sand-bag"])
def test_sensor_key_round_trip(key: str) -> None:
    assert sensor_key(**split_sensor_key(key)) == key
