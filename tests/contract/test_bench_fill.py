"""What `undercroft bench query` times: a filled database gives every query rows, and holds what it is said to hold."""

from __future__ import annotations

from contextlib import closing

import pytest

from dashboards.bench import END, idle
from dashboards.bench_series import simulated_days
from undercroft.store.bench import fill, open_empty


@pytest.mark.slow
def test_every_query_has_rows_to_time(exercise_db: str) -> None:
    with closing(open_empty(exercise_db)) as connection:
        fill(connection, 200, END, 1, simulated_days(200, [1]))
        assert idle(connection) == []
        row = connection.execute(
            "select (select count(*) from sensor where quantity <> 'battery_v') as sensors,"
            " (select count(distinct quantity) from sensor) as quantities, (select count(*) from alarm) as alarms,"
            " (select count(*) from tick) as ticks"
        ).fetchone()
        # Of 200: 120 depths, 40 barriers, 20 street levels, 10 gauges, 8 pumps, 2 depots. A tick each 10 s of a day.
        assert row == {"sensors": 200, "quantities": 7, "alarms": 240, "ticks": 8640}
