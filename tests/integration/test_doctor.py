"""`undercroft doctor` on real databases."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from tests.timescale import URL_VARIABLE
from undercroft.cli import build_app
from undercroft.clock import SystemClock
from undercroft.doctor.database import check_database
from undercroft.doctor.finding import Finding, Verdict
from undercroft.doctor.roster import check_roster
from undercroft.errors import BadInput
from undercroft.stack.postgres import PostgresServer
from undercroft.store.connection import connect
from undercroft.store.databases import create_database, drop_database
from undercroft.store.duty_roster import mark_absent, replace_shifts
from undercroft.store.retention import retain


def test_a_migrated_database_is_well_with_and_without_timescale(live_db: str, timescale_live_db: str) -> None:
    plain = Verdict.GOOD if os.environ.get(URL_VARIABLE) else Verdict.NOTE  # then every database has the extension
    for url, extension in ((live_db, plain), (timescale_live_db, Verdict.GOOD)):
        found = {finding.check: finding for finding in check_database(url, SystemClock().now())}
        assert found["timescaledb"].verdict is extension
        assert found["schema"].seen == "up to date, mode live"
        assert found["clock"].verdict is Verdict.GOOD
    assert found["policies"].verdict is Verdict.GOOD
    with closing(connect(timescale_live_db, application_name="tests", autocommit=True)) as connection:
        stopped = ("tick", "undercroft_retain_job")
        connection.execute(
            "select alter_job(job_id, scheduled => false) from timescaledb_information.jobs"
            " where config ->> 'relation' = %s or proc_name = %s",
            stopped,
        )
    found = {finding.check: finding for finding in check_database(timescale_live_db, SystemClock().now())}
    assert found["policies"].seen == "missing: tick: undercroft_compress_job (stopped), undercroft_retain_job (stopped)"


def test_a_job_that_never_runs_again_is_found_and_none_runs_while_rights_are_given(timescale_live_db: str) -> None:
    with closing(connect(timescale_live_db, application_name="tests", autocommit=True)) as connection:
        first = connection.execute(
            "select extract(epoch from min(next_start) - now()) as in_s from timescaledb_information.job_stats"
            " where hypertable_schema = 'public' and hypertable_name like 'rollup%'"
        ).fetchone()
        assert first is not None
        assert first["in_s"] is None or first["in_s"] > 0  # whoever migrates still gives rights
        connection.execute(
            "select alter_job(job_id, next_start => 'infinity') from timescaledb_information.jobs"
            " where config ->> 'relation' = 'tick'"
        )
    found = {finding.check: finding for finding in check_database(timescale_live_db, SystemClock().now())}
    assert found["policies"].seen == "missing: tick: undercroft_compress_job (never runs again)"


@pytest.mark.parametrize(
    ("spoilt", "mended", "seen"),
    [
        (
            "revoke insert on observation_packed from undercroft_ingest",
            "grant insert on observation_packed to undercroft_ingest",
            "missing: undercroft_ingest: insert on observation_packed",
        ),
        (
            "revoke update (submitted_by) on report from undercroft_acts",
            "grant update (submitted_by) on report to undercroft_acts",
            "missing: undercroft_acts: update on report",
        ),
        (
            "revoke usage on sequence batch_id_seq from undercroft_ingest",
            "grant usage on sequence batch_id_seq to undercroft_ingest",
            "missing: undercroft_ingest: usage on batch_id_seq",
        ),
        (
            "grant delete on act to undercroft_api",
            "revoke delete on act from undercroft_api",
            "more than it needs: undercroft_api: delete on act",
        ),
        (
            "grant delete on alarm to public",
            "revoke delete on alarm from public",
            "more than it needs: everybody: delete on alarm",
        ),
        (
            "grant create on schema public to public",
            "revoke create on schema public from public",
            "more than it needs: everybody: create on schema public",
        ),
        (
            "grant update (text) on report to undercroft_api",
            "revoke update (text) on report from undercroft_api",
            "more than it needs: undercroft_api: update on report.text",
        ),
        (
            "grant update on sequence batch_id_seq to undercroft_api",
            "revoke update on sequence batch_id_seq from undercroft_api",
            "more than it needs: undercroft_api: update on batch_id_seq",
        ),
        (
            "grant execute on function undercroft_make_way to undercroft_api",
            "revoke execute on function undercroft_make_way from undercroft_api",
            "more than it needs: undercroft_api: execute on undercroft_make_way(timestamp with time zone[])",
        ),
        (
            "grant pg_write_all_data to undercroft_grafana",
            "revoke pg_write_all_data from undercroft_grafana",
            "more than it needs: undercroft_grafana: member of pg_write_all_data",
        ),
        (
            "grant undercroft_engine to undercroft_api",
            "revoke undercroft_engine from undercroft_api",
            "more than it needs: undercroft_api: member of undercroft_engine",
        ),
    ],
)
def test_a_right_taken_or_given_by_hand_is_found(live_db: str, spoilt: str, mended: str, seen: str) -> None:
    with closing(connect(live_db, application_name="tests", autocommit=True)) as connection:
        connection.execute(spoilt.encode())
        found = {finding.check: finding for finding in check_database(live_db, SystemClock().now())}
        assert (found["rights"].verdict, found["rights"].seen) == (Verdict.BAD, seen)
        connection.execute(mended.encode())
        found = {finding.check: finding for finding in check_database(live_db, SystemClock().now())}
        assert found["rights"].verdict is not Verdict.BAD


@pytest.mark.parametrize(
    ("spoilt", "seen"),
    [
        ("alter role {login} superuser", "more than it needs: {login}: superuser"),
        (
            "grant pg_execute_server_program to {login}",
            "more than it needs: {login}: member of pg_execute_server_program",
        ),
    ],
)
def test_a_login_of_grafana_that_may_do_more_is_found_and_one_without_limits_noted(
    live_db: str, spoilt: str, seen: str
) -> None:
    login = f"viewer_{os.getpid()}"

    def found() -> dict[str, Finding]:
        return {finding.check: finding for finding in check_database(live_db, SystemClock().now())}

    with closing(connect(live_db, application_name="tests", autocommit=True)) as connection:
        connection.execute(f"create role {login} login in role undercroft_grafana".encode())
        try:
            assert found()["rights"].verdict is not Verdict.BAD
            noted = found()["viewers"].seen
            assert f"{login}: no connection limit, not read-only, no statement_timeout" in noted
            for limit in (
                "connection limit 20",
                "set default_transaction_read_only = on",
                "set statement_timeout = '30s'",
            ):
                connection.execute(f"alter role {login} {limit}".encode())
            assert login not in getattr(found().get("viewers"), "seen", "")
            connection.execute(spoilt.format(login=login).encode())
            assert (found()["rights"].verdict, found()["rights"].seen) == (Verdict.BAD, seen.format(login=login))
        finally:
            connection.execute(f"drop role {login}".encode())


def test_a_database_that_takes_no_writes_or_may_lose_what_it_committed_is_found(live_db: str) -> None:
    login, name = f"spoilt_{os.getpid()}", urlsplit(live_db).path.strip("/")

    def seen() -> str:
        found = {finding.check: finding for finding in check_database(live_db, SystemClock().now())}
        return found["database"].seen if found["database"].verdict is Verdict.BAD else ""

    with closing(connect(live_db, application_name="tests", autocommit=True)) as connection:
        for setting, words in (
            ("default_transaction_read_only = on", "takes no writes (default_transaction_read_only on)"),
            ("synchronous_commit = off", "synchronous_commit off, everybody: synchronous_commit=off"),
        ):
            connection.execute(f"alter database {name} set {setting}".encode())
            assert words in seen()
            connection.execute(f"set default_transaction_read_only = off; alter database {name} reset all".encode())
            assert words not in seen()
        connection.execute(f"create role {login} login in role undercroft_ingest".encode())
        try:
            connection.execute(f"alter role {login} set synchronous_commit = off".encode())
            assert f"{login}: synchronous_commit=off" in seen()
            connection.execute(f"alter role {login} set synchronous_commit = local".encode())
            assert login not in seen()
        finally:
            connection.execute(f"drop role {login}".encode())


def test_what_retention_left_is_found_and_the_command_mends_it(live_db: str) -> None:
    with closing(connect(live_db, application_name="tests", autocommit=True)) as connection:
        connection.execute(
            "insert into batch (batch_id, commit_seq, lane, messages, readings, stored, duplicates, conflicts,"
            " dead_letters, committed_at) select n, n, 'routine', 1, 1, 1, 0, 0, 0, now() - n * interval '20 days'"
            " from generate_series(1, 3) as n"
        )
        # Retention looked since, so it came later, or the class was shortened: it has two days.
        found = {finding.check: finding for finding in check_database(live_db, SystemClock().now())}
        assert found["retention"].verdict is Verdict.GOOD
        connection.execute("update retention_class set looked_at = now() - interval '3 days' where relation = 'batch'")
    found = {finding.check: finding for finding in check_database(live_db, SystemClock().now())}
    assert (found["retention"].verdict, found["retention"].seen) == (Verdict.BAD, "older than they are kept: batch")
    command = [sys.executable, "-m", "undercroft", "db", "retain", "--json"]
    environment = {**os.environ, "UNDERCROFT_DATABASE_URL": live_db}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert [(each["relation"], each["steps"]) for each in json.loads(done.stdout)] == [("batch", 2)]
    found = {finding.check: finding for finding in check_database(live_db, SystemClock().now())}
    assert found["retention"].verdict is Verdict.GOOD
    with closing(connect(live_db, application_name="tests", autocommit=True)) as connection:
        looked = connection.execute(
            "select looked_at > now() - interval '1 hour' as now from retention_class"
        ).fetchall()
    assert all(row["now"] for row in looked)  # else the two days end with what the database was made


def test_a_hold_is_placed_shown_and_dropped_by_the_command_and_keeps_the_doctor_quiet(
    live_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNDERCROFT_DATABASE_URL", live_db)
    now = SystemClock().now()

    def hold(*words: str) -> str:
        done = CliRunner().invoke(build_app("db"), ["db", "hold", *words], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout.strip()

    with closing(connect(live_db, application_name="tests", autocommit=True)) as connection:
        connection.execute(
            "insert into batch (batch_id, commit_seq, lane, messages, readings, stored, duplicates, conflicts,"
            " dead_letters, committed_at) values (1, 1, 'routine', 1, 1, 1, 0, 0, 0, now() - interval '40 days')"
        )
    since, until = ((now - timedelta(days=days)).isoformat() for days in (42, 39))
    stretch = ("--from", since, "--to", until)
    assert hold("add", "--reason", "inquest", "--by", "li", *stretch) == "hold 1 is in force"
    assert hold("list").endswith(f": inquest (li, {now:%F})")
    assert retain(live_db, now) == []
    found = {finding.check: finding for finding in check_database(live_db, SystemClock().now())}
    assert found["retention"].verdict is Verdict.GOOD
    for wrong, words in (
        ("no such incident", ("add", "--reason", "r", "--by", "b", "--incident", "i-9")),
        ("name an incident", ("add", "--reason", "r", "--by", "b")),
        ("is not after", ("add", "--reason", "r", "--by", "b", "--from", until, "--to", since)),
        ("--by says nothing", ("add", "--reason", "r", "--by", " ", *stretch)),
        ("no hold of it is in force", ("drop", "2", "--by", "b")),
    ):
        with pytest.raises(BadInput, match=wrong):
            hold(*words)
    assert json.loads(hold("drop", "1", "--by", "wang", "--json")) == {"released": [1]}
    assert hold("list") == "nothing is held"
    assert "released" in hold("list", "--all")
    assert [each.relation for each in retain(live_db, now)] == ["batch"]


def test_an_empty_database_and_an_absent_one(postgres: PostgresServer) -> None:
    create_database(postgres.url(), "never_migrated")
    found = {finding.check: finding for finding in check_database(postgres.url("never_migrated"), SystemClock().now())}
    environment = {**os.environ, "UNDERCROFT_DATABASE_URL": postgres.url("never_migrated")}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "undercroft", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=240)

    assert run("db", "migrate").stderr.startswith("undercroft: --mode: expected live or exercise")
    hints = {run("risk").stderr.partition("(SQLSTATE 42P01); ")[2].strip()}
    hints |= {run("db", "release").stderr.partition("(SQLSTATE 42P01); ")[2].strip(), found["schema"].advice}
    (hint,) = hints
    program, *words = hint.split("`")[1].split()
    assert program == "undercroft"
    assert (run(*words).returncode, run("db", "migrate").stdout.strip()) == (0, "up to date")
    now = {each.check: each for each in check_database(postgres.url("never_migrated"), SystemClock().now())}
    drop_database(postgres.url(), "never_migrated")
    assert now["schema"].verdict is Verdict.GOOD
    assert found["schema"].verdict is Verdict.BAD
    assert "0001_spine" in found["schema"].seen
    absent = check_database("postgresql://nobody@127.0.0.1:1/nothing", SystemClock().now())
    assert [finding.verdict for finding in absent] == [Verdict.BAD]


def test_the_command_ends_with_1_where_something_is_bad(live_db: str) -> None:
    def run(url: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "undercroft", "doctor", "--only", "database", "--json"]
        environment = {**os.environ, "UNDERCROFT_DATABASE_URL": url}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    well, ill = run(live_db), run("postgresql://nobody@127.0.0.1:1/nothing")
    assert (ill.returncode, json.loads(ill.stdout)[0]["verdict"]) == (1, "bad")
    # The test server of this suite runs without fsync, which the doctor must not like; where a TimescaleDB
    # was given, a test's database has its jobs stopped. Everything else is well.
    ours = ["jobs"] if os.environ.get(URL_VARIABLE) else ["database"]
    assert [entry["check"] for entry in json.loads(well.stdout) if entry["verdict"] == "bad"] == ours


def test_a_gap_in_the_roster_and_whoever_no_channel_reaches_are_found(live_db: str, tmp_path: Path) -> None:
    """Li until 20 h ahead, absent from 10 h on, Wu from 20 h: the gap is at 10 h; a deputy for Li closes it.

    Chen stands at step 1 for 5 h more: then the chain is one person.
    """
    now, file = SystemClock().now().replace(microsecond=0), tmp_path / "duty.toml"
    file.write_text('fallback = ["office:room"]\n[[channel]]\nid = "office"\nkind = "wecom"\nurl_env = "URL"\n')

    def shift(person: str, starts: int, ends: int, standing: str, channel: str, step: int = 0) -> dict[str, object]:
        reach = [{"channel": channel, "address": person}]
        return {
            "starts_at": now + timedelta(hours=starts), "ends_at": now + timedelta(hours=ends), "step": step,
            "standing": standing, "person_id": person, "name": person, "phone": "", "reach": reach,
        }  # fmt: skip

    def found() -> list[tuple[Verdict, str]]:
        return [(one.verdict, one.seen) for one in check_roster(live_db, now, file)]

    (empty,) = found()
    assert empty[0] is Verdict.BAD
    assert "the roster is empty" in empty[1]
    shifts = [shift("li", -1, 20, "holder", "office"), shift("wu", 20, 40, "holder", "sms")]
    shifts += [shift("chen", -1, 40, "holder", "office", 1)]
    with closing(connect(live_db, application_name="tests", autocommit=True)) as connection:
        replace_shifts(connection, shifts)
        mark_absent(connection, "li", now + timedelta(hours=10), now + timedelta(hours=12), "li")
        begins = (now + timedelta(hours=10)).astimezone(ZoneInfo("Asia/Shanghai")).isoformat(" ", "minutes")
        assert found() == [
            (Verdict.BAD, f"nobody is on duty at step 0 from {begins}"),
            (Verdict.BAD, "wu cannot be reached: the duty file has no channel sms"),
        ]
        shifts = [shifts[0], shift("sun", -1, 20, "deputy", "office"), shift("wu", 20, 40, "holder", "office")]
        replace_shifts(connection, shifts)
        assert found() == [(Verdict.GOOD, "somebody is on duty for 24 h, of 4 people")]
        connection.execute("update roster_shift set ends_at = %s where step = 1", (now + timedelta(hours=5),))
        begins = (now + timedelta(hours=5)).astimezone(ZoneInfo("Asia/Shanghai")).isoformat(" ", "minutes")
        assert found() == [(Verdict.BAD, f"nobody is on duty at step 1 from {begins}")]
