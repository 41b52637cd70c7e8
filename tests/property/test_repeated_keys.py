"""Repeated keys are found wherever they stand, and nothing else is touched; Python's own slow parser says which."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from ingest.decode_native import load_json
from ingest.repeated_keys import TWICE

_STRINGS = st.text(st.sampled_from('ab":\\,{}[] \u00e9\x00'), max_size=4)
_WHITE = st.sampled_from(["", " ", "\n", "\t \r"])
_SCALARS = st.one_of(st.integers(-9, 9), st.booleans(), st.none(), _STRINGS).map(json.dumps)


def _object(pairs: list[tuple[str, bool, str]], white: str) -> str:
    """Write an object; a key may be written with its letters escaped."""
    keys = (
        "".join(f"\\u{ord(c):04x}" for c in key).join('""') if is_long else json.dumps(key) for key, is_long, _ in pairs
    )
    entries = [f"{white}{key}{white}:{white}{value}{white}" for key, (_, _, value) in zip(keys, pairs, strict=True)]
    return "{" + ",".join(entries) + "}"


_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda parts: "[" + ", ".join(parts) + "]"),
        st.builds(_object, st.lists(st.tuples(_STRINGS, st.booleans(), inner), max_size=5), _WHITE),
    ),
    max_leaves=20,
)


def _slowly(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [key for key, _ in pairs]
    return {key: TWICE if names.count(key) > 1 else value for key, value in pairs}


@given(_VALUES)
@example('{"a": 1, "b": "\\"", "a": 2}')
@example('{"a" : 1, "b": 2, "b": 3}')
@example('[{"a": {"b": 1, "b": 2}, "a": {"b": 1}}, {"a": 1}]')
@example('{"": 1, "": [{"a": 1, "a": 2}, "x"]}')
def test_every_repeated_key_is_marked_and_nothing_else(text: str) -> None:
    assert load_json(text.encode()) == json.loads(text, object_pairs_hook=_slowly)
