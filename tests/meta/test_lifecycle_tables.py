"""The transition tables of ``docs/alarm-lifecycle.md`` are those of the code: each row is played, none is missing."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from duty.model import Reason
from duty.orders.orders import TRANSITIONS, OrderState
from risk import conditions, lifecycle, output, suppression
from risk.arrays import NEVER_US
from tests.unit.risk.test_lifecycle import ACK, SHELVE, SUBJECT, Night, raised
from tests.unit.risk.test_suppression import AWAY, CHILD, STALE, Storm
from undercroft.store.migrate import migrations

DOCUMENT = (Path(__file__).parents[2] / "docs" / "alarm-lifecycle.md").read_text(encoding="utf-8")
Row = tuple[str, ...]


def table(head: str) -> list[Row]:
    """Return the rows of the table under a head row."""
    lines = DOCUMENT[DOCUMENT.index(f"\n{head}\n") + len(head) + 2 :].splitlines()
    rows = []
    for line in lines[1:]:
        if not line.startswith("|"):
            break
        rows.append(tuple(cell.strip() for cell in line.strip("|").split("|")))
    return rows


def codes(cell: str) -> set[str]:
    return set(re.findall(r"`([a-z_]+)`", cell))


LIFE = table("| from | input | event | after |")


WARNING = ("rain_warning", {"state": "in_force", "colour": "red", "basins": ["b2"], "streets": []})


def acknowledged() -> Night:
    night = raised(0.16)
    assert night.go(0.16, ACK) == ["acknowledged"]
    return night


def falls(night: Night, least: str) -> list[str]:
    """Let the water fall until something comes of it."""
    for _ in range(14):
        kinds = night.go(0.0)
        if kinds:
            assert kinds == [least]
            return kinds
    raise AssertionError(f"no {least}")


def raise_it() -> list[str]:
    night = Night()
    night.go(0.11)
    return night.go(0.11)


def rise() -> list[str]:
    night = acknowledged()
    assert night.go(0.16, SHELVE) == ["shelved"]
    kinds = night.go(0.30)
    assert not night.rows[SUBJECT].acknowledged
    assert night.rows[SUBJECT].shelved_us is None
    return kinds


def another_family() -> list[str]:
    night = acknowledged()
    assert night.go(0.16, SHELVE) == ["shelved"]
    kinds = night.go(None, ("field_report", {"depth_m": 0.16, "by": "Li"}))
    assert not night.rows[SUBJECT].acknowledged
    assert night.rows[SUBJECT].shelved_us is None
    return kinds


def step_down() -> list[str]:
    night = raised(0.30)
    night.go(0.30, ACK)
    for _ in range(14):
        kinds = night.go(0.11)
        if kinds:
            assert night.rows[SUBJECT].acknowledged
            return kinds
    raise AssertionError("no step down")


def clear() -> list[str]:
    night = raised(0.16)
    kinds = falls(night, "cleared")
    assert night.rows[SUBJECT].latched
    return kinds


def reset_latch() -> list[str]:
    night = raised(0.16)
    falls(night, "cleared")
    kinds = night.go(0.0, ACK)
    assert not night.rows[SUBJECT].latched
    return kinds


def shelve() -> list[str]:
    night = raised(0.16)
    assert night.go(0.16, ("shelve", {"reason": "x", "minutes": 31})) == ["refused"]
    return night.go(0.16, SHELVE)


def storm_begins() -> list[str]:
    night = raised(0.11)
    assert night.go(0.11, ("shelve", {"reason": "x", "minutes": 480})) == ["shelved"]
    kinds = night.go(0.11, WARNING, subject="warning/w")
    kinds += [kind for _ in range(29) for kind in night.go(0.11)]
    assert night.go(0.11) == ["unshelved"], "30 minutes after the warning came"
    return kinds


def unshelve() -> list[str]:
    night = raised(0.16)
    night.go(0.16, SHELVE)
    assert night.go(0.16, ("unshelve", {})) == ["unshelved"]
    night.go(0.16, SHELVE)
    return [kind for _ in range(20) for kind in night.go(0.16)]


def stand_down() -> list[str]:
    night = raised(0.16)
    kinds = night.go(None, ("stand_down", {"evidence": "looked"}))
    assert night.engine.state.stood_down_us[0] != NEVER_US
    night.go(0.0)
    assert night.engine.state.stood_down_us[0] != NEVER_US, "a dry word is no evidence of danger"
    night.go(0.16)
    assert night.engine.state.stood_down_us[0] == NEVER_US
    return kinds


def refuse() -> list[str]:
    night = raised(0.30)
    kinds = night.go(0.30, SHELVE)
    assert night.why()
    assert SUBJECT not in night.rows
    return kinds


def suppress() -> list[str]:
    storm = Storm()
    storm.goes((AWAY, True))
    return [kind for subject, kind in storm.goes((STALE, True)) if subject == CHILD and kind != "raised"]


def unsuppress() -> list[str]:
    storm = Storm()
    storm.goes((AWAY, True), (STALE, True))
    return [kind for subject, kind in storm.goes((AWAY, False)) if subject == CHILD]


PLAYED: dict[tuple[str, str], Callable[[], list[str]]] = {
    ("no alarm", "candidate reaches yellow"): raise_it,
    ("active", "candidate above severity"): rise,
    ("active", "another family of rules reaches yellow"): another_family,
    ("active", "10 minutes below its severity, good samples show yellow or more"): step_down,
    ("active", "10 minutes below its severity, good samples show less than yellow"): clear,
    ("active, unacknowledged", "`acknowledge`"): lambda: raised(0.16).go(0.16, ACK),
    ("ended, latched", "`acknowledge`"): reset_latch,
    ("active, below red", "`shelve` with reason and minutes"): shelve,
    ("shelved for longer than 30 min", "a storm begins"): storm_begins,
    ("shelved", "its time is over, or `unshelve`"): unshelve,
    ("active", "`stand_down` with evidence"): stand_down,
    ("any", "an act that cannot be"): refuse,
    ("alarm of a device", "it follows from another alarm (below)"): suppress,
    ("suppressed", "nothing is left that it follows from"): unsuppress,
}


@pytest.mark.parametrize("row", LIFE, ids=lambda row: f"{row[0]}: {row[1]}")
def test_each_row_of_the_life_is_what_the_engine_does(row: Row) -> None:
    kinds = PLAYED[row[0], row[1]]()
    assert codes(row[2]) <= set(kinds)
    assert set(kinds) <= codes(row[2]) | codes(row[3])


def test_the_life_has_every_kind_of_event_that_the_engine_knows() -> None:
    assert {(row[0], row[1]) for row in LIFE} == set(PLAYED)
    known = {output.RAISED, output.SEVERITY_UP, output.SEVERITY_DOWN, output.REASON_ADDED, output.CLEARED}
    known |= {conditions.ACKNOWLEDGED, conditions.SHELVED, conditions.UNSHELVED, lifecycle.REFUSED, "stood_down"}
    known |= {suppression.SUPPRESSED, suppression.UNSUPPRESSED}
    assert {code for row in LIFE for code in codes(row[2])} == known


def test_the_orders_are_those_of_the_code() -> None:
    found = set()
    for states, step, after in table("| from | step | to |"):
        word, to = step.split()[0], after.split(";")[0].split()[0]
        if states.strip() == "(none)":
            assert (word, to) == ("issue", OrderState.ISSUED)
            continue
        found |= {(OrderState(state.strip()), word, OrderState(to)) for state in states.split(",")}
    assert found == {(state, step, after) for (state, step), after in TRANSITIONS.items()}


def test_the_reasons_to_tell_are_those_of_the_code() -> None:
    assert [code for row in table("| reason | when | to whom |") for code in codes(row[0])] == [
        reason.value for reason in Reason
    ]


def test_what_becomes_of_a_message_is_what_the_store_takes() -> None:
    taken = next(m.text for m in migrations() if m.version == 30)
    states = set(re.findall(r"'(\w+)'", re.findall(r"state text not null check \(state in \(([^)]*)\)", taken)[0]))
    part = DOCUMENT[DOCUMENT.index("## What becomes of a message") : DOCUMENT.index("## Orders")]
    assert codes(part) == states
