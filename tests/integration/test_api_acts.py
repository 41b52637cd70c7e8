"""Acts over HTTP: a real server, a real database, each with the least rights; what an officer's console would send."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest

from duty.door.door import new_token
from duty.incidents.codec import to_json
from duty.incidents.incidents import fold
from duty.incidents.incidents import opened as opening
from risk.follower import Follower
from risk.run import step_live
from tests.browser.service import running_api
from tests.integration.desk_kit import Desk, a_desk
from tests.integration.door_kit import alarm
from tests.integration.duty_kit import now, opened
from tests.unit.duty.kit import event
from undercroft.model import Mode
from undercroft.stack.postgres import PostgresServer
from undercroft.store import duty_acts as store
from undercroft.store.conditions import Condition, set_condition

SUBJECT = "space/gar"
ACKNOWLEDGE = {"kind": "acknowledge", "subject": SUBJECT, "comment": "mine"}
OVER = {
    "kind": "rain_warning", "subject": "warning/a", "state": "in_force", "colour": "red",
    "until": "2020-01-01T00:00:00+00:00",
}  # fmt: skip


@pytest.fixture(scope="module")
def red_desk(postgres: PostgresServer, template_databases: dict[Mode, str]) -> Iterator[Desk]:
    """A desk with a red alarm, for tests that change nothing but the audit."""
    with a_desk(postgres, template_databases[Mode.LIVE]) as found:
        alarm(found.db, severity=4)
        yield found


def test_mine_of_an_incident_over_http_names_what_it_does_not_take(desk: Desk) -> None:
    first, second = event(0, "raised", 3), event(1, "raised", 2, "space/up")
    incident = replace(fold(fold(opening("b1", first), first), second), reached=0, news=("space/up",))
    for subject, severity in (("space/gar", 3), ("space/up", 2)):
        alarm(desk.db, subject, severity=severity)
    desk.db.execute(
        "insert into incident (incident_id, basin_id, opened_at, worst, state) values ('i1', 'b1', now(), 3, %s)",
        (orjson.dumps(to_json(incident)).decode(),),
    )
    mine = {"kind": "acknowledge", "subject": "incident/i1", "comment": "mine"}
    done = desk.post("/acts", mine, Idempotency_Key="m1")
    assert (done.status_code, done.json()["left_out"]) == (201, "space/up")
    assert desk.post("/acts", mine, Idempotency_Key="m1").json() == done.json() | {"repeated": True}
    taken = desk.db.execute("select subject from act where kind = 'acknowledge'").fetchall()
    assert [row["subject"] for row in taken] == ["space/gar"]
    assert desk.post("/acts", {"kind": "acknowledge", "subject": "space/up"}).json()["left_out"] is None


def test_an_officer_says_mine_and_the_engine_and_everybody_know(desk: Desk) -> None:
    condition = Condition("ingest-lag", True, 12.0, 10.0, "s", "late")
    assert set_condition(desk.db, condition, "ingest", now())
    follower = Follower(desk.db)
    step_live(desk.db, follower, now())
    seen = httpx.get(f"{desk.address}api/v1/alarms?open=true").json()["items"]
    assert [(row["subject"], row["acknowledged"]) for row in seen] == [("system/ingest-lag", False)]
    answer = desk.post("/acts", ACKNOWLEDGE | {"subject": "system/ingest-lag"})
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert (body["entry_no"], body["repeated"], body["order_id"]) == (1, False, None)
    step_live(desk.db, follower, now())
    assert follower.cursor == body["commit_seq"]
    (seen,) = httpx.get(f"{desk.address}api/v1/alarms?open=true").json()["items"]
    assert seen["acknowledged"] is True
    (row,) = desk.db.execute("select operator_id, origin, action, outcome, detail from audit").fetchall()
    assert row == {
        "operator_id": "li", "origin": "http:127.0.0.1", "action": "acknowledge", "outcome": "done",
        "detail": {"comment": "mine"},
    }  # fmt: skip
    assert [(entry["author"], entry["subject"]) for entry in store.log_entries(desk.db)] == [
        ("li", "system/ingest-lag")
    ]


ACTS: list[dict[str, Any]] = [
    {"kind": "shelve", "subject": SUBJECT, "reason": "pump test", "minutes": 5},
    {"kind": "stand_down", "subject": SUBJECT, "evidence": "looked, dry"},
    {"kind": "out_of_service", "subject": "device/gar-out", "reason": "renewal", "minutes": 60},
    {"kind": "in_service", "subject": "device/gar-out"},
    {"kind": "rain_warning", "subject": "warning/a", "state": "in_force", "colour": "red", "basins": ["b1"]},
    {"kind": "rain_warning", "subject": "warning/a", "state": "ended"},
    {"kind": "field_report", "subject": SUBJECT, "entrance": "north", "depth_m": 0.2, "barrier": "open", "by": "Sun"},
    {"kind": "stock_movement", "subject": SUBJECT, "item": "sandbag", "quantity": 40, "reason": "from the depot"},
    {"kind": "note", "text": "handed over"},
    {"kind": "phone", "text": "pump crew", "caller": "Sun", "unit": "street", "phone": "8000", "subject": SUBJECT},
    {"kind": "note", "text": "eight, not nine", "corrects": 1},
]


def test_every_act_has_its_way_in(desk: Desk) -> None:
    alarm(desk.db)
    for act in ACTS:
        answer = desk.post("/acts", act, desk.leader)
        assert answer.status_code == 201, (act, answer.text)
    kinds = [act["kind"] for act in ACTS]
    assert [entry["kind"] for entry in store.log_entries(desk.db)] == kinds
    assert store.log_entries(desk.db)[-1]["corrects"] == 1
    rows = desk.db.execute("select kind, subject, body from act order by commit_seq").fetchall()
    assert [row["kind"] for row in rows] == kinds[:8]
    assert rows[5]["body"] == {"colour": "red", "state": "ended", "basins": ["b1"], "streets": []}
    report = rows[6]["body"]
    assert (report["entrance"], report["depth_m"], report["barrier"], report["by"]) == ("north", 0.2, "open", "Sun")
    assert report["expires_at"] > report["observed_at"]
    assert rows[7]["body"] == {"item": "sandbag", "quantity": 40, "reason": "from the depot", "left": 40}
    assert httpx.get(f"{desk.address}api/v1/spaces/gar").json()["stock"] == [{"item": "sandbag", "quantity": 40.0}]
    desk.post("/acts", ACTS[2], desk.leader)
    (out,) = desk.get("/spaces/gar")["out_of_service"]
    assert (out["device_id"], out["reason"]) == ("gar-out", "renewal")
    assert desk.get("/spaces/up")["out_of_service"] == []
    (move,) = httpx.get(f"{desk.address}api/v1/stock-movements", params={"place": "gar"}).json()["items"]
    assert (move["place_id"], move["quantity"], move["quantity_left"], move["author"]) == ("gar", 40.0, 40.0, "wu")


def test_a_report_of_what_was_seen_too_long_ago_is_refused(desk: Desk) -> None:
    """A report counts for an hour after what was seen; one that is over when it comes would change nothing."""
    said = {"kind": "field_report", "subject": "space/gar", "depth_m": 0.5, "by": "Sun"}
    for minutes, status in ((61, 409), (59, 201)):
        seen_at = (now() - timedelta(minutes=minutes)).isoformat(timespec="seconds")
        answer = desk.post("/acts", said | {"observed_at": seen_at})
        assert answer.status_code == status, answer.text
        if status == 409:
            assert "has expired already: say how it is now" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "token", "status", "error"),
    [
        (ACKNOWLEDGE, None, 401, "TokenUnknown"),
        (ACKNOWLEDGE, "nobody", 401, "TokenUnknown"),
        ({"kind": "stand_down", "subject": SUBJECT, "evidence": "x"}, "", 403, "RoleTooLow"),
        (ACKNOWLEDGE | {"subject": "space/none"}, "", 404, "SubjectUnknown"),
        (ACKNOWLEDGE | {"subject": "space/up"}, "", 409, "NotPossibleNow"),
        ({"kind": "shelve", "subject": SUBJECT, "reason": "x", "minutes": 5}, "", 409, "NotPossibleNow"),
        ({"kind": "shelve", "subject": SUBJECT, "reason": "x", "minutes": 481}, "", 422, "RequestInvalid"),
        ({"kind": "dance", "subject": SUBJECT}, "", 422, "RequestInvalid"),
        (ACKNOWLEDGE | {"mood": "good"}, "", 422, "RequestInvalid"),
        ({"kind": "rain_warning", "subject": "warning/a", "state": "in_force"}, "", 422, "ActInvalid"),
        (OVER, "", 422, "ActInvalid"),
        ({"kind": "note", "text": "x" * 4001}, "", 422, "RequestInvalid"),
        ({"kind": "note", "text": "x" * 70_000}, "", 413, "BodyTooLarge"),
        ({"kind": "submit_report", "subject": "incident/i", "serial": 1}, "", 404, "SubjectUnknown"),
    ],
)
def test_refusals_are_told_apart_and_change_nothing(
    red_desk: Desk, body: dict[str, Any], token: str | None, status: int, error: str
) -> None:
    desk = red_desk
    before = len(desk.db.execute("select from audit").fetchall())
    answer = desk.post("/acts", body, token, Idempotency_Key="k")
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert ("www-authenticate" in answer.headers) == (status == 401)
    assert desk.told() == {"act": 0, "duty_log": 0, "act_key": 0, "duty_order": 0}
    audit = desk.db.execute("select origin, outcome, action, detail from audit order by audit_id")
    rows = audit.fetchall()[before:]
    at_the_door = token is not None and error not in {"RequestInvalid", "BodyTooLarge"}
    assert [(row["origin"], row["outcome"]) for row in rows] == [("http:127.0.0.1", "refused")] * at_the_door
    assert "nobody" not in str([row["detail"].get("token_sha256") for row in rows])


def test_a_body_without_a_length_is_cut_off_too(red_desk: Desk) -> None:
    desk = red_desk

    def pieces() -> Iterator[bytes]:
        yield b'{"kind": "note", "text": "'
        for _ in range(100):
            yield b"x" * 1000

    headers = {"Authorization": f"Bearer {desk.officer}", "Content-Type": "application/json"}
    answer = httpx.post(f"{desk.address}api/v1/acts", content=pieces(), headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (413, "BodyTooLarge")


def test_what_is_sent_again_is_done_once(desk: Desk) -> None:
    alarm(desk.db)
    first = desk.post("/acts", ACKNOWLEDGE, Idempotency_Key="k1").json()
    again = desk.post("/acts", ACKNOWLEDGE, Idempotency_Key="k1").json()
    assert again == first | {"repeated": True}
    assert first["commit_seq"] is not None
    other = desk.post("/acts", ACKNOWLEDGE | {"comment": "other"}, Idempotency_Key="k1")
    assert (other.status_code, other.json()["error"]) == (422, "KeyReused")
    assert desk.told() == {"act": 1, "duty_log": 1, "act_key": 1, "duty_order": 0}


def test_eight_sendings_at_once_are_one_act(desk: Desk) -> None:
    note, barrier = {"kind": "note", "text": "once"}, threading.Barrier(8)

    def send(_: int) -> tuple[int, bool]:
        barrier.wait()
        answer = desk.post("/acts", note, Idempotency_Key="k1")
        return answer.status_code, answer.json()["repeated"]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))
    assert {status for status, _ in answers} == {201}
    assert [repeated for _, repeated in answers].count(False) == 1
    assert desk.told()["duty_log"] == 1


def test_nobody_says_from_where_they_act_unless_the_proxy_is_known(
    postgres: PostgresServer, template_databases: dict[Mode, str], desk: Desk
) -> None:
    with a_desk(postgres, template_databases[Mode.LIVE], api_trusted_proxies="127.0.0.1") as behind:
        for one in (desk, behind):
            assert one.post("/acts", {"kind": "note", "text": "x"}, X_Forwarded_For="192.0.2.7").status_code == 201
        origins = [one.db.execute("select origin from audit").fetchone() for one in (desk, behind)]
    assert origins == [{"origin": "http:127.0.0.1"}, {"origin": "http:192.0.2.7"}]


def test_a_login_for_another_database_does_nothing_there(live_db: str, exercise_db: str) -> None:
    with running_api(exercise_db, settings={"acts_database_url": live_db}) as (address, _), opened(live_db) as db:
        token, hashed = new_token()
        store.add_operator(db, "li", "li", "leader", hashed, now())
        asked = {"kind": "acknowledge", "subject": "space/cp-01", "comment": ""}
        answer = httpx.post(f"{address}api/v1/acts", json=asked, headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.json()["error"]) == (501, "AnotherDeployment")
        assert db.execute("select count(*) as n from audit").fetchone() == {"n": 0}


def test_a_service_without_the_login_only_reads(exercise_db: str) -> None:
    with running_api(exercise_db) as (address, _):
        answer = httpx.post(f"{address}api/v1/acts", json={"kind": "note", "text": "x"})
        assert (answer.status_code, answer.json()["error"]) == (501, "ActsNotOffered")
