"""Roster and operators over HTTP."""

from __future__ import annotations

from datetime import timedelta

from duty.door.door import new_token
from tests.integration.desk_kit import Desk
from tests.integration.duty_kit import now
from undercroft.store import duty_acts as store


def test_the_roster_is_shown_and_replaced(desk: Desk) -> None:
    day = now().replace(microsecond=0)
    ends = day + timedelta(hours=12)
    header = "starts_at,ends_at,step,standing,person,name,phone,reach"
    csv = f"{header}\n{day.isoformat()},{ends.isoformat()},0,holder,sun,孙,8001,hook:sun\n"
    assert desk.post("/roster", {"csv": csv}).status_code == 403  # an officer
    assert desk.post("/roster", {"csv": csv, "zone": "Mars/Base"}, desk.leader).status_code == 422
    wrong = desk.post("/roster", {"csv": csv.replace("hook:sun", "sun")}, desk.leader)
    assert (wrong.status_code, wrong.json()["error"]) == (422, "RosterInvalid")
    year_1 = desk.post("/roster", {"csv": csv.replace(day.isoformat(), "0001-01-01T00:00:00+08:00")}, desk.leader)
    assert (year_1.status_code, "from 2000 to 2099" in year_1.text) == (422, True)
    assert desk.post("/roster", {"csv": csv}, desk.leader, Idempotency_Key="r1").status_code == 201
    assert desk.post("/roster", {"csv": csv}, desk.leader, Idempotency_Key="r1").json()["repeated"] is True
    handover = {"kind": "handover", "to": "sun", "text": "watch the ramp"}
    assert desk.post("/acts", handover).status_code == 201
    shown = desk.get("/roster?hours=12")
    assert [(row["person_id"], row["phone"]) for row in shown["chain"]] == [("sun", "8001"), ("wu", ""), ("chen", "")]
    assert (shown["handover"]["author"], shown["handover"]["to"]) == ("li", "sun")
    away = {"person_id": "sun", "ends_at": ends.isoformat()}
    assert desk.post("/roster/absences", away | {"person_id": "nemo"}).status_code == 404
    for starts_at in ("0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00"):
        assert desk.post("/roster/absences", away | {"starts_at": starts_at}).status_code == 422
    assert desk.post("/roster/absences", away).status_code == 201
    shown = desk.get("/roster?hours=12")
    assert [row["person_id"] for row in shown["chain"]] == ["wu", "chen"]
    assert [gap["step"] for gap in shown["gaps"]] == [0]
    back = {"person_id": "sun", "taken_back": True}
    assert desk.post("/roster/absences", back | {"ends_at": ends.isoformat()}).status_code == 422
    assert desk.post("/roster/absences", {"person_id": "sun"}).status_code == 422
    assert desk.post("/roster/absences", back).status_code == 201
    assert desk.post("/roster/absences", back).json()["error"] == "NotPossibleNow"
    shown = desk.get("/roster?hours=12")
    assert ([row["person_id"] for row in shown["chain"]], shown["gaps"]) == (["sun", "wu", "chen"], [])


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
