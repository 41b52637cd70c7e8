"""A space that a site import took out: its alarm ends by that name, and a space that comes back counts on."""

from __future__ import annotations

from risk.engine import Engine, plant_of, with_site
from risk.snapshot import dump_state, load_state
from tests.unit.risk.builders import START, Crank, site, underpass

KEY = "up-lvl:water_depth_m"
BOTH, ONE = site(underpass(), underpass("other")), site(underpass("other"))


def flooded() -> Crank:
    crank = Crank(BOTH)
    for minute in range(3):
        crank.tick(minute, (KEY, minute, 0.2))
    return crank


def test_an_open_alarm_ends_with_its_space_and_says_why() -> None:
    crank = flooded()
    crank.engine = with_site(crank.engine, ONE, 2, START)
    output = crank.tick(3)
    assert [(e.subject, e.event_no, e.kind, e.detail["by"]) for e in output.events] == [
        ("space/up", 2, "cleared", "the space is no longer in the site")
    ]
    (row,) = output.alarms
    assert (row.subject, row.occurrence, row.active, row.latched, row.severity) == ("space/up", 1, False, False, 3)
    assert row.cleared_us is not None
    assert crank.tick(4).events == []


def test_one_that_waited_to_be_acknowledged_waits_no_more() -> None:
    crank = flooded()
    for minute in range(3, 17):
        crank.tick(minute, (KEY, minute, 0.0))
    assert crank.events("space/up")[-1] == ("cleared", 0)
    crank.engine = with_site(crank.engine, ONE, 2, START)
    output = crank.tick(17)
    assert [(e.kind, e.detail["author"]) for e in output.events] == [("acknowledged", "site import")]
    assert [(row.active, row.acknowledged, row.latched) for row in output.alarms] == [(False, True, False)]


def test_a_space_that_comes_back_counts_on_also_after_a_restart() -> None:
    """Two events of one alarm before; the next are the third, of the second alarm."""
    crank = flooded()
    crank.engine = with_site(crank.engine, ONE, 2, START)
    crank.tick(3)
    data = dump_state(crank.engine.state, crank.engine.plant.arrays)
    plant = plant_of(ONE, START)
    crank.engine = with_site(Engine(load_state(data, plant.arrays), plant), BOTH, 3, START)
    for minute in range(4, 7):
        output = crank.tick(minute, (KEY, minute, 0.2))
        raised = [(e.kind, e.event_no, e.occurrence) for e in output.events]
        if raised:
            break
    assert raised == [("raised", 3, 2)]
