"""The doctor's checks: each fault that it knows is found and named."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from undercroft.doctor.access import check_access_list
from undercroft.doctor.broker import check_certificate, judge_broker
from undercroft.doctor.commands import examine
from undercroft.doctor.database import judge
from undercroft.doctor.finding import Finding, Verdict
from undercroft.doctor.grafana import check_grafana
from undercroft.doctor.machine import check_clock, check_disks, judge_clock
from undercroft.doctor.mosquitto import WANTED, check_configuration, read_configuration
from undercroft.settings import Settings
from undercroft.store.dead_letters import Held
from undercroft.store.inspect import STANDBY, DatabaseFacts

DEPLOY = Path(__file__).parents[3] / "deploy/mosquitto"
NOW = datetime(2026, 7, 1, tzinfo=UTC)
WELL = DatabaseFacts(
    server_version=170005, extension="2.26.0", mode="live", missing_migrations=[], failing_jobs=[], missing_policies=[],
    jobs_run=True, overdue=[], grafana_readers=[], grafana_may_call=[], is_superuser=False, is_owner=False,
    groups=["undercroft_api"], server_now=NOW, bytes_used=10, letters=Held(3, 900),
)  # fmt: skip


def bad_checks(facts: DatabaseFacts) -> list[str]:
    return [finding.check for finding in judge(facts, NOW) if finding.verdict is Verdict.BAD]


def test_a_good_database_has_nothing_bad() -> None:
    assert {finding.verdict for finding in judge(WELL, NOW)} == {Verdict.GOOD}


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ({"server_version": 140010}, "database"),
        ({"lost_with_power": ["fsync off"]}, "database"),
        ({"unwritable": "a standby, which takes no writes"}, "database"),
        ({"unsafe_settings": ["ingest: synchronous_commit=off"]}, "database"),
        ({"missing_migrations": ["0040_storage"]}, "schema"),
        ({"missing_migrations": ["0001_spine"], "is_half_restored": True}, "schema"),
        ({"newer_migrations": ["9999_later"]}, "schema"),
        ({"groups_without_rights": ["undercroft_simulator"]}, "rights"),
        ({"extension": "2.19.3"}, "timescaledb"),
        ({"missing_policies": ["tick: undercroft_compress_job"]}, "policies"),
        ({"failing_jobs": ["undercroft_compress_job tick"]}, "policies"),
        ({"uncompressed": ["tick: 3 chunks since 2026-06-01"]}, "policies"),
        ({"jobs_run": False}, "jobs"),
        ({"overdue": ["batch"]}, "retention"),
        ({"letters": Held(1_000_000, 0)}, "dead letters"),
        ({"letters": Held(1, 2 * 1024**3)}, "dead letters"),
        ({"grafana_readers": ["grafana"]}, "rights"),
        ({"lacking_rights": ["undercroft_ingest: insert on observation_packed"]}, "rights"),
        ({"surplus_rights": ["undercroft_api: delete on act"]}, "rights"),
        ({"groups": []}, "rights"),
        ({"groups": ["undercroft_api", "undercroft_ingest"]}, "rights"),
        ({"server_now": NOW + timedelta(seconds=3)}, "clock"),
    ],
)
def test_each_fault_of_a_database_is_found(fault: dict[str, object], check: str) -> None:
    assert bad_checks(replace(WELL, **fault)) == [check]  # type: ignore[arg-type]


def test_a_standby_and_a_setting_are_told_what_helps() -> None:
    advice = {
        name: judge(replace(WELL, unwritable=why), NOW)[0].advice
        for name, why in (("standby", STANDBY), ("setting", "takes no writes"))
    }
    assert advice["standby"].startswith("name the server that is written to")
    assert advice["setting"].startswith("take these settings back")


def test_dead_letters_that_fill_their_room_are_told_before_the_cap() -> None:
    findings = {finding.check: finding for finding in judge(replace(WELL, letters=Held(9, 1_800_000_000)), NOW)}
    assert findings["dead letters"].verdict is Verdict.NOTE
    assert findings["dead letters"].seen == "9 open, at most 1000000; 1716.6 MiB, at most 2048"


@pytest.mark.parametrize(
    ("state", "check", "seen"),
    [
        ({"put_off": ["tick: 2"]}, "retention", "steps put off at the last run, since somebody read them: tick: 2"),
        ({"long_holds": ["hold 1 from 2026-01-01 on"]}, "holds", "what is old is kept by hold 1 from 2026-01-01 on"),
        ({"unbound_viewers": ["g: not read-only"]}, "viewers", "logins of Grafana without limits: g: not read-only"),
        ({"other_failing_jobs": ["policy_telemetry"]}, "other jobs", "last run failed: policy_telemetry"),
    ],
)
def test_what_is_no_fault_of_ours_and_costs_something_is_a_note(
    state: dict[str, object], check: str, seen: str
) -> None:
    notes = [each for each in judge(replace(WELL, **state), NOW) if each.verdict is not Verdict.GOOD]  # type: ignore[arg-type]
    assert [(each.check, each.verdict, each.seen) for each in notes] == [(check, Verdict.NOTE, seen)]


def test_many_missing_rights_are_cut_at_a_whole_one() -> None:
    facts = replace(
        WELL, lacking_rights=["undercroft_duty: " + ", ".join(f"select on table_{n:02}" for n in range(40))]
    )
    (found,) = (finding for finding in judge(facts, NOW) if finding.check == "rights")
    assert found.seen.endswith("select on table_08 and more")


def test_what_no_migration_may_close_is_a_note() -> None:
    facts = replace(WELL, grafana_may_call=["add_job", "drop_chunks", "undercroft_retain"])
    (found,) = (finding for finding in judge(facts, NOW) if finding.check == "functions")
    assert found.verdict is Verdict.NOTE
    assert found.seen.startswith("Grafana's logins may execute undercroft_retain, add_job and 1 more: ")


CONFIGURATION = (DEPLOY / "mosquitto.conf").read_text(encoding="utf-8")
ACCESS = (DEPLOY / "acl").read_text(encoding="utf-8")


def bad_in_configuration(text: str) -> list[str]:
    found = check_configuration(read_configuration(text))
    return [finding.check for finding in found if finding.verdict is Verdict.BAD]


def test_our_own_broker_configuration_is_good_and_each_missing_option_is_found() -> None:
    assert [finding.verdict for finding in check_configuration(read_configuration(CONFIGURATION))] == [Verdict.GOOD]
    for name in (*WANTED, "persistence_location", "acl_file", "password_file", "certfile", "keyfile", "listener"):
        without = "\n".join(line for line in CONFIGURATION.splitlines() if not line.startswith(f"{name} "))
        assert bad_in_configuration(without), name


@pytest.mark.parametrize(
    ("line", "check"),
    [
        ("listener 1883", ["listeners"]),
        ("listener 1883 127.0.0.1", []),
        ("listener 1884\ncertfile c\nkeyfile k\ntls_version tlsv1.1", ["listeners"]),
        ("max_queued_bytes 1000000", ["queue limits"]),
        ("memory_limit 1000000", ["queue limits"]),
        ("max_packet_size 1000", ["queue limits"]),
        ("persistent_client_expiration 1h", ["queue limits"]),
        ("retain_available false", ["queue limits"]),
        ("allow_anonymous true", ["queue limits"]),
        ("max_connections 10", ["queue limits"]),
        ("global_max_connections 10", ["queue limits"]),
        ("max_keepalive 5", ["queue limits"]),
        ("max_keepalive 65535", []),
        ("connection out\naddress evil:1883\ntopic # both 0", ["bridges"]),
        ("connection out\naddress city:8883\ntopic a/# out 1\ntopic b/# in 1\nbridge_cafile c", ["bridges"]),
        ("connection out\naddress city:8883\ntopic flood/#\nmax_queued_bytes 9", ["queue limits"]),
        ("port 1883", ["listeners"]),
        ("persistence_location /tmp/", ["queue limits"]),
        ("persistence_location /run", ["queue limits"]),
        ("persistence_location /var/run/mosquitto", ["queue limits"]),
        ("persistence_location /dev/shm", ["queue limits"]),
        ("persistence_location /running", []),
        ("persistence_location /mosquitto/", ["queue limits"]),
        ("persistence_location data/", ["queue limits"]),
        ("persistence_location /var/lib/mosquitto", []),
        ("require_certificate true", ["listeners"]),
    ],
)
def test_each_line_that_loses_messages_or_opens_the_broker_is_found(line: str, check: list[str]) -> None:
    first = line.startswith("port")  # of old, before the listeners
    assert bad_in_configuration(f"{line}\n{CONFIGURATION}" if first else f"{CONFIGURATION}\n{line}\n") == check


def test_where_each_listener_has_its_own_access_each_needs_it() -> None:
    apart = f"per_listener_settings true\n{CONFIGURATION}"
    assert bad_in_configuration(apart) == []
    assert bad_in_configuration(f"{apart}listener 8884\ncertfile c\nkeyfile k\n") == ["queue limits", "broker access"]


def test_a_bridge_that_only_tells_is_named() -> None:
    bridge = "connection city\naddress city:8883\ntopic flood/# out 1\nremote_password s\nbridge_cafile c\n"
    found = check_configuration(read_configuration(CONFIGURATION + bridge))
    notes = [(each.check, each.seen) for each in found if each.verdict is Verdict.NOTE]
    assert notes == [("bridges", "tell another broker: bridge city to city:8883: flood/# out 1")]


def test_an_option_that_nobody_knows_is_not_passed_over() -> None:
    found = check_configuration(read_configuration(CONFIGURATION + "mount_point elsewhere\n"))
    assert found[-1].seen == "not looked at: mount_point elsewhere"


def test_what_was_not_looked_at_is_said() -> None:
    found = check_configuration(read_configuration(CONFIGURATION + "include_dir /etc/mosquitto/conf.d\n"))
    assert found[-1].verdict is Verdict.NOTE
    assert found[-1].seen == "not looked at: include_dir /etc/mosquitto/conf.d"


def test_our_own_access_list_is_good_and_each_missing_rule_is_found() -> None:
    assert [finding.verdict for finding in check_access_list(ACCESS)] == [Verdict.GOOD]
    rules = [line for line in ACCESS.splitlines() if line.startswith(("pattern", "topic read flood"))]
    assert len(rules) == 4
    for rule in rules:
        assert check_access_list(ACCESS.replace(f"{rule}\n", ""))[0].seen.startswith("withholds: "), rule
    undenied = check_access_list(ACCESS.replace("topic deny flood/v1/+/+/undercroft-ingest/#\n", ""))[0].seen
    assert undenied.endswith("pattern: write flood/v1/+/+/%u/status to undercroft-ingest, which only reads")
    assert "withholds: flood/v1/# from another" in [one.seen for one in check_access_list(ACCESS, ingest="another")]


@pytest.mark.parametrize(
    "rule",
    [
        "topic write flood/v1/#",  # in a list of its own: for everybody
        "user somebody\ntopic readwrite #",
        "user somebody\ntopic flood/v1/futian/square/g-8/event",
        "user undercroft-ingest\ntopic write flood/v1/+/+/+/event",
        "user drill\ntopic write exercise/v1/#",
        "user undercroft-ingest\ntopic deny flood/v1/futian/#",
        "user undercroft-ingest\ntopic deny flood/v1/+/+/g-8/#",
        "pattern deny flood/v1/+/+/%u/event",
        "pattern deny flood/v1/futian/#",
        "pattern deny flood/v1/+/+/g-8/status",
        "user g-8\ntopic deny flood/v1/+/+/g-8/event",
        "user g-8\ntopic deny #",
        "pattern write flood/v1/+/+/+/observation",
        "pattern write flood/v1/%u/+/+/observation",
        "pattern write flood/v1/+/+/%c/observation",
    ],
)
def test_each_rule_that_gives_away_or_withholds_is_found(rule: str) -> None:
    text = f"{rule}\n{ACCESS}" if rule.startswith("topic") else f"{ACCESS}{rule}\n"
    assert check_access_list(text)[0].verdict is Verdict.BAD
    assert check_access_list(f"{ACCESS}user g-7\ntopic write flood/v1/+/+/g-7/more\n")[0].verdict is Verdict.GOOD
    assert check_access_list(f"{ACCESS}user wall\ntopic read flood/v1/#\n")[1].verdict is Verdict.NOTE
    place = "topic deny flood/v1/+/+/wall/#\n"
    assert check_access_list(f"{ACCESS}user wall\ntopic read flood/v1/#\n{place}")[0].verdict is Verdict.GOOD
    assert check_access_list(f"{ACCESS}pattern deny flood/v1/+/+/%u/more\n")[0].verdict is Verdict.GOOD
    assert check_access_list(f"{ACCESS}pattern deny exercise/#\n")[0].verdict is Verdict.GOOD
    assert check_access_list(f"{ACCESS}pattern deny flood/v1/+/+/undercroft-ingest/#\n")[0].verdict is Verdict.GOOD
    assert check_access_list(f"{ACCESS}user g-8\ntopic deny flood/v1/+/+/g-9/#\n")[0].verdict is Verdict.GOOD
    assert check_access_list(f"topic deny flood/v1/#\n{ACCESS}")[0].verdict is Verdict.GOOD  # of whoever has no name


def test_an_access_list_is_the_one_that_the_configuration_names_and_a_missing_one_is_bad(tmp_path: Path) -> None:
    path = tmp_path / "mosquitto.conf"
    path.write_text(CONFIGURATION.replace("config/acl", "config/rules"), encoding="utf-8")
    (tmp_path / "acl").write_text(ACCESS, encoding="utf-8")

    def last() -> Finding:
        return examine(Settings(mqtt_url=None), ["broker"], path)[-1]

    assert (last().check, last().verdict) == ("access list", Verdict.BAD)
    (tmp_path / "rules").write_text("topic #\n", encoding="utf-8")
    assert last().check == "access list"
    assert examine(Settings(mqtt_url=None), ["broker"], path)[-2].seen == "gives away: everybody: readwrite #"
    (tmp_path / "rules").write_text(ACCESS, encoding="utf-8")
    assert last().verdict is Verdict.GOOD


@pytest.mark.parametrize(
    ("refusal", "version", "verdict"),
    [
        (None, "mosquitto version 2.0.22", Verdict.GOOD),
        (None, "mosquitto version 1.6.9", Verdict.BAD),
        (None, None, Verdict.NOTE),
        ("Not authorized", None, Verdict.BAD),
    ],
)
def test_a_broker_is_judged_by_its_answers(refusal: str | None, version: str | None, verdict: Verdict) -> None:
    assert judge_broker(refusal, version).verdict is verdict


@pytest.mark.parametrize(
    ("is_held", "error_s", "verdict"),
    [(True, 0.02, Verdict.GOOD), (True, 1.5, Verdict.BAD), (False, 16.0, Verdict.BAD), (None, 0.0, Verdict.NOTE)],
)
def test_a_clock_that_nothing_holds_is_found(is_held: bool | None, error_s: float, verdict: Verdict) -> None:
    assert judge_clock(is_held, error_s, 1).verdict is verdict
    assert check_clock()[0].check == "true time"


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, '{"database": "ok", "version": "12.2.0"}', Verdict.GOOD),
        (200, '{"database": "ok", "version": "9.4.0-pre"}', Verdict.GOOD),
        (200, '{"database": "ok", "version": "9.3.16"}', Verdict.BAD),
        (200, '{"database": "failing", "version": "12.2.0"}', Verdict.BAD),
        (200, "<html>", Verdict.BAD),
        (503, "", Verdict.BAD),
    ],
)
def test_a_grafana_is_judged_by_its_health(status: int, body: str, verdict: Verdict) -> None:
    with answering(status, body) as url:  # a Grafana cannot be had here: its answer over HTTP
        assert [finding.verdict for finding in check_grafana(url)] == [verdict]


def test_an_absent_grafana_is_bad() -> None:
    assert check_grafana("http://127.0.0.1:1")[0].verdict is Verdict.BAD


@contextmanager
def answering(status: int, body: str) -> Iterator[str]:
    class Health(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/api/health" else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Health) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_no_tls_is_a_note_and_no_broker_is_bad() -> None:
    assert check_certificate("mqtt://127.0.0.1:1883", NOW)[0].verdict is Verdict.NOTE
    assert check_certificate("mqtts://127.0.0.1:1", NOW)[0].verdict is Verdict.BAD


def test_the_disk_of_a_folder_that_is_not_there_yet_is_that_above_it(tmp_path: Path) -> None:
    assert str(tmp_path) in check_disks([tmp_path / "not" / "yet"])[0].seen
