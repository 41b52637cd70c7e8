"""Orders over HTTP: given, confirmed, listed, counted."""

from __future__ import annotations

import re

from tests.integration.desk_kit import Desk
from tests.integration.door_kit import SUBJECT, observe


def test_an_order_and_its_confirmation(desk: Desk) -> None:
    wanted = {"subject": SUBJECT, "proof": "barrier_deployed", "owner": "Lianhua street", "entrance": "north"}
    assert desk.post("/orders", wanted).status_code == 409  # no incident yet
    desk.db.execute(
        "insert into incident (incident_id, basin_id, opened_at, worst, state) values ('i1', 'b1', now(), 4, '{}')"
    )
    observe(desk.db, "barrier_state", 5.0)  # failed
    assert desk.post("/orders", wanted | {"entrance": "west"}).status_code == 404
    assert desk.post("/orders", wanted | {"owner": "street\n## forged heading"}).status_code == 422
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
    zh, en = done.json()["disagreement"].split(" confirmed as ")
    assert re.fullmatch(r"确认挡板已安装，传感器显示故障（.+:\d\d[+]08:00，\d+ 秒前）", zh)
    assert re.fullmatch(r"barrier_deployed, but the sensor shows failed \(.+:\d\d[+]08:00, \d+ s ago\)", en)
    assert desk.post(steps, {"step": "confirm", "note": "photo"}, Idempotency_Key="s1").json()["repeated"] is True
    shown = desk.get(f"/orders/{order_id}")
    assert (shown["state"], shown["left_s"], shown["holds"]) == ("confirmed", None, True)
    assert zh[:40] in shown["disagreement"]
    (contradicted,) = desk.get("/orders?open=true")["items"]
    assert (contradicted["state"], contradicted["disagreement"] is None) == ("confirmed", False)
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
