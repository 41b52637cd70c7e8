"""The colours of all spaces at once are those of each by itself, and no space is looked at by itself in a tick."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk import warnings
from risk.arrays import SiteArrays
from risk.warnings import COLOUR_RANK, RainWarning, colour_of_spaces, covers
from tests.unit.risk.builders import NAMES, START, site, space

ARRAYS = SiteArrays.from_site(
    site(
        space("a", "car_park", basin="b1"),
        space("b", "mall", basin="b2", street="Meilin"),
        space("c", "underpass", basin="b1", street="Meilin"),
        space("d", "metro_entrance", basin="b2"),
        basin=[{"id": name, **NAMES} for name in ("b1", "b2", "b3")],
    ),
    START,
)

some_warnings = st.builds(
    RainWarning,
    colour=st.sampled_from(sorted(COLOUR_RANK)),
    basins=st.lists(st.sampled_from(["b1", "b2", "b3", "gone"]), max_size=2).map(tuple),
    streets=st.lists(st.sampled_from(["Futian", "Meilin", "gone"]), max_size=2).map(tuple),
    author=st.just("Sun"),
    acted_us=st.just(0),
    spaces=st.lists(st.sampled_from(["a", "d", "gone"]), max_size=2).map(tuple),
)


@given(st.lists(some_warnings, max_size=4))
def test_all_spaces_at_once_are_each_by_itself(found: list[RainWarning]) -> None:
    in_force = {f"warning/{n}": warning for n, warning in enumerate(found)}
    each = [
        max((COLOUR_RANK[w.colour] for w in found if covers(w, ARRAYS, row)), default=0)
        for row in range(ARRAYS.n_spaces)
    ]
    assert colour_of_spaces(in_force, ARRAYS).tolist() == each


def test_no_space_is_asked_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_loop(*_: object) -> bool:
        raise AssertionError("a loop over spaces")

    monkeypatch.setattr(warnings, "covers", no_loop)
    monkeypatch.setattr(warnings, "_covers_all", lambda *_: False)
    warning = RainWarning("red", ("b1",), (), "Sun", 0)
    found = colour_of_spaces({"1": warning, "2": replace(warning, colour="yellow", basins=("b2",))}, ARRAYS)
    assert np.array_equal(found, [3.0, 1.0, 3.0, 1.0])
