"""Ways in by command line, acts in the commit order, and what staff could see at a time, on a real database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
import structlog
from typer.testing import CliRunner

from duty.door.door import new_token
from risk.asof import differences, picture_at
from risk.canonical import canonical_log
from risk.follower import Follower
from risk.run import step_run
from tests.integration.test_engine_run import RUN_START, a_site, commit_minute, opened, sensor_ids
from tests.same_log import assert_same_log
from tests.unit.risk.builders import depth_sensor, device, guarded, site, space
from undercroft.cli import build_app
from undercroft.clock import SystemClock
from undercroft.errors import BadInput
from undercroft.store import engine as store
from undercroft.store.acts import record_act
from undercroft.store.connection import Connection
from undercroft.store.duty_acts import add_operator, log_entries
from undercroft.store.site import import_site

MINUTES = 90
SHENZHEN = ZoneInfo("Asia/Shanghai")
LAG = {"value": 12.0, "threshold": 10.0, "unit": "s", "detail": "age of the oldest unacknowledged message"}
ACTS: dict[int, list[tuple[str, str, dict[str, Any]]]] = {
    3: [("rain_warning", "warning/a", {"colour": "yellow", "state": "in_force", "basins": ["b1"], "streets": []})],
    4: [("field_report", "space/met", {"entrance": "north", "depth_m": 0.29, "by": "Li"})],
    5: [("system_condition", "system/ingest-lag", LAG | {"is_active": True})],
    7: [("acknowledge", "system/ingest-lag", {"comment": "on it"})],
    8: [("rain_warning", "warning/a", {"colour": "red", "state": "in_force", "basins": ["b1"], "streets": []})],
    12: [("acknowledge", "space/up", {"comment": "seen"})],
    30: [("field_report", "space/gar", {"entrance": "north", "barrier": "failed", "by": "Wang"})],
    40: [("system_condition", "device/met-out/dead-letter-rate", LAG | {"is_active": True})],
    45: [("shelve", "device/met-out", {"reason": "being mended", "minutes": 20})],
    50: [("system_condition", "system/ingest-lag", LAG | {"is_active": False})],
    60: [("rain_warning", "warning/a", {"colour": "red", "state": "ended"})],
}


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """A command binds the log to the standard error of its runner, which is closed after it."""
    yield
    structlog.reset_defaults()


def commit_acts(connection: Connection, minute: int) -> None:
    for kind, subject, body in ACTS.get(minute, ()):
        record_act(connection, kind, subject, "desk", RUN_START + timedelta(minutes=minute), body)


def log_of(connection: Connection) -> bytes:
    return canonical_log(store.alarm_events(connection))


@pytest.fixture(scope="module")
def logs() -> dict[str, bytes]:
    return {}


def test_acts_show_in_the_log_and_a_restart_or_smaller_batches_change_nothing(
    exercise_db: str, logs: dict[str, bytes]
) -> None:
    with opened(exercise_db) as connection:
        import_site(connection, a_site(), "test", RUN_START)
        ids = sensor_ids(connection)
        for minute in range(MINUTES):
            commit_acts(connection, minute)
            commit_minute(connection, ids, minute)
        follower = Follower(connection)
        while step_run(connection, follower):
            pass
        logs["plain"] = log_of(connection)
    text = logs["plain"].decode()
    assert "reported by Li" in text
    assert "Rain warning in force: red" in text
    assert '"kind":"acknowledged"' in text
    told = [(line["subject"], line["kind"]) for line in map(orjson.loads, text.splitlines())]
    assert [kind for subject, kind in told if subject == "system/ingest-lag"] == ["raised", "acknowledged", "cleared"]
    # Worse water stands in the device's basin: what is said of the device follows from it, and goes on.
    of_device = [kind for subject, kind in told if subject == "device/met-out"]
    assert of_device[:2] == ["raised", "suppressed"]
    assert [kind for kind in of_device if "suppressed" not in kind] == ["raised", "shelved", "unshelved"]


@pytest.mark.parametrize(("restart", "pieces"), [(5, 1), (31, 3), (61, 2)])
def test_restart_and_batch_split_with_acts(exercise_db: str, logs: dict[str, bytes], restart: int, pieces: int) -> None:
    with opened(exercise_db) as connection:
        import_site(connection, a_site(), "test", RUN_START)
        ids = sensor_ids(connection)
        follower = Follower(connection)
        for minute in range(MINUTES):
            commit_acts(connection, minute)
            commit_minute(connection, ids, minute, pieces=pieces)
            if minute == restart:
                follower = Follower(connection)
                follower.restore()
            step_run(connection, follower)
        assert_same_log(log_of(connection), logs["plain"])


def test_asof_is_what_could_be_seen_then(exercise_db: str) -> None:
    seen: dict[int, Any] = {}
    with opened(exercise_db) as connection:
        import_site(connection, a_site(), "test", RUN_START)
        ids = sensor_ids(connection)
        follower = Follower(connection)
        for minute in range(MINUTES):
            commit_acts(connection, minute)
            commit_minute(connection, ids, minute)
            step_run(connection, follower)
            if minute in {4, 11, 40, 70}:
                seen[minute] = interface_now(connection)
        for minute, then in seen.items():
            picture = picture_at(connection, RUN_START + timedelta(minutes=minute, seconds=59))
            told = {
                row["space_id"]: (row["level"], row["score"], row["reasons"], row["evidence"]) for row in picture.spaces
            }
            assert told == then["spaces"], minute
            alarms = {alarm["subject"]: (alarm["severity"], alarm["acknowledged"]) for alarm in picture.alarms}
            assert alarms == then["alarms"], minute
            values = {row["sensor_id"]: (row["observed_at"], row["value"]) for row in picture.observations}
            assert values == then["sensors"], minute
            assert differences(connection, picture.tick["tick_seq"]) == []
        changed = connection.execute(
            "update assessment set score = score + 1 where (space_id, tick_seq) in"
            " (select space_id, max(tick_seq) from assessment where space_id = 'up' group by space_id)"
            " returning tick_seq"
        ).fetchone()
        assert changed is not None
        rewritten = differences(connection, MINUTES)
    assert any(alarms for alarms in (then["alarms"] for then in seen.values()))
    assert rewritten == [f"assessment of up at tick {changed['tick_seq']}"]


def test_asof_without_the_batches_of_then_goes_by_receipt_and_the_engine_does_not_guess(exercise_db: str) -> None:
    with opened(exercise_db) as connection:
        import_site(connection, a_site(), "test", RUN_START)
        ids = sensor_ids(connection)
        follower = Follower(connection)
        for minute in range(12):
            commit_minute(connection, ids, minute)
            step_run(connection, follower)
        moments = [RUN_START + timedelta(minutes=minute, seconds=59) for minute in (3, 9)]
        then = [picture_at(connection, moment) for moment in moments]
        assert differences(connection, then[0].tick["tick_seq"]) == []
        moved = guarded("gar", "car_park", pump=True)
        moved["devices"].append(device("up-lvl", depth_sensor()))  # and "met" is gone
        import_site(
            connection, site(space("up", "underpass"), moved), "test", RUN_START + timedelta(minutes=12), anyway=True
        )
        assert [picture_at(connection, moment) for moment in moments] == then, "a later import changes nothing of it"
        commit_minute(connection, ids, 12)
        step_run(connection, follower)
        assert {row["space_id"] for row in picture_at(connection, None).spaces} == {"up", "gar"}
        connection.execute("delete from batch where run_seq <= 6")  # as retention does, the oldest first
        assert [picture_at(connection, moment).observations for moment in moments] == [p.observations for p in then]
        assert then[0].observations != then[1].observations
        with pytest.raises(BadInput, match="are no longer kept"):
            differences(connection, then[1].tick["tick_seq"])


def interface_now(connection: Connection) -> dict[str, Any]:
    """Return what the statements of the HTTP interface give now."""
    from undercroft.store.sql import sql

    newest = connection.execute(sql("read_newest_tick").encode()).fetchone()
    assert newest is not None
    ranked = dict.fromkeys(("kind", "street", "level", "level_min", "after_space", "after_level", "after_score"))
    values = {**ranked, "as_of": newest["tick_seq"], "limit": 100}
    spaces = connection.execute(sql("read_spaces_ranked").encode(), values).fetchall()
    known = connection.execute(
        "select distinct on (sensor_id) sensor_id, observed_at, value from observation"
        " order by sensor_id, observed_at desc"
    ).fetchall()
    return {
        "spaces": {row["space_id"]: (row["level"], row["score"], row["reasons"], row["evidence"]) for row in spaces},
        "alarms": {
            row["subject"]: (row["severity"], row["acknowledged"]) for row in store.alarms(connection, open_only=True)
        },
        "sensors": {row["sensor_id"]: (row["observed_at"], row["value"]) for row in known},
    }


def command(monkeypatch: pytest.MonkeyPatch, url: str, *words: str) -> Any:
    monkeypatch.setenv("UNDERCROFT_DATABASE_URL", url)
    return CliRunner().invoke(build_app(words[0]), list(words))


def let_in(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the commands the token of an officer."""
    token, hashed = new_token()
    add_operator(connection, "li", "李", "officer", hashed, RUN_START)
    monkeypatch.setenv("UNDERCROFT_TOKEN", token)


