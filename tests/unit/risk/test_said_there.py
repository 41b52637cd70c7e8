"""A reading is said of where its sensor stood when it came."""

from __future__ import annotations

import pytest

from risk.said_there import Row, said_there
from tests.unit.risk.builders import START, depth_sensor, device, entrance, gauge, guarded, site, space, underpass
from undercroft.site.model import Site


def row(name: str, quantity: str, said_seq: int | None) -> Row:
    return {"device_id": name, "at": "", "quantity": quantity, "value": 0.5, "site_seq": 2, "said_seq": said_seq}


def at_entrance(name: str) -> Site:
    return site(
        space("a", "car_park", entrances=[entrance(name)], devices=[device("out", depth_sensor(name))]),
        gauges=[gauge(basin="b1" if name == "north" else "b2")],
    )


@pytest.mark.parametrize(
    ("device_id", "quantity", "said_seq", "is_there"),
    [
        ("out", "water_depth_m", 1, False),  # said of the north entrance, and stands at the south one
        ("out", "water_depth_m", 2, True),
        ("out", "water_depth_m", None, True),  # nobody knows
        ("out", "online", 1, True),  # of the device, wherever it is
        ("rain-1", "rain_total_mm", 1, False),  # said of another basin
    ],
)
def test_what_was_said_elsewhere_is_not_shown(
    device_id: str, quantity: str, said_seq: int | None, is_there: bool
) -> None:
    sites = {1: at_entrance("north"), 2: at_entrance("south")}
    found = said_there([row(device_id, quantity, said_seq)], sites.__getitem__, START)
    assert [set(entry) for entry in found] == ([{"device_id", "at", "quantity", "value"}] if is_there else [])


def test_a_gauge_that_is_renamed_goes_on_and_a_sensor_that_stays_is_shown() -> None:
    renamed = gauge() | {"id": "gauge-new"}
    sites = {1: site(underpass()), 2: site(underpass(), guarded("gar", "car_park"), gauges=[renamed])}
    rows = [row("rain-1", "rain_total_mm", 1), row("up-lvl", "water_depth_m", 1)]
    assert len(said_there(rows, sites.__getitem__, START)) == 2


def test_no_other_site_is_asked_for_where_all_was_said_of_this_one() -> None:
    def site_of(version: int) -> Site:
        raise AssertionError(version)

    assert len(said_there([row("out", "water_depth_m", 2)], site_of, START)) == 1
