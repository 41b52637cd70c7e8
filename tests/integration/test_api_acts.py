"""Acts over HTTP: a real server, a real database, each with the least rights; what an officer's console would send."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

import httpx
import orjson
import pytest

from duty.codec import to_json
from duty.door import new_token
from duty.incidents import fold
from duty.incidents import opened as opening
from risk.run import Follower, step_live
from tests.browser.service import running_api
from tests.integration.door_kit import alarm, observe
from tests.integration.duty_kit import now, opened, prepared, tick
from tests.unit.duty.kit import event
from undercroft.errors import StoreRejected
from undercroft.model import Mode
from undercroft.stack.postgres import PostgresServer
from undercroft.store import duty_acts as store
from undercroft.store.conditions import Condition, set_condition
from undercroft.store.connection import Connection, translated_errors
from undercroft.store.databases import create_database, drop_database
from undercroft.store.roles import Role, create_logins

_NUMBERS = count(1)
SUBJECT = "space/gar"
ACKNOWLEDGE = {"kind": "acknowledge", "subject": SUBJECT, "comment": "mine"}


@dataclass(frozen=True, slots=True)
class Desk:
    """A database, the server's address, and the tokens of an officer and a leader."""

    db: Connection
    address: str
    officer: str
    leader: str
    client: httpx.Client

    def post(self, path: str, body: Any, token: str | None = "", **headers: str) -> httpx.Response:
        """Send an act; by default as the officer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            named["Authorization"] = f"Bearer {token or self.officer}"
        return self.client.post(f"{self.address}api/v1{path}", json=body, headers=named)

    def get(self, path: str) -> Any:
        """Look, as anybody may."""
        answer = self.client.get(f"{self.address}api/v1{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def told(self) -> dict[str, int]:
        """Count what acts leave behind."""
        tables = ("act", "duty_log", "act_key", "duty_order")
        return {name: len(self.db.execute(f"table {name}".encode()).fetchall()) for name in tables}


@contextmanager
def a_desk(postgres: PostgresServer, template: str, **settings: str) -> Iterator[Desk]:
    name = f"api_acts_{next(_NUMBERS)}"
    create_database(postgres.url(), name, template)
    logins = create_logins(postgres.url(name), name, lambda login: f"pw-{login}")
    url = {role: postgres.url(name, login, f"pw-{login}") for role, login in logins.items()}
    tokens = []
    with ExitStack() as stack:
        stack.callback(drop_database, postgres.url(), name)
        db = stack.enter_context(opened(postgres.url(name)))
        prepared(db)
        for operator, role in (("li", "officer"), ("wu", "leader")):
            token, hashed = new_token()
            store.add_operator(db, operator, operator, role, hashed, now())
            tokens.append(token)
        given = {"acts_database_url": url[Role.ACTS]} | settings
        address, _ = stack.enter_context(running_api(url[Role.API], settings=given))
        client = stack.enter_context(httpx.Client(timeout=30.0))
        officer, leader = tokens
        yield Desk(db, address, officer, leader, client)


@pytest.fixture
def desk(postgres: PostgresServer, template_databases: dict[Mode, str]) -> Iterator[Desk]:
    with a_desk(postgres, template_databases[Mode.LIVE]) as found:
        yield found


@pytest.fixture(scope="module")
def red_desk(postgres: PostgresServer, template_databases: dict[Mode, str]) -> Iterator[Desk]:
    """A desk with a red alarm, for tests that change nothing but the audit."""
    with a_desk(postgres, template_databases[Mode.LIVE]) as found:
        alarm(found.db, severity=4)
        yield found


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
    (move,) = httpx.get(f"{desk.address}api/v1/stock-movements", params={"place": "gar"}).json()["items"]
    assert (move["place_id"], move["quantity"], move["quantity_left"], move["author"]) == ("gar", 40.0, 40.0, "wu")


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


def test_an_order_and_its_confirmation(desk: Desk) -> None:
    wanted = {"subject": SUBJECT, "proof": "barrier_deployed", "owner": "Lianhua street", "entrance": "north"}
    assert desk.post("/orders", wanted).status_code == 409  # no incident yet
    desk.db.execute(
        "insert into incident (incident_id, basin_id, opened_at, worst, state) values ('i1', 'b1', now(), 4, '{}')"
    )
    observe(desk.db, "barrier_state", 5.0)  # failed
    assert desk.post("/orders", wanted | {"entrance": "west"}).status_code == 404
    issued = desk.post("/orders", wanted, Idempotency_Key="o1")
    assert issued.status_code == 201, issued.text
    assert desk.post("/orders", wanted, Idempotency_Key="o1").json() == issued.json() | {"repeated": True}
    order_id = issued.json()["order_id"]
    steps = f"/orders/{order_id}/steps"
    (waits,) = desk.get("/orders?open=true")["items"]
    assert (waits["order_id"], waits["state"], waits["owner"]) == (order_id, "issued", "Lianhua street")
    assert 14 * 60 < waits["left_s"] <= 15 * 60  # the template gives a barrier 15 min
    assert (waits["is_late"], waits["disagreement"], waits["confirmed_until"]) == (False, None, None)
    assert (waits["severity"], waits["reminders"], waits["leader"]) == (
        4,
        0,
        "区三防指挥部副指挥长 the district's deputy commander",
    )
    assert all(waits[name] for name in ("team", "plan", "single_voice"))
    wanted_next = desk.get(f"/orders/proposed?subject={SUBJECT}")
    assert [row["proof"] for row in wanted_next] == ["evacuated", "entrance_closed", "barrier_deployed", "pump_running"]
    assert {row["leader"] for row in wanted_next} == {waits["leader"]}
    done = desk.post(steps, {"step": "confirm", "note": "photo"}, Idempotency_Key="s1")
    assert done.json()["disagreement"] == "confirmed as barrier_deployed, but the sensor shows failed"
    assert desk.post(steps, {"step": "confirm", "note": "photo"}, Idempotency_Key="s1").json()["repeated"] is True
    shown = desk.get(f"/orders/{order_id}")
    assert (shown["state"], shown["left_s"], shown["holds"]) == ("confirmed", None, True)
    assert shown["disagreement"] == done.json()["disagreement"]
    (contradicted,) = desk.get("/orders?open=true")["items"]
    assert (contradicted["state"], contradicted["disagreement"]) == ("confirmed", shown["disagreement"])
    assert [(step["step"], step["author"], step["note"]) for step in shown["steps"]] == [
        ("issue", "li", ""), ("confirm", "li", "photo"),
    ]  # fmt: skip
    observe(desk.db, "barrier_state", 3.0)  # deployed at last: nothing disagrees any more
    assert desk.get(f"/orders/{order_id}")["disagreement"] is None
    assert desk.get("/orders?open=true")["items"] == []
    page = desk.get(f"/orders?subject={SUBJECT}&limit=1")
    assert [row["order_id"] for row in page["items"]] == [order_id]
    assert desk.get(f"/orders?limit=1&cursor={page['next_cursor']}")["items"] == []
    tally = desk.get("/orders/tally")
    assert (tally["waiting"], tally["late"], tally["confirmed_in_time"], tally["reminders"]) == (0, 0, 1, 0)
    late = desk.post(steps, {"step": "take"})
    assert (late.status_code, late.json()["error"]) == (409, "OrderRefused")
    assert desk.post(steps, {"step": "dance"}).status_code == 422
    assert desk.post("/orders/o-0123456789/steps", {"step": "take"}).status_code == 404
    kinds = desk.db.execute("select kind, body ->> 'entrance' as entrance from act").fetchall()
    assert kinds == [{"kind": "field_report", "entrance": "north"}]


def test_the_roster_is_shown_and_replaced(desk: Desk) -> None:
    day = now().replace(microsecond=0)
    ends = day + timedelta(hours=12)
    header = "starts_at,ends_at,step,standing,person,name,phone,reach"
    csv = f"{header}\n{day.isoformat()},{ends.isoformat()},0,holder,sun,孙,8001,hook:sun\n"
    assert desk.post("/roster", {"csv": csv}).status_code == 403  # an officer
    assert desk.post("/roster", {"csv": csv, "zone": "Mars/Base"}, desk.leader).status_code == 422
    wrong = desk.post("/roster", {"csv": csv.replace("hook:sun", "sun")}, desk.leader)
    assert (wrong.status_code, wrong.json()["error"]) == (422, "RosterInvalid")
    assert desk.post("/roster", {"csv": csv}, desk.leader, Idempotency_Key="r1").status_code == 201
    assert desk.post("/roster", {"csv": csv}, desk.leader, Idempotency_Key="r1").json()["repeated"] is True
    handover = {"kind": "handover", "to": "sun", "text": "watch the ramp"}
    assert desk.post("/acts", handover).status_code == 201
    shown = desk.get("/roster?hours=12")
    assert [(row["step"], row["person_id"], row["phone"]) for row in shown["chain"]] == [(0, "sun", "8001")]
    assert (shown["handover"]["author"], shown["handover"]["to"]) == ("li", "sun")
    away = {"person_id": "sun", "ends_at": ends.isoformat()}
    assert desk.post("/roster/absences", away | {"person_id": "nemo"}).status_code == 404
    assert desk.post("/roster/absences", away).status_code == 201
    shown = desk.get("/roster?hours=12")
    assert shown["chain"] == []
    assert len(shown["gaps"]) == 1


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


def test_a_report_is_drafted_listed_read_and_handed_in(desk: Desk) -> None:
    raised = event(0, "raised", 3)
    incident = fold(opening("b1", raised), raised)
    path = f"/incidents/{incident.incident_id}/reports"
    assert desk.post(path, {}).status_code == 404
    desk.db.execute(
        "insert into incident (incident_id, basin_id, opened_at, worst, state) values (%s, 'b1', %s, 3, %s)",
        (incident.incident_id, raised.at, orjson.dumps(to_json(incident)).decode()),
    )
    assert desk.post(path, {}).json()["error"] == "NotPossibleNow", "nothing serious is in the log yet"
    tick(desk.db, 1, raised.at, ("space/gar", "raised", 3))
    # Serious at 15:50 on 1 July: the first report was due 2 h later, and follow-ups every 2 h since: all are missing.
    before = desk.get(path)
    assert (before["items"], before["tally"]["late"]) == ([], 0)
    assert before["tally"]["missing"] == sum(due["left_s"] < 0 for due in before["to_come"]) > 1
    assert [(due["kind"], due["due_at"]) for due in before["to_come"][:2]] == [
        ("phone", "2026-07-01T16:20:00Z"), ("first", "2026-07-01T17:50:00Z"),
    ]  # fmt: skip
    phoned = {"kind": "submit_report", "subject": f"incident/{incident.incident_id}", "serial": 0}
    assert [desk.post("/acts", phoned).status_code for _ in range(2)] == [201, 409]
    before = desk.get(path)
    assert [(row["serial"], row["kind"]) for row in before["items"]] == [(0, "phone")]
    assert before["tally"]["late"] == 1
    made = desk.post(path, {"zone": "Asia/Shanghai"}, Idempotency_Key="r1")
    assert made.status_code == 201, made.text
    drafted = made.json()["report"]
    assert (drafted["serial"], drafted["kind"], drafted["submitted_at"]) == (1, "first", None)
    assert drafted["text"].startswith("# 初报 First report\n")
    assert "alarm log space/gar 100〕" in drafted["text"]
    again = desk.post(path, {"zone": "Asia/Shanghai"}, Idempotency_Key="r1").json()
    assert (again["repeated"], again["report"]) == (True, drafted)
    handed_in = {"kind": "submit_report", "subject": f"incident/{incident.incident_id}", "serial": 1}
    assert desk.post("/acts", handed_in).status_code == 201
    with pytest.raises(StoreRejected, match="was handed in"), translated_errors():
        desk.db.execute("update report set text = 'other'")
    after = desk.get(path)
    assert [(row["serial"], row["submitted_by"]) for row in after["items"]] == [(0, "li"), (1, "li")]
    assert after["tally"] == before["tally"] | {"late": 2, "missing": before["tally"]["missing"] - 1}
    read = desk.get(f"{path}/1?form=text")["text"]
    assert read.startswith("初报 First report\n")
    assert desk.client.get(f"{desk.address}api/v1{path}/9").status_code == 404
    where = f"{desk.address}api/v1/incidents/{incident.incident_id}/cap"
    cap = desk.client.get(where, params={"sender": "duty@example.org"})
    assert cap.headers["content-type"] == "application/cap+xml"
    assert "<status>Draft</status>" in cap.text
    sent, earlier = "2026-07-01T23:50:00+08:00", "duty@example.org,a,"
    later = desk.client.get(where, params={"sender": "duty@example.org", "reference": [earlier + sent]})
    assert ("<msgType>Update</msgType>" in later.text, earlier in later.text) == (True, True)
    assert desk.client.get(where, params={"sender": "a", "reference": earlier + "today"}).status_code == 422
    assert [entry["kind"] for entry in store.log_entries(desk.db)] == ["submit_report", "draft_report", "submit_report"]


def test_operators_are_made_and_disabled_by_an_admin(desk: Desk) -> None:
    sun = {"operator_id": "sun", "name": "孙", "role": "leader"}
    assert desk.post("/operators", sun, desk.leader).json()["error"] == "RoleTooLow"
    token, hashed = new_token()
    store.add_operator(desk.db, "boss", "boss", "admin", hashed, now())
    made = desk.post("/operators", sun, token, Idempotency_Key="u1")
    assert made.status_code == 201, made.text
    again = desk.post("/operators", sun, token, Idempotency_Key="u1").json()
    assert (again["repeated"], again["token"]) == (True, None)
    suns = made.json()["token"]
    assert desk.post("/acts", {"kind": "note", "text": "here"}, suns).status_code == 201
    assert desk.client.get(f"{desk.address}api/v1/operators").status_code == 401
    listed = desk.client.get(f"{desk.address}api/v1/operators", headers={"Authorization": f"Bearer {suns}"}).json()
    assert [(row["operator_id"], row["role"], row["disabled_at"]) for row in listed["items"]] == [
        ("boss", "admin", None), ("li", "officer", None), ("sun", "leader", None), ("wu", "leader", None),
    ]  # fmt: skip
    assert desk.post("/operators/nobody/disable", {}, token).status_code == 404
    assert desk.post("/operators/sun/disable", {}, token).status_code == 201
    assert desk.post("/acts", {"kind": "note", "text": "again"}, suns).status_code == 401
    assert desk.post("/operators", sun | {"role": "king"}, token).status_code == 422
    kinds = [(entry["kind"], entry["author"]) for entry in store.log_entries(desk.db)]
    assert kinds == [("user_add", "boss"), ("note", "sun"), ("user_disable", "boss")]
    assert suns not in str(desk.db.execute("table audit").fetchall())
