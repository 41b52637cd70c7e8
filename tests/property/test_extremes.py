"""Nothing that a person may enter, or that stands in the log already, ends the engine: it would never start again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import orjson
from hypothesis import example, given, settings
from hypothesis import strategies as st

from duty.acts.completed import completed
from duty.door.bodies import FORMS, problem_of
from duty.door.door import Actor
from risk.arrays import to_us
from risk.rows import alarm_rows, assessment_rows, event_rows, tick_rows
from risk.snapshot import dump_state, load_state
from risk.warnings import Act
from tests.property.test_engine import a_site
from tests.unit.risk.builders import START, Crank
from undercroft.store.connection import Connection

AUTHOR = Actor("li", "李", "leader", "test")
SUBJECTS = {
    "space": "space/up", "device": "device/up-lvl", "system": "system/ingest-lag", "warning": "warning/a",
    "incident": "incident/i", "depot": "depot/d", "basin": "basin/b1", "order": "order/o",
}  # fmt: skip
texts = st.sampled_from([
    "", "north", "red", "yellow", "in_force", "ended", "open", "deployed", "running", "sandbag", "b1", "seen",
    "0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59.999999-08:00", "2000-01-01T00:00:00Z",
    "2099-12-31T23:59:59-12:00", "2026-07-01T08:30:00+08:00", "2026-07-01", "a\0b", "a\udcffb", "a\n## b", "\uffff",
])  # fmt: skip
numbers = st.sampled_from([
    0, -0.0, -1, 1, 5.0, 0.31, 50.0, 480.0, 1e308, -1e308, 5e-324, float("nan"), float("inf"), float("-inf"), 2**31,
    2**63, -(2**63), 10**400, -(10**400), True, False,
])  # fmt: skip
values = st.one_of(texts, numbers, st.none(), st.lists(texts | numbers, max_size=3), st.just({"a": None}))
FIELDS = sorted({name for form in FORMS.values() for name in (*form.must, *form.may)})


@st.composite
def acts(draw: st.DrawFn) -> tuple[str, str, dict[str, Any]]:
    kind = draw(st.sampled_from(sorted(FORMS)))
    form = FORMS[kind]
    subject = draw(st.sampled_from([SUBJECTS[name] for name in form.subjects] or ["-"]))
    body = {name: draw(values) for name in form.must}
    body |= draw(st.dictionaries(st.sampled_from([*form.may, "minutes", "expires_at"]), values, max_size=6))
    return kind, subject, body


def told(entered: list[tuple[str, str, dict[str, Any]]]) -> None:
    """Have an engine with water before it take acts as they stand, keep its memory, and write what it says."""
    crank = Crank(a_site(), nowcast=False)
    for minute in range(3):
        crank.tick(minute, ("up-lvl:water_depth_m", minute, 0.2))
    at = to_us(START + timedelta(minutes=3))
    given_now = tuple(Act(number, *entry[:2], "li", at, entry[2]) for number, entry in enumerate(entered, 1))
    for minute in (3, 4, 200):
        crank.tick(minute, ("up-lvl:water_depth_m", minute, 0.2), acts=given_now if minute == 3 else ())
    for rows in (tick_rows, assessment_rows, alarm_rows, event_rows):
        rows(crank.outputs)
    state, arrays = crank.engine.state, crank.engine.plant.arrays
    assert dump_state(load_state(dump_state(state, arrays), arrays), arrays) == dump_state(state, arrays)


POISON = ("field_report", "space/up", {"depth_m": 0.2, "by": "Sun", "observed_at": "0001-01-01T00:00:00+08:00"})


@settings(max_examples=60, deadline=None)
@example(entered=[POISON])
@example(entered=[("rain_warning", "warning/a", {"state": "in_force", "colour": "red", "basins": None})])
@example(entered=[("out_of_service", "device/up-lvl", {"reason": "x", "minutes": float("nan")})])
@example(entered=[("field_report", "space/up", {"depth_m": 0.2, "entrance": ["north"]})])
@given(entered=st.lists(acts(), min_size=1, max_size=4))
def test_an_act_that_stands_in_the_log_never_ends_the_engine(entered: list[tuple[str, str, dict[str, Any]]]) -> None:
    told(entered)


@settings(max_examples=200, deadline=None)
@example(entry=POISON)
@example(entry=("shelve", "space/up", {"reason": "x", "minutes": 10**400}))
@given(entry=acts())
def test_a_body_is_refused_by_its_field_or_can_be_stored(entry: tuple[str, str, dict[str, Any]]) -> None:
    kind, subject, body = entry
    if problem_of(kind, subject, body) is not None or body.get("state") == "ended":
        return
    kept = completed(cast("Connection", None), AUTHOR, kind, subject, body, START)
    written = orjson.dumps(kept).decode()
    assert "\\u0000" not in written
    assert "\\ud" not in written