def test_warnings_and_reports_by_command_line(live_db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(live_db) as connection:
        import_site(connection, a_site(), "test", RUN_START)
        let_in(connection, monkeypatch)
    until = (SystemClock().now() + timedelta(hours=6)).astimezone(SHENZHEN).isoformat(timespec="seconds")
    for words in (
        ("warning", "enter", "a", "yellow", "--basin", "b1"),
        ("warning", "extend", "a", "--street", "Futian", "--until", until),
        ("warning", "change", "a", "red"),
        (
            "fieldreport",
            "add",
            "gar/north",
            "--by",
            "Li",
            "--depth-m",
            "0.31",
            "--barrier",
            "open",
            "--note",
            "at the ramp",
        ),
    ):
        result = command(monkeypatch, live_db, *words)
        assert result.exit_code == 0, (words, result.output, result.exception)
    listed = orjson.loads(command(monkeypatch, live_db, "warning", "list", "--json").output)
    assert listed[0]["body"]["colour"] == "red"
    assert (listed[0]["body"]["basins"], listed[0]["body"]["streets"]) == (["b1"], ["Futian"])
    shown = command(monkeypatch, live_db, "warning", "list", "--zone", "Asia/Shanghai").output
    assert shown.endswith(f"  至 until {until.replace('T', ' ')}\n")
    assert "0.31 m  open  at the ramp  by Li" in command(monkeypatch, live_db, "fieldreport", "list").output
    assert command(monkeypatch, live_db, "warning", "end", "a").exit_code == 0
    assert command(monkeypatch, live_db, "warning", "list").output == ""
    with opened(live_db) as connection:
        seqs = [row["commit_seq"] for row in store.stretch(connection, 0, 10**9).acts]
    assert seqs == sorted(seqs)
    assert len(seqs) == 5
    with opened(live_db) as connection:
        rows = connection.execute("select operator_id, action, outcome from audit order by audit_id").fetchall()
        logged = [entry["kind"] for entry in log_entries(connection)]
    kinds = ["rain_warning", "rain_warning", "rain_warning", "field_report", "rain_warning"]
    assert [tuple(row.values()) for row in rows] == [("li", kind, "done") for kind in kinds]
    assert logged == kinds


def test_a_warning_may_outlast_its_expected_end_and_says_so(live_db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    over = "2026-01-01T20:00:00+08:00"
    with opened(live_db) as connection:
        import_site(connection, a_site(), "test", RUN_START)
        let_in(connection, monkeypatch)
        assert command(monkeypatch, live_db, "warning", "enter", "a", "yellow").exit_code == 0
        connection.execute("update act set body = body || jsonb_build_object('until', %s::text)", (over,))
    assert command(monkeypatch, live_db, "warning", "change", "a", "red").exit_code == 0
    shown = command(monkeypatch, live_db, "warning", "list", "--zone", "Asia/Shanghai").output
    assert "至 until 2026-01-01 20:00:00+08:00，已过，仍生效 past, still in force until ended" in shown
    result = command(monkeypatch, live_db, "warning", "extend", "a", "--until", "2026-01-01T21:00:00+08:00")
    assert "until: found 2026-01-01T21:00:00+08:00, which is past" in str(result.exception)


def test_without_a_token_nothing_is_entered(live_db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UNDERCROFT_TOKEN", raising=False)
    with opened(live_db) as connection:
        import_site(connection, a_site(), "test", RUN_START)
        for words in (("warning", "enter", "a", "red"), ("fieldreport", "add", "gar", "--by", "Li", "--depth-m", "1")):
            assert "set UNDERCROFT_TOKEN" in str(command(monkeypatch, live_db, *words).exception)
        monkeypatch.setenv("UNDERCROFT_TOKEN", "nobody's")
        assert "belongs to nobody" in str(command(monkeypatch, live_db, "warning", "enter", "a", "red").exception)
        assert store.stretch(connection, 0, 10**9).acts == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("warning", "enter", "a", "mauve"), "colour: found 'mauve', expected yellow, orange or red"),
        (("warning", "enter", "a", "red", "--basin", "b9"), "the site has no basin 'b9'; it has b1, b2"),
        (("warning", "end", "zz"), "zz is not in force"),
        (
            ("warning", "enter", "a", "red", "--until", "2020-01-01T08:00:00+08:00"),
            "until: found 2020-01-01T08:00:00+08:00, which is past; expected an end to come, or none",
        ),
        (("fieldreport", "add", "gar", "--by", "Li"), "one of depth_m, barrier, pump, closed, evacuated must be said"),
        (("fieldreport", "add", "gar", "--by", "Li", "--depth-m", "99"), "depth_m: found 99.0, expected 0 to 50"),
        (
            ("fieldreport", "add", "gar/west", "--by", "Li", "--depth-m", "1"),
            "gar has no entrance 'west'; it has north",
        ),
        (("fieldreport", "add", "gar", "--by", "Li", "--barrier", "open"), "say which entrance: gar/north"),
        (("asof", "--at", "2026-07-01"), "has no offset"),
        (("asof", "--at", "2026-07-01T08:00:00Z"), "had not ticked yet"),
    ],
)
def test_bad_input_is_told_in_one_line(
    live_db: str, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], message: str
) -> None:
    with opened(live_db) as connection:
        import_site(connection, a_site(), "test", RUN_START)
        let_in(connection, monkeypatch)
    result = command(monkeypatch, live_db, *words)
    assert result.exit_code != 0
    assert message in str(result.exception)
