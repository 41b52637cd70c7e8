"""Grafana's own rules: their SQL on both kinds of database, by Grafana's role; what the provisioning names is there."""

from __future__ import annotations

import json
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.build import build
from tests.contract.flavours import slow_on_timescale
from undercroft.clock import SystemClock
from undercroft.site import load_site, sample_site_path
from undercroft.store.connection import connect
from undercroft.store.site import import_site

ROOT = Path(__file__).parents[2]
PROVISIONING = ROOT / "deploy/grafana/provisioning"


def provisioned(kind: str) -> dict[str, Any]:
    text = (PROVISIONING / kind / "undercroft.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


ALERTING = provisioned("alerting")
RULES: dict[str, dict[str, Any]] = {rule["uid"]: rule for rule in ALERTING["groups"][0]["rules"]}


def fires(connection: Any, uid: str) -> bool | None:
    """Evaluate a rule as Grafana does: its query, then its threshold; None where it has no data."""
    asked, judged = RULES[uid]["data"]
    rows = connection.execute(asked["model"]["rawSql"].encode()).fetchall()
    if not rows:
        return None
    (value,) = rows[0].values()
    assert isinstance(value, float)
    evaluator = judged["model"]["conditions"][0]["evaluator"]
    (limit,) = evaluator["params"]
    is_above = {"gt": True, "lt": False}[evaluator["type"]]
    return bool(value > limit if is_above else value < limit)


@slow_on_timescale
def test_each_rule_fires_when_it_should_and_is_quiet_when_all_is_well(any_db: str) -> None:
    fresh_tick = (
        "insert into tick (tick_seq, tick_at, up_to_commit_seq, committed_at)"
        " values (%s, now(), 1, now() - %s::interval)"
    )
    reading = (
        "insert into observation (sensor_id, observed_at, value, quality, quality_tests, received_at, batch_id)"
        " select sensor_id, now() - %(late)s::interval, 1, 1, 0, now() - %(late)s::interval, 1 from sensor"
        " where device_id like 'canary%%' and quantity <> 'online'"
    )
    with closing(connect(any_db, application_name="tests", autocommit=True)) as connection:
        import_site(connection, load_site(sample_site_path()), "tests", SystemClock().now())

        def found() -> dict[str, bool | None]:
            connection.execute("set role undercroft_grafana")
            said = {uid: fires(connection, uid) for uid in RULES}
            connection.execute("reset role")
            return said

        # Nothing was judged or heard yet.
        assert found() == {"uc-engine-silent": True, "uc-canary-late": True, "uc-database-away": False}
        connection.execute(fresh_tick, (9001, "61 s"))
        connection.execute(reading, {"late": "181 s"})
        assert found() == {"uc-engine-silent": True, "uc-canary-late": True, "uc-database-away": False}
        connection.execute(fresh_tick, (9002, "0 s"))
        connection.execute(reading, {"late": "0 s"})
        assert found() == {"uc-engine-silent": False, "uc-canary-late": False, "uc-database-away": False}
        # A second canary, which has never spoken, is not hidden by the first.
        connection.execute(
            "insert into device (device_id, place_id, interval_dry_s, interval_wet_s)"
            " select 'canary-2', place_id, interval_dry_s, interval_wet_s from device where device_id like 'canary%'"
        )
        connection.execute(
            "insert into sensor (device_id, place_id, quantity, unit)"
            " select 'canary-2', place_id, 'battery_v', 'V' from device where device_id = 'canary-2'"
        )
        assert found()["uc-canary-late"] is True


def test_without_a_canary_its_rule_has_no_data_and_an_empty_database_is_away(exercise_db: str) -> None:
    with closing(connect(exercise_db, application_name="tests", autocommit=True)) as connection:
        assert fires(connection, "uc-canary-late") is None
        assert RULES["uc-canary-late"]["noDataState"] == "OK"
        assert fires(connection, "uc-engine-silent") is True
        connection.execute("delete from deployment")
        assert fires(connection, "uc-database-away") is True


@pytest.mark.parametrize("uid", sorted(RULES))
def test_a_rule_names_what_is_there(uid: str) -> None:
    rule = RULES[uid]
    (source,) = provisioned("datasources")["datasources"]
    steps = {step["refId"]: step for step in rule["data"]}
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", uid)
    assert steps[rule["condition"]]["model"]["expression"] in steps
    assert {step["datasourceUid"] for step in rule["data"]} == {source["uid"], "__expr__"}
    assert all(step["model"]["refId"] == name for name, step in steps.items())
    for state, known in (("noDataState", {"OK", "Alerting", "NoData"}), ("execErrState", {"OK", "Alerting", "Error"})):
        assert rule[state] in known


def test_the_parts_of_the_provisioning_fit_together_and_into_the_stack() -> None:
    (provider,) = provisioned("dashboards")["providers"]
    (source,) = provisioned("datasources")["datasources"]
    titles = [group["folder"] for group in ALERTING["groups"]]
    # Rules name a folder by title, without the uid that the dashboards' has: it must be another title (grafana#125079).
    assert provider["folder"] not in titles
    points = {point["name"] for point in ALERTING["contactPoints"]}
    assert {policy["receiver"] for policy in ALERTING["policies"]} <= points
    for text in build().values():
        assert set(re.findall(r'"uid": "(undercroft)"', text)) == {source["uid"]}, json.loads(text)["title"]
    grafana = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]["grafana"]
    mounted = [volume.split(":")[1] for volume in grafana["volumes"]]
    assert provider["options"]["path"] in mounted
    said = "\n".join(path.read_text(encoding="utf-8") for path in PROVISIONING.rglob("*.yaml"))
    assert set(re.findall(r"\$(UNDERCROFT_\w+)", said)) <= set(grafana["environment"])
    shown = {secret["target"] for secret in grafana["secrets"] if isinstance(secret, dict)}
    assert set(re.findall(r"\$__file\{(.+?)\}", said)) == shown
