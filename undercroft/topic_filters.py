"""MQTT topic filters: whether one is sound, what it matches, and whether two of them meet (MQTT 3.1.1, section 4.7)."""

from __future__ import annotations

from collections.abc import Sequence


def is_sound_filter(topic_filter: str) -> bool:
    """Tell whether a broker will take a filter.

    Examples
    --------
    >>> [is_sound_filter(text) for text in ("a/+/b", "a/#", "a/#/b", "a+/b", "")]
    [True, True, False, False, False]
    """
    levels = topic_filter.split("/")
    if not topic_filter or len(topic_filter.encode()) > 65_535 or "\0" in topic_filter:
        return False
    if "#" in topic_filter and (levels[-1] != "#" or topic_filter.count("#") > 1):
        return False
    return all(level == "+" or "+" not in level for level in levels)


def filter_matches(topic_filter: str, topic: str) -> bool:
    """Tell whether a topic falls under a filter.

    Examples
    --------
    >>> filter_matches("application/+/device/+/event/up", "application/1/device/2/event/up")
    True
    >>> filter_matches("a/#", "a")
    True
    """
    return _meets(topic_filter.split("/"), topic.split("/"))


def filters_overlap(one: str, other: str) -> bool:
    """Tell whether a topic can fall under both filters.

    Examples
    --------
    >>> filters_overlap("a/+/c", "a/b/#"), filters_overlap("a/+", "a/b/c")
    (True, False)
    """
    return _meets(one.split("/"), other.split("/"))


def _meets(one: Sequence[str], other: Sequence[str]) -> bool:
    for position in range(max(len(one), len(other)) + 1):
        mine = one[position] if position < len(one) else None
        theirs = other[position] if position < len(other) else None
        if mine == "#" or theirs == "#":
            return True
        if mine is None or theirs is None:
            return mine is theirs
        if "+" not in {mine, theirs} and mine != theirs:
            return False
    return True
