"""How old readings are when they come: the median of the devices that spoke last."""

from __future__ import annotations

from math import isnan

import numpy as np

from ingest.delays import Delays
from ingest.sensors import Directory, build_directory
from tests.unit.ingest.builders import NOON_US
from undercroft.model import Mode
from undercroft.store.observations import Rows
from undercroft.store.sensors import SensorRow, SensorTable

SECOND_US = 1_000_000


def directory(devices: int) -> Directory:
    rows = tuple(
        SensorRow(f"d{number}", "p", number * 10 + probe, f"p{probe}", "water_depth_m")
        for number in range(devices)
        for probe in range(2)
    )
    return build_directory(Mode.LIVE, SensorTable(1, "futian", rows))


def rows_of(*told: tuple[int, float, float]) -> Rows:
    """Sensor, seconds after noon of the reading and of its receipt."""
    ids, observed_s, received_s = (np.array(column) for column in zip(*told, strict=True))
    none = np.zeros(len(told), dtype=np.int32)
    observed_us, received_us = ((NOON_US + column * SECOND_US).astype(np.int64) for column in (observed_s, received_s))
    return Rows(ids.astype(np.int32), observed_us, np.zeros(len(told)), none.astype(np.int16), none, received_us)


def test_it_is_the_median_over_devices_of_their_newest_word() -> None:
    """Device 0 has two sensors and a burst, newest first; the newest is 2 s old. Devices 1 to 3: 1, 50, 3,600 s."""
    delays, site = Delays(), directory(4)
    burst = [(1, 7.0, 9.0), (0, 2.0, 9.0), (1, 1.0, 9.0), (0, 0.0, 9.0)]
    delays.note(rows_of(*burst, (10, 0.0, 1.0), (20, 0.0, 50.0)), site)
    assert delays.typical_s(NOON_US + 60 * SECOND_US) == 2.0
    delays.note(rows_of((31, 0.0, 3600.0)), site)
    assert isnan(delays.typical_s(NOON_US + 3600 * SECOND_US)), "one device alone is heard within ten minutes"
    delays.note(rows_of((0, 3599.0, 3600.0), (10, 3599.0, 3600.0)), site)
    assert delays.typical_s(NOON_US + 3600 * SECOND_US) == 1.0, "one clock that is an hour slow does not count"


def test_only_the_devices_that_spoke_last_count_so_that_it_ends() -> None:
    """20 of 40 devices were 90 s late; 15 others spoke since, without delay."""
    delays, site = Delays(), directory(40)
    delays.note(rows_of(*((number * 10, 0.0, 90.0) for number in range(20))), site)
    assert delays.typical_s(NOON_US + 100 * SECOND_US) == 90.0
    delays.note(rows_of(*((number * 10, 99.0, 99.0) for number in range(20, 35))), site)
    assert delays.typical_s(NOON_US + 100 * SECOND_US) == 0.0


def test_what_waited_at_the_broker_is_over_when_the_broker_holds_nothing() -> None:
    """Noted 60 s late, within 20 s of a broker that held nothing: 40 s of it were in the network, or the clocks."""
    delays, site = Delays(), directory(3)
    now_us = NOON_US + 100 * SECOND_US
    backlog = [(number * 10, 0.0, 60.0) for number in range(3)]
    for drained_s, left_s in ((None, 0.0), (0.0, 0.0), (40.0, 40.0), (59.0, 59.0)):
        delays.drained_us = None if drained_s is None else NOON_US + int(drained_s) * SECOND_US
        delays.note(rows_of(*backlog), site)
        assert delays.typical_s(now_us, delays.drained_us) == 60.0, "it still comes"
        assert delays.typical_s(now_us, NOON_US + 61 * SECOND_US) == left_s


def test_a_clock_ahead_is_no_delay() -> None:
    delays = Delays()
    assert isnan(delays.typical_s(NOON_US))
    delays.note(rows_of((0, 0.0, 50.0), (10, 0.0, 50.0), (20, 0.0, 50.0)), directory(3))
    assert delays.typical_s(NOON_US + 50 * SECOND_US) == 50.0
    delays.note(rows_of((0, 55.0, 50.0), (10, 55.0, 50.0), (20, 55.0, 50.0)), directory(3))
    assert delays.typical_s(NOON_US + 50 * SECOND_US) == 0.0


def test_an_import_of_the_site_forgets_nobody() -> None:
    """Of a device whose clock stands still, that it was heard is all there is to tell that it is alive."""
    delays = Delays()
    delays.note(rows_of((0, 0.0, 5.0), (10, 0.0, 6.0), (20, 0.0, 7.0)), directory(3))
    rows = tuple(SensorRow(f"d{number}", "p", 100 - number, "p0", "water_depth_m") for number in (3, 2, 1))
    later = build_directory(Mode.LIVE, SensorTable(2, "futian", rows))
    delays.note(rows_of((97, 0.0, 8.0)), later)
    second = {name: (at_us - NOON_US) / SECOND_US for name, at_us in delays.heard_us().items()}
    assert second == {"d1": 6.0, "d2": 7.0, "d3": 8.0}
    assert delays.typical_s(NOON_US + 8 * SECOND_US) == 7.0
