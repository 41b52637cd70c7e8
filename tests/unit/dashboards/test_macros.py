"""Grafana's macros, as its PostgreSQL data source fills them in."""

from __future__ import annotations

from datetime import UTC, datetime

from dashboards.macros import fill
from dashboards.queries import Query

SINCE, UNTIL = datetime(2023, 9, 7, 14, tzinfo=UTC), datetime(2023, 9, 7, 17, tzinfo=UTC)


def test_time_macros() -> None:
    assert fill("$__timeFilter(o.at)", SINCE, UNTIL) == "o.at BETWEEN '2023-09-07T14:00:00Z' AND '2023-09-07T17:00:00Z'"
    # 2023-09-07T14:00Z is 1694095200 (19607 days and 14 h after 1970-01-01).
    assert fill("$__unixEpochFrom() - 1, $__unixEpochTo()", SINCE, UNTIL) == "1694095200 - 1, 1694106000"
    assert fill("$__interval_ms", SINCE, UNTIL, interval_ms=500) == "500"


def test_values_of_variables_are_quoted_and_all_is_a_star() -> None:
    text = "array[${street:sqlstring}]::text[]"
    assert fill(text, SINCE, UNTIL) == "array['*']::text[]"
    assert fill(text, SINCE, UNTIL, variables={"street": ["a", "O'B"]}) == "array['a','O''B']::text[]"
    assert fill(text, SINCE, UNTIL, variables={"street": []}) == "array[]::text[]"


def test_parameters_are_filled_in() -> None:
    assert Query("x", "level = {{shape}}", ()).with_parameters({"shape": "3"}).sql == "level = 3"
