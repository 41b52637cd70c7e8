"""Where things stand in a TOML text: by hand, and by texts in which every value is the number of its own line."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undercroft.site.lines import LineIndex, Path

TEXT = """\
# a comment
name = "x" # [[space]] in a comment
"dotted 键".part.'literal' = 1

[district]
text = \"\"\"
[[space]]
no = 1
\"\"\"
after = 2

[[space]]
id = "a"
storage = [
  # a comment, with a ]
  { depth_m = 0, area_m2 = [1, 2] },
  { depth_m = 1, area_m2 = 4 }, { depth_m = 2 },
]
barrier.height_m = 0.6

[[space.entrances]]
id = "n"

[[space.entrances]]
id = "s"
[space.entrances.barrier]
height_m = 1

[[space]]
[[space.entrances]]
width_m = 6
"""

BY_HAND: list[tuple[Path, int]] = [
    ((), 1),
    (("name",), 2),
    (("dotted 键", "part", "literal"), 3),
    (("dotted 键", "part"), 3),
    (("district",), 5),
    (("district", "text"), 6),
    (("district", "after"), 10),
    (("space",), 12),
    (("space", 0), 12),
    (("space", 0, "id"), 13),
    (("space", 0, "storage"), 14),
    (("space", 0, "storage", 0, "area_m2", 1), 16),
    (("space", 0, "storage", 1, "depth_m"), 17),
    (("space", 0, "storage", 2, "depth_m"), 17),
    (("space", 0, "barrier", "height_m"), 19),
    (("space", 0, "entrances"), 21),
    (("space", 0, "entrances", 0, "id"), 22),
    (("space", 0, "entrances", 1), 24),
    (("space", 0, "entrances", 1, "barrier"), 26),
    (("space", 0, "entrances", 1, "barrier", "height_m"), 27),
    (("space", 1), 29),
    (("space", 1, "entrances", 0, "width_m"), 31),
]

ABSENT: list[tuple[Path, int]] = [
    (("space", 0, "floor_level_m"), 12),
    (("space", 0, "entrances", 1, "width_m"), 24),
    (("space", 1, "entrances", 0, "barrier", "height_m"), 30),
    (("nothing", 3, "at", "all"), 1),
]


@pytest.mark.parametrize(("path", "line"), BY_HAND + ABSENT)
def test_lines_by_hand(path: Path, line: int) -> None:
    tomllib.loads(TEXT)
    assert LineIndex(TEXT).line_of(path) == line


def _leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, int]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _leaves(inner, (*path, position))
    else:
        yield path, value


class _Writer:
    """Writes TOML in which every value is the number of the line it stands on."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._keys = 0
        self.lines: list[str] = []

    @property
    def _here(self) -> int:
        return len(self.lines) + 1

    def _key(self) -> str:
        self._keys += 1
        form = self._draw(st.sampled_from(["k{}", '"k {}"', "'k]{}'", "a{0} . b", '"键{}".c."d\\u00e9"', "{}-9"]))
        return form.format(self._keys)

    def pairs(self) -> None:
        for _ in range(self._draw(st.integers(0, 4))):
            self._draw(st.sampled_from([self._comment, self._plain, self._inline, self._array, self._text]))()

    def header(self, name: str) -> None:
        self.lines.append(f"{name} # header" if self._draw(st.booleans()) else name)
        self.pairs()

    def _comment(self) -> None:
        self.lines.extend(["", "# [[a]] x = 3"])

    def _plain(self) -> None:
        self.lines.append(f"{self._key()} = {self._here} # {self._here}")

    def _inline(self) -> None:
        here = self._here
        self.lines.append(f"{self._key()} = {{ a = {here}, b.c = {{ d = [{here}, {here}] }} }}")

    def _text(self) -> None:
        # Its value is on the line of the key, though it goes on for two more.
        self.lines.extend([f'{self._key()} = [{self._here}, """', "[x]", 'a = 1"""]'])

    def _array(self) -> None:
        self.lines.append(f"{self._key()} = [")
        for _ in range(self._draw(st.integers(0, 3))):
            self.lines.append("  # a comment ]")
            self.lines.append(f"  {{ x = {self._here} }}, [{self._here}],")
        self.lines.append("]")


@st.composite
def _texts(draw: st.DrawFn) -> str:
    writer = _Writer(draw)
    writer.pairs()
    for number in range(draw(st.integers(0, 3))):
        writer.header(f"[table{number}]")
        if draw(st.booleans()):
            writer.header(f'[table{number}."in ner"]')
    for _ in range(draw(st.integers(0, 3))):
        writer.header("[[space]]")
        for _ in range(draw(st.integers(0, 3))):
            writer.header("[[ space . entrances ]]")
            if draw(st.booleans()):
                writer.header("[space.entrances.barrier]")
    return "\n".join(writer.lines) + "\n"


@given(_texts())
def test_every_value_is_found_on_its_line(text: str) -> None:
    index = LineIndex(text)
    for path, value in _leaves(tomllib.loads(text)):
        if isinstance(value, int):
            assert index.line_of(path) == value, path
