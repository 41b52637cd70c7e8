"""What people are sent: short enough for every channel, whole where it matters, alike things said once."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from duty.incidents.incidents import AlarmNote
from duty.model import Reason
from duty.telling.decide import Cause
from duty.telling.texts import MOST_BYTES, Named, Style, write
from tests.unit.duty.kit import at
from undercroft.model import SpaceKind

WARNING = ("暴雨橙色预警生效", "Rain warning in force: orange")
NAMES = {f"space/c{n}": Named(f"某某花园{n}号地下车库", f"Garden {n} car park", SpaceKind.CAR_PARK) for n in range(60)}
STYLE = Style(NAMES, ZoneInfo("Asia/Shanghai"), exercise=True)


def body(*notes: AlarmNote, reason: Reason = Reason.FIRST) -> str:
    cause = Cause("north-20260701T155000Z", 1, at(0), notes[0].severity, (reason,), notes)
    return write(cause, reason, Named("北片", "North"), STYLE).body


def warned(count: int) -> tuple[AlarmNote, ...]:
    return tuple(AlarmNote(f"space/c{n}", 1, 2, at(0), text_zh=WARNING[0], text_en=WARNING[1]) for n in range(count))


def test_a_warning_for_a_basin_is_said_once_with_the_places_it_covers() -> None:
    said = body(*warned(9))
    assert said.count(WARNING[1]) == 1
    assert said.count("→") == 2  # what to do in a car park, in two languages
    assert all(NAMES[f"space/c{n}"].name_en in said for n in range(9))
    assert "more" not in said


@pytest.mark.parametrize("count", [1, 8, 20, 60])
def test_it_fits_and_its_end_is_never_cut(count: int) -> None:
    said = body(*warned(count))
    assert len(said.encode()) <= MOST_BYTES
    assert said.endswith("请立即确认（接警）。 Please acknowledge now.\n编号 ref north-20260701T155000Z#1")
    named = sum(f"Garden {n} car park" in said for n in range(count))
    assert named >= min(count, 8)
    assert (f"and {count - named} more" in said) == (named < count)


def test_the_worst_stands_first_and_keeps_its_own_words() -> None:
    red = AlarmNote("space/c59", 1, 4, at(0), text_zh="水深 30 cm", text_en="depth 30 cm")
    said = body(red, *warned(50))
    assert said.index("depth 30 cm") < said.index(WARNING[1])
    assert "STAY OUT" in said


def test_a_milder_reason_stands_beside_the_worst_where_every_place_finds_room() -> None:
    red = AlarmNote("space/c59", 1, 4, at(0), text_zh="水深", text_en="60 cm", also_zh=WARNING[0], also_en=WARNING[1])
    lines = body(red).splitlines()
    assert lines.index("  水深  60 cm") + 1 == lines.index(f"  并有 also: {WARNING[0]}  {WARNING[1]}")
    said = body(red, *warned(50))
    assert ("60 cm" in said, "also:" in said, "more" in said) == (True, False, True)
