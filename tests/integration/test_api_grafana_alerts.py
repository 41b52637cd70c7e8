"""What Grafana's contact point sends becomes an alarm of the system: a real service with its two least logins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from api.grafana_alerts.schemas import Watched
from risk.follower import Follower
from risk.run import step_live
from tests.browser.service import running_api
from tests.integration.desk_kit import Desk, a_desk
from tests.integration.duty_kit import now, opened
from undercroft.model import Mode
from undercroft.stack.postgres import PostgresServer

TOKEN = "a-token-of-24-characters"
PROVISIONED = Path(__file__).parents[2] / "deploy/grafana/provisioning/alerting/undercroft.yaml"


@contextmanager
def a_receiver(postgres: PostgresServer, template: str) -> Iterator[Desk]:
    with a_desk(postgres, template, alert_webhook_token=TOKEN) as desk:
        yield desk


@pytest.fixture(scope="module")
def receiver(postgres: PostgresServer, template_databases: dict[Mode, str]) -> Iterator[Desk]:
    with a_receiver(postgres, template_databases[Mode.LIVE]) as desk:
        yield desk


def message(condition: str, status: str = "firing") -> dict[str, Any]:
    """Return what Grafana 9.4 sent, shortened; 12 adds fields."""
    return {
        "receiver": "undercroft-webhook",
        "status": status,
        "orgId": 1,
        "alerts": [
            {
                "status": status,
                "labels": {"alertname": "引擎无输出 · Engine silent", "condition": condition, "system": "undercroft"},
                "annotations": {"summary": "引擎无输出 · The engine has judged nothing for over 60 s."},
                "startsAt": "2026-07-01T12:00:00Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "fingerprint": "a2c7a1b2c3d4e5f6",
                "valueString": "[ var='A' labels={} value=75 ]",
            }
        ],
        "version": "1",
        "state": "alerting",
    }


def send(desk: Desk, body: Any, auth: Any = ("grafana", TOKEN), **headers: str) -> httpx.Response:
    return desk.client.post(f"{desk.address}api/v1/grafana-alerts", json=body, auth=auth, headers=headers)


def open_alarms(desk: Desk) -> list[tuple[str, int]]:
    return [(row["subject"], row["severity"]) for row in desk.get("/alarms?open=true")["items"] if row["active"]]


def test_what_a_rule_says_is_an_alarm_once_until_the_rule_takes_it_back(receiver: Desk) -> None:
    follower = Follower(receiver.db)
    step_live(receiver.db, follower, now())
    assert send(receiver, message("engine-silent")).json() == {"changed": 1}
    assert send(receiver, message("engine-silent")).json() == {"changed": 0}
    step_live(receiver.db, follower, now())
    assert open_alarms(receiver) == [("system/grafana-engine-silent", 3)]
    (row,) = receiver.get("/alarms?open=true")["items"]
    assert "judged nothing for over 60 s" in row["reasons"][0]["text_en"]
    assert send(receiver, message("engine-silent", "resolved")).json() == {"changed": 1}
    step_live(receiver.db, follower, now())
    assert open_alarms(receiver) == []
    told = receiver.db.execute(
        "select author, body -> 'is_active' as is_active from act where subject = 'system/grafana-engine-silent'"
        " order by commit_seq"
    ).fetchall()
    assert told == [{"author": "grafana", "is_active": True}, {"author": "grafana", "is_active": False}]


@pytest.mark.parametrize("auth", [None, ("grafana", "a-token-of-24-characterz"), ("grafana", ""), ("grafana", "密码")])
def test_nobody_else_is_believed(receiver: Desk, auth: tuple[str, str] | None) -> None:
    before = receiver.told()
    assert send(receiver, message("canary-late"), auth).status_code == 401
    assert receiver.told() == before


def test_a_bearer_token_is_taken_too(receiver: Desk) -> None:
    answer = send(receiver, message("canary-late", "resolved"), None, Authorization=f"Bearer {TOKEN}")
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (message("tea-cold"), "alerts.0.labels.condition"),
        ({"alerts": []}, "alerts"),
        (message("canary-late", "maybe"), "alerts.0.status"),
        ({}, "alerts: Field required"),
    ],
)
def test_what_is_no_alert_of_ours_is_refused_by_name(receiver: Desk, body: Any, words: str) -> None:
    answer = send(receiver, body)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]


@pytest.mark.slow
def test_without_a_token_none_is_taken_and_an_exercise_takes_none(live_db: str, exercise_db: str) -> None:
    with running_api(live_db, settings={"acts_database_url": live_db}) as (address, _), httpx.Client() as client:
        answer = client.post(f"{address}api/v1/grafana-alerts", json=message("canary-late"), auth=("grafana", TOKEN))
        assert (answer.status_code, answer.json()["error"]) == (501, "AlertsNotOffered")
    given = {"acts_database_url": exercise_db, "alert_webhook_token": TOKEN}
    with running_api(exercise_db, settings=given) as (address, _), httpx.Client() as client:
        answer = client.post(f"{address}api/v1/grafana-alerts", json=message("canary-late"), auth=("grafana", TOKEN))
        assert (answer.status_code, answer.json()["error"]) == (409, "NotPossibleNow")
    with opened(exercise_db) as connection:
        assert connection.execute("table system_condition").fetchall() == []


def test_the_rules_that_are_provisioned_name_the_conditions_that_are_taken() -> None:
    file = yaml.safe_load(PROVISIONED.read_text(encoding="utf-8"))
    rules = [rule for group in file["groups"] for rule in group["rules"]]
    assert [rule["labels"]["condition"] for rule in rules] == [watched.value for watched in Watched]
    assert all(rule["uid"] == f"uc-{rule['labels']['condition']}" for rule in rules)
