"""The last minute at which an order still has the barriers up, on the boards: what is too late, unknown, not needed."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from dashboards.facts import DEADLINE_WORDS
from dashboards.house import DEADLINES
from tests.contract.flavours import slow_on_timescale
from tests.contract.moments import END, HOUR, MINUTE, asked, each_alone
from undercroft.store.connection import Connection


def judged(
    db: Connection, seq: int, at: datetime, ahead: dict[str, Any] | None, *, space: str = "p", blind: bool = False
) -> None:
    db.execute(
        "insert into assessment (space_id, tick_seq, tick_at, level, score, blind, reasons, contributions, evidence)"
        " values (%s, %s, %s, 0, 0, %s, '[]', '{}', %s)",
        (space, seq, at, blind, json.dumps({"ahead": ahead})),
    )


def ahead(
    at: datetime, orange: tuple[str, float | None], red: tuple[str, float | None], members: float | None = 0.5
) -> dict[str, Any]:
    return {
        "made_at": at.isoformat(), "order": orange[0], "last_order_min": orange[1],
        "order_red": red[0], "last_order_red_min": red[1],
        "orange": {"members_60": members, "earliest_min": 9.0}, "red": {"members_60": members},
    }  # fmt: skip


def shown(db: Connection, until: datetime, space: str = "p") -> tuple[Any, ...]:
    (row,) = asked(db, "barrier_deadlines", until - HOUR, until, space=[space])
    words = (DEADLINE_WORDS[row["orange"]], DEADLINE_WORDS[row["red"]])
    return *words, row["orange_left_min"], row["red_left_min"], row["made_age_s"], row["judged_age_s"]


def minutes_run_down_and_then_the_order_is_due(db: Connection) -> None:
    """Made at 0 min: by 8.8 min before orange, by 12 before red."""
    judged(db, 1, END, ahead(END, ("by", 8.8), ("by", 12.0)))
    assert shown(db, END) == ("by", "by", 8.8, 12.0, 0.0, 0.0)
    assert shown(db, END + 9 * MINUTE) == ("now", "by", 0.0, 3.0, 540.0, 540.0)
    assert shown(db, END + 10 * MINUTE)[:4] == ("unknown", "unknown", None, None), "said ten minutes ago"
    assert shown(db, END + 2 * HOUR) == ("unknown", "unknown", None, None, None, None)


def an_empty_cell_never_means_that_all_is_well(db: Connection) -> None:
    """Why there are no minutes is said in words, and what is not known is not told as calm."""
    none = (None, None)
    for number, (told, blind, expected) in enumerate((
        (ahead(END, ("too_late", None), ("by", 0.0)), False, ("too_late", "now", None, 0.0)),
        (ahead(END, ("none", None), ("not_needed", None)), False, ("none", "not_needed", *none)),
        (ahead(END, ("none", None), ("none", None), members=None), False, ("unknown", "unknown", *none)),
        (ahead(END, ("too_late", None), ("not_needed", None)), True, ("too_late", "unknown", *none)),
        (ahead(END - 10 * MINUTE, ("not_needed", None), ("by", 30.0)), False, ("unknown", "unknown", *none)),
        ({"made_at": END.isoformat(), "last_order_min": None}, False, ("unknown", "unknown", *none)),
        (None, False, ("not_wet", "not_wet", *none)),
        (None, True, ("unknown", "unknown", *none)),
    ), 1):  # fmt: skip
        judged(db, number, END, told, blind=blind)
        assert shown(db, END)[:4] == expected, number
    assert shown(db, END, space="q")[:2] == ("unknown", "unknown"), "never judged"


def the_most_urgent_space_comes_first(db: Connection) -> None:
    for space, told in (("p", ahead(END, ("none", None), ("by", 9.0))), ("q", ahead(END, ("by", 20.0), ("by", 8.0)))):
        judged(db, 1, END, told, space=space)
    assert [row["space_id"] for row in asked(db, "barrier_deadlines", END - HOUR, END)] == ["q", "p"]
    judged(db, 2, END, ahead(END, ("not_needed", None), ("not_needed", None)), space="q")
    assert [row["space_id"] for row in asked(db, "barrier_deadlines", END - HOUR, END)] == ["p", "q"]


def both_lines_are_drawn_and_their_history_is_told(db: Connection) -> None:
    """Three words, five minutes apart; nobody judged after the last, half an hour before the end."""
    began = END - 40 * MINUTE
    for seq, (before_orange, before_red) in enumerate(
        ((("by", 6.0), ("by", 10.0)), (("by", 0.0), ("by", 5.0)), (("too_late", None), ("not_needed", None)))
    ):
        judged(db, seq, began + 5 * seq * MINUTE, ahead(began + 5 * seq * MINUTE, before_orange, before_red))
    rows = asked(db, "space_band", began - MINUTE, END, place=["p"])
    drawn = [(row["metric"][:2], (row["time"] - began) / MINUTE, row["value"]) for row in rows if "▮" in row["metric"]]
    assert sorted(drawn) == [("▮★", 0, 6.0), ("▮★", 5, 0.0), ("▮✚", 0, 10.0), ("▮✚", 5, 5.0)]
    rows = asked(db, "space_deadlines", began - MINUTE, END, place=["p"])
    told = [(r["metric"][0], (r["time"] - began) / MINUTE, DEADLINE_WORDS[int(r["value"])]) for r in rows]
    assert sorted(told) == [
        ("★", 0, "by"), ("★", 5, "now"), ("★", 10, "too_late"), ("★", 20, "unknown"),
        ("✚", 0, "by"), ("✚", 5, "by"), ("✚", 10, "not_needed"), ("✚", 20, "unknown"),
    ]  # fmt: skip


CHECKS = (
    minutes_run_down_and_then_the_order_is_due,
    an_empty_cell_never_means_that_all_is_well,
    the_most_urgent_space_comes_first,
    both_lines_are_drawn_and_their_history_is_told,
)


@slow_on_timescale
def test_the_last_minute_of_an_order(any_db: str) -> None:
    each_alone(any_db, CHECKS)


def test_every_word_has_its_look() -> None:
    assert [mark.value for mark in DEADLINES] == list(range(len(DEADLINE_WORDS)))
    for field in ("sign", "words"):
        assert len({getattr(mark, field) for mark in DEADLINES}) == len(DEADLINES)
