"""New ticks end before an import; ticks of the log are as they were."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from risk.pending import PendingTick, parted

AT = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)


def of(*up_to: int, is_recorded: bool = False) -> list[PendingTick]:
    return [PendingTick(5 + row, AT, number, 60 + row, is_recorded=is_recorded) for row, number in enumerate(up_to)]


@pytest.mark.parametrize(
    ("imports", "ends"),
    [
        ([], [20, 30]),
        ([15], [14, 20, 30]),
        ([15, 18], [14, 17, 20, 30]),
        ([15, 16], [14, 15, 20, 30]),
        ([11], [20, 30]),  # nothing came before it since the last tick
        ([20], [19, 20, 30]),
        ([21], [20, 30]),
        ([15, 25], [14, 20, 24, 30]),
    ],
)
def test_a_new_tick_is_parted_at_every_import_with_something_before_it(imports: list[int], ends: list[int]) -> None:
    parts = parted(of(20, 30), 10, imports)
    assert [part.up_to for part in parts] == ends
    assert [part.tick_seq for part in parts] == list(range(5, 5 + len(ends)))
    assert {part.tick_at for part in parts} == {AT}
    assert [(part.up_to, part.run_seq) for part in parts if part.run_seq] == [(20, 60), (30, 61)]


def test_a_tick_of_the_log_covers_what_it_covered() -> None:
    log = of(20, 30, is_recorded=True)
    assert parted(log, 10, [15]) == log
