"""The doctor's checks: each fault that it knows is found and named."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from undercroft.doctor.broker import (
    WANTED,
    check_access_list,
    check_certificate,
    check_configuration,
    read_configuration,
)
from undercroft.doctor.database import judge
from undercroft.doctor.finding import Verdict
from undercroft.doctor.machine import check_disk
from undercroft.store.inspect import DatabaseFacts

DEPLOY = Path(__file__).parents[3] / "deploy/mosquitto"
NOW = datetime(2026, 7, 1, tzinfo=UTC)
WELL = DatabaseFacts(
    server_version=170005, extension="2.26.0", mode="live", missing_migrations=[], failing_jobs=[], missing_policies=[],
    jobs_run=True, overdue=[], grafana_reads_tables=False, is_superuser=False, is_owner=False,
    groups=["undercroft_api"], server_now=NOW, bytes_used=10, is_fsync_on=True,
)  # fmt: skip


def bad_checks(facts: DatabaseFacts) -> list[str]:
    return [finding.check for finding in judge(facts, NOW) if finding.verdict is Verdict.BAD]


def test_a_good_database_has_nothing_bad() -> None:
    assert {finding.verdict for finding in judge(WELL, NOW)} == {Verdict.GOOD}


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ({"server_version": 140010}, "database"),
        ({"is_fsync_on": False}, "database"),
        ({"missing_migrations": ["0040_storage"]}, "schema"),
        ({"extension": "2.19.3"}, "timescaledb"),
        ({"missing_policies": ["observation: policy_compression"]}, "policies"),
        ({"failing_jobs": ["policy_compression observation"]}, "policies"),
        ({"jobs_run": False}, "jobs"),
        ({"overdue": ["batch"]}, "retention"),
        ({"grafana_reads_tables": True}, "rights"),
        ({"groups": []}, "rights"),
        ({"groups": ["undercroft_api", "undercroft_ingest"]}, "rights"),
        ({"server_now": NOW + timedelta(seconds=3)}, "clock"),
    ],
)
def test_each_fault_of_a_database_is_found(fault: dict[str, object], check: str) -> None:
    assert bad_checks(replace(WELL, **fault)) == [check]  # type: ignore[arg-type]


def test_our_own_broker_configuration_is_good_and_each_missing_option_is_found() -> None:
    options = read_configuration(DEPLOY / "mosquitto.conf")
    assert [finding.verdict for finding in check_configuration(options)] == [Verdict.GOOD]
    for name in (*WANTED, "acl_file", "certfile"):
        without = {key: value for key, value in options.items() if key != name}
        assert [finding.verdict for finding in check_configuration(without)] == [Verdict.BAD], name


def test_an_access_list_that_gives_topics_to_everybody_is_found() -> None:
    assert check_access_list((DEPLOY / "acl").read_text(encoding="utf-8"))[0].verdict is Verdict.GOOD
    assert check_access_list("topic write flood/v1/#\n")[0].verdict is Verdict.BAD
    assert check_access_list("pattern write flood/v1/+/+/+/observation\n")[0].verdict is Verdict.BAD


def test_no_tls_is_a_note_and_no_broker_is_bad() -> None:
    assert check_certificate("mqtt://127.0.0.1:1883", NOW)[0].verdict is Verdict.NOTE
    assert check_certificate("mqtts://127.0.0.1:1", NOW)[0].verdict is Verdict.BAD


def test_the_disk_of_a_folder_that_is_not_there_yet_is_that_above_it(tmp_path: Path) -> None:
    assert str(tmp_path) in check_disk(tmp_path / "not" / "yet")[0].seen
