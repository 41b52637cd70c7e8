"""Reports and CAP messages over HTTP: made through the door, kept, listed, read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from lxml import etree

from duty.incidents.codec import to_json
from duty.incidents.incidents import Incident, fold
from duty.incidents.incidents import opened as opening
from tests.integration.desk_kit import Desk
from tests.integration.duty_kit import now, tick
from tests.unit.duty.kit import event
from undercroft.errors import StoreRejected
from undercroft.store import duty_acts as store
from undercroft.store.connection import translated_errors


def an_incident() -> Incident:
    raised = event(0, "raised", 3)
    return fold(opening("b1", raised), raised)


def keep(desk: Desk, incident: Incident) -> None:
    desk.db.execute(
        "insert into incident (incident_id, basin_id, opened_at, worst, state) values (%s, 'b1', %s, 3, %s)",
        (incident.incident_id, incident.opened_at, orjson.dumps(to_json(incident)).decode()),
    )


def test_a_report_is_drafted_listed_read_and_handed_in(desk: Desk) -> None:
    incident = an_incident()
    path = f"/incidents/{incident.incident_id}/reports"
    assert desk.post(path, {}).status_code == 404
    keep(desk, incident)
    assert desk.post(path, {}).json()["error"] == "NotPossibleNow", "nothing serious is in the log yet"
    tick(desk.db, 1, incident.opened_at, ("space/gar", "raised", 3))
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
    assert [(due["serial"], due["is_drafted"]) for due in desk.get(path)["to_come"][:2]] == [(1, True), (2, False)]
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
    assert [entry["kind"] for entry in store.log_entries(desk.db)] == ["submit_report", "draft_report", "submit_report"]


def test_a_draft_has_what_was_said_of_the_basin_with_every_figure(desk: Desk) -> None:
    incident = an_incident()
    keep(desk, incident)
    tick(desk.db, 1, incident.opened_at, ("space/gar", "raised", 3))
    seen_at = now() - timedelta(minutes=20)
    caller = {"caller": "Sun", "unit": "fire", "phone": "119"}
    acts: list[dict[str, Any]] = [
        {"kind": "phone", "subject": "basin/b1", "text": "two people trapped", **caller},
        {"kind": "note", "subject": "basin/b1", "text": "they are out", "corrects": 1},
        {"kind": "phone", "subject": "basin/elsewhere", "text": "far away", **caller},
        {"kind": "rain_warning", "subject": "warning/w1", "state": "in_force", "colour": "orange", "basins": ["b1"]},
        {"kind": "stock_movement", "subject": "space/gar", "item": "sandbag", "quantity": 120, "reason": "by truck"},
        {"kind": "field_report", "subject": "space/gar", "depth_m": 0.2, "by": "Sun",
         "observed_at": seen_at.isoformat(timespec="seconds")},
    ]  # fmt: skip
    for act in acts:
        answer = desk.post("/acts", act)
        assert answer.status_code == 201, answer.text
    text = desk.post(f"/incidents/{incident.incident_id}/reports", {"zone": "Asia/Shanghai"}).json()["report"]["text"]
    assert "far away" not in text
    assert "two people trapped 〔duty log 1, 已更正 corrected by 2〕" in text
    assert "they are out 〔duty log 2, 更正 corrects 1〕" in text
    assert "(item sandbag, quantity 120, left 120)" in text
    assert f"water 20 cm deep (seen {seen_at.astimezone(ZoneInfo('Asia/Shanghai')):%F %H:%M}" in text
    assert "(state in_force, colour orange, basins b1)" in text


def test_cap_messages_are_made_through_the_door_and_share_no_identifier(desk: Desk) -> None:
    incident = an_incident()
    path = f"/incidents/{incident.incident_id}/cap"
    wanted: dict[str, Any] = {"sender": "duty@example.org", "sender_name": "Office"}
    assert desk.post(path, wanted).status_code == 404
    keep(desk, incident)
    made = [desk.post(path, wanted).json()["message"] for _ in range(12)]  # of one second there are ten
    assert len({message["identifier"] for message in made}) == 12
    for message in made:
        xml = etree.fromstring(message["xml"].encode())
        said = {name: xml.findtext(f"{{*}}{name}") for name in ("identifier", "sender", "sent", "status", "msgType")}
        assert (said["identifier"], said["status"], said["msgType"]) == (message["identifier"], "Draft", "Alert")
        assert message["reference"] == f"{said['sender']},{said['identifier']},{said['sent']}"
    later = desk.post(path, wanted | {"reference": [made[0]["reference"]]}, Idempotency_Key="c1").json()
    again = desk.post(path, wanted | {"reference": [made[0]["reference"]]}, Idempotency_Key="c1").json()
    assert (later["message"]["kind"], again["repeated"], again["message"]) == ("Update", True, later["message"])
    listed = desk.get(path)
    assert sorted(row["identifier"] for row in listed) == sorted(
        message["identifier"] for message in [*made, later["message"]]
    )
    kept = desk.client.get(f"{desk.address}api/v1{path}/{made[0]['identifier']}")
    assert (kept.headers["content-type"], kept.text) == ("application/cap+xml", made[0]["xml"])
    assert desk.client.get(f"{desk.address}api/v1{path}/{'9' * 31}").status_code == 404
    for wrong in (
        {"sender": "a b"}, {"sender": "a\x01b"}, {"sender_name": "a\nb"}, {"area_code": "４４0304"},
        {"reference": ["duty@example.org,a,today"]}, {"reference": ["a\x02b,c,2026-07-01T23:50:00+08:00"]},
    ):  # fmt: skip
        assert desk.post(path, wanted | wrong).status_code == 422, wrong
    entries = store.log_entries(desk.db)
    assert [entry["kind"] for entry in entries] == ["export_cap"] * 13


def test_what_is_due_is_listed_for_the_whole_district(desk: Desk) -> None:
    incident = an_incident()
    keep(desk, incident)
    for kind, serial, reminders in (("phone", 0, 2), ("first", 1, 1)):
        desk.db.execute(
            "insert into report_due (incident_id, kind, serial, due_at, reminders) values (%s, %s, %s, %s, %s)",
            (incident.incident_id, kind, serial, now() - timedelta(minutes=30 - 10 * serial), reminders),
        )
    due = desk.get("/reports/due")
    assert [(row["kind"], row["is_missing"], row["reminders"]) for row in due["items"]] == [
        ("phone", True, 2), ("first", True, 1),
    ]  # fmt: skip
    assert -30 * 60 - 20 < due["items"][0]["left_s"] <= -30 * 60
    assert due["tally"] == {"missing": 2, "to_come": 0, "on_time": 0, "late": 0, "reminders": 3}
    desk.post("/acts", {"kind": "submit_report", "subject": f"incident/{incident.incident_id}", "serial": 0})
    due = desk.get("/reports/due")
    assert [row["kind"] for row in due["items"]] == ["first"]
    assert due["tally"] == {"missing": 1, "to_come": 0, "on_time": 0, "late": 1, "reminders": 1}
