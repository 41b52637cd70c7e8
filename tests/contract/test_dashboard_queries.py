"""Every panel's query: the declared columns, and the same rows on PostgreSQL and TimescaleDB."""

from __future__ import annotations

import math
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from dashboards.build import all_dashboards
from dashboards.dashboard import ANNOTATIONS, VARIABLES
from dashboards.macros import fill
from dashboards.queries import Query, names, query
from tests.contract.flavours import slow_on_timescale
from tests.contract.storm import END, START, fill_storm
from undercroft.store.connection import connect

KINDS = {
    "text": {25, 1043},
    "number": {20, 21, 23, 701, 1700},
    "time": {1184},
    "flag": {16},
}
"""Declared type -> PostgreSQL's type numbers; Grafana reads numeric and integers as numbers."""

EMPTY_IN_THE_STORM = {"stock_counted"}
"""The sample district counts no stock."""

PARAMETERS = {"shape": "2", "level": "3", "sign": "★"}


def all_queries() -> list[Query]:
    return [query(name).with_parameters(PARAMETERS) for name in names()]


def answers(url: str, interval_ms: int, **variables: list[str]) -> dict[str, Any]:
    found = {}
    with closing(connect(url, application_name="tests", autocommit=True)) as connection:
        connection.execute("set role undercroft_grafana")  # which may read views only
        for each in all_queries():
            cursor = connection.execute(
                fill(each.sql, START, END, interval_ms=interval_ms, variables=variables).encode()
            )
            shape = [(column.name, column.type_code) for column in cursor.description or ()]
            found[each.name] = (shape, [tuple(row.values()) for row in cursor.fetchall()])
    return found


@pytest.fixture
def filled_db(any_db: str) -> str:
    fill_storm(any_db)
    with closing(connect(any_db, application_name="tests", autocommit=True)) as connection:
        connection.execute(
            "insert into flood_library values (1, %s, %s, %s, '14', 'li', 'stored readings', 2, 9, '', '{}')",
            (START, START, START),
        )
    return any_db


def test_queries_return_what_they_declare_with_data_of_a_storm(filled_db: str) -> None:
    found = answers(filled_db, 60_000)
    # By hand: the last tick and batch are at START + 180 min = END; the newest reading of a batch is 3 s older.
    assert found["ages"][1] == [(3.0, 0.0, 0.0)]
    for each in all_queries():
        shape, rows = found[each.name]
        assert [name for name, _ in shape] == [column.name for column in each.columns], each.name
        for column, (_, type_code) in zip(each.columns, shape, strict=True):
            assert type_code in KINDS[column.kind], f"{each.name}.{column.name} has type {type_code}"
        assert bool(rows) != (each.name in EMPTY_IN_THE_STORM), each.name


@slow_on_timescale
def test_a_choice_of_street_or_nothing_at_all_is_no_error(any_db: str) -> None:
    for chosen in (["O'Brien street"], []):
        found = answers(any_db, 60_000, district=chosen, street=chosen, kind=chosen, space=chosen)
        assert found["worst_spaces"][1] == []
        assert found["why"][1] == [(5,)]  # no site is imported


@slow_on_timescale
def test_variables_and_annotations_run(filled_db: str) -> None:
    with closing(connect(filled_db, application_name="tests", autocommit=True)) as connection:
        for text in [*(sql for _, sql in VARIABLES.values()), *(each.query.sql for each in ANNOTATIONS)]:
            assert connection.execute(fill(text, START, END).encode()).fetchall(), text


@pytest.mark.slow
def test_both_databases_give_the_same_rows(exercise_db: str, timescale_db: str) -> None:
    for url in (exercise_db, timescale_db):
        fill_storm(url)
    for interval_ms in (1_000, 60_000, 600_000, 3_600_000):
        plain, timescale = answers(exercise_db, interval_ms), answers(timescale_db, interval_ms)
        for name, (_, rows) in plain.items():
            assert len(rows) == len(timescale[name][1]), name
            for ours, theirs in zip(rows, timescale[name][1], strict=True):
                assert all(_same(a, b) for a, b in zip(ours, theirs, strict=True)), (name, ours, theirs)


def _same(a: object, b: object) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-9)
    return a == b


def test_every_query_is_used_and_every_value_shown_has_an_age_or_a_time() -> None:
    used = {each.name for board in all_dashboards() for each in board.queries()}
    assert used == set(names())
    for each in all_queries():
        columns = [column.name for column in each.columns]
        assert each.name == "why" or columns[0] == "time" or any(name.endswith("age_s") for name in columns), each.name


@slow_on_timescale
def test_a_storm_is_not_shown_where_the_range_ends_before_it(filled_db: str) -> None:
    with closing(connect(filled_db, application_name="tests", autocommit=True)) as connection:
        text = fill(query("alarms_open").sql, START - timedelta(hours=3), START)
        assert connection.execute(text.encode()).fetchall() == []
