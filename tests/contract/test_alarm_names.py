"""What an alarm is called in Grafana: of a place by its names, of anything else in both languages."""

from __future__ import annotations

from contextlib import closing

from tests.contract.moments import END
from undercroft.store.connection import connect


def test_an_alarm_of_the_system_or_of_a_device_without_a_place_is_called_so_in_both_languages(exercise_db: str) -> None:
    with closing(connect(exercise_db, application_name="tests", autocommit=True)) as connection:
        for subject in ("system/roster-gap", "device/gone-7"):
            connection.execute(
                "insert into alarm (subject, occurrence, subject_kind, severity, peak_severity, active, raised_at,"
                " reasons, last_tick_seq) values (%s, 1, %s, 2, 2, true, %s, '[]', 0)",
                (subject, subject.split("/")[0], END),
            )
        rows = connection.execute("select name from grafana.alarm order by name").fetchall()
    assert [row["name"] for row in rows] == ["系统 System · roster-gap", "设备 Device · gone-7"]
