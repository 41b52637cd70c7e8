from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undercroft.topic_filters import filter_matches, filters_overlap, is_sound_filter

_LEVELS = st.lists(st.sampled_from(["a", "b", "", "+"]), min_size=1, max_size=4)
_FILTERS = st.tuples(_LEVELS, st.booleans()).map(lambda parts: "/".join([*parts[0], *(["#"] if parts[1] else [])]))
_TOPICS = st.lists(st.sampled_from(["a", "b", ""]), min_size=1, max_size=5).map("/".join)


@pytest.mark.parametrize(
    ("topic_filter", "topic", "is_match"),
    [  # MQTT 3.1.1 section 4.7.1.2 and 4.7.1.3, their examples
        ("sport/tennis/player1/#", "sport/tennis/player1", True),
        ("sport/tennis/player1/#", "sport/tennis/player1/ranking", True),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", True),
        ("sport/#", "sport", True),
        ("sport/tennis/+", "sport/tennis/player1", True),
        ("sport/tennis/+", "sport/tennis/player1/ranking", False),
        ("sport/+", "sport", False),
        ("sport/+", "sport/", True),
        ("+/+", "/finance", True),
        ("/+", "/finance", True),
        ("+", "/finance", False),
    ],
)
def test_examples_of_the_standard(topic_filter: str, topic: str, is_match: bool) -> None:
    assert is_sound_filter(topic_filter)
    assert filter_matches(topic_filter, topic) is is_match


@pytest.mark.parametrize("text", ["sport/tennis#", "sport/tennis/#/ranking", "sport+", "", "a\0b", "#/#", "##"])
def test_what_is_no_filter(text: str) -> None:
    assert not is_sound_filter(text)


@given(_FILTERS, _FILTERS, _TOPICS)
def test_filters_that_share_a_topic_overlap(one: str, other: str, topic: str) -> None:
    if filter_matches(one, topic) and filter_matches(other, topic):
        assert filters_overlap(one, other)
    assert filters_overlap(one, other) == filters_overlap(other, one)
