"""What a confirmed order sets in the engine, and what contradicts it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from typer.testing import CliRunner

from duty.acts import acts
from duty.door import refusals
from duty.incidents.codec import to_json
from duty.incidents.incidents import fold
from duty.incidents.incidents import opened as opening
from duty.orders.acts import order, order_step
from duty.orders.orders import OrderRefused, Proof
from duty.reports.handover import load_sheet, markdown
from duty.reports.reports import Limits
from risk.follower import Follower
from risk.run import step_live
from tests.integration.door_kit import SUBJECT, actor, audited, observe
from tests.integration.duty_kit import now, opened, prepared
from tests.unit.duty.kit import event
from tests.unit.risk.builders import guarded, site
from undercroft.cli import build_app
from undercroft.store import duty_acts as store
from undercroft.store.site import import_site, sensors


def test_a_confirmation_that_the_sensor_contradicts_is_shown(live_db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERCROFT_DATABASE_URL", live_db)

    def listed(*more: str) -> str:
        return CliRunner().invoke(build_app("order"), ["order", "list", *more], catch_exceptions=False).output

    with opened(live_db) as db:
        prepared(db)
        who = actor(db)
        with pytest.raises(refusals.NotPossibleNow, match="no open incident"):
            order(db, who, SUBJECT, Proof.BARRIER_DEPLOYED, "street", now())
        raised = event(0, "raised", 4)
        db.execute(
            "insert into incident (incident_id, basin_id, opened_at, worst, state) values ('i1', 'b1', now(), 4, %s)",
            (orjson.dumps(to_json(fold(opening("b1", raised), raised))).decode(),),
        )
        observe(db, "barrier_state", 5.0)  # failed
        order_id = order(db, who, SUBJECT, Proof.BARRIER_DEPLOYED, "street", now(), "north").order_id or ""
        order_step(db, who, order_id, "take", now())
        reported = {"entrance": "north", "barrier": "open", "by": "Sun"}
        confirmed_at = now()
        acts.perform(db, who, acts.Act("field_report", SUBJECT, reported), confirmed_at)  # before, at the same time
        done = order_step(db, who, order_id, "confirm", confirmed_at, "photo 12")
        assert "传感器显示故障（" in (done.disagreement or "")
        assert (done.disagreement or "").endswith("+08:00, 0 s ago)"), "in the district's time"
        assert store.log_entries(db)[-1]["body"]["disagreement"] == done.disagreement
        assert "与确认不符 DISAGREEMENT 确认挡板已安装，传感器显示故障（" in listed(), "confirmed, and yet on the list"
        assert [row["order_id"] for row in load_sheet(db, now(), now(), Limits()).orders] == [order_id]
        with pytest.raises(OrderRefused, match="possible: cancel, confirm, issue, undo"):
            order_step(db, who, order_id, "take", now())
        refused = [action for _, action, outcome in audited(db) if outcome == "refused"]
        assert refused == ["order", "order_take"], "no incident yet; a confirmed order is over"
        told = db.execute(
            "select subject, author, body from act where kind = 'field_report' and commit_seq > 2"
        ).fetchall()
        assert [(row["subject"], row["author"]) for row in told] == [(SUBJECT, who.operator_id)]
        body = told[0]["body"]
        assert (body["entrance"], body["barrier"], body["by"]) == ("north", "deployed", who.name)
        lasts = datetime.fromisoformat(body["expires_at"]) - datetime.fromisoformat(body["observed_at"])
        assert lasts == timedelta(hours=3)
        out = acts.Act("out_of_service", "device/gar-out", {"reason": "the switch is dead", "minutes": 60})
        leader = actor(db, "leader")
        acts.perform(db, leader, out, now())
        assert listed() == "no order waits for anybody\n", "a device out of service says nothing"
        acts.perform(db, leader, acts.Act("in_service", "device/gar-out", {}), now())
        assert "DISAGREEMENT" in listed()
        observe(db, "barrier_state", 3.0)  # deployed after all
        assert listed() == "no order waits for anybody\n"
        acts.perform(db, who, acts.Act("field_report", SUBJECT, reported), confirmed_at)  # later by commit order alone
        assert (
            "Sun 报告挡板敞开 north confirmed as barrier_deployed, but Sun reported barrier open at north, " in listed()
        )
        reported["barrier"] = "deployed"
        acts.perform(db, who, acts.Act("field_report", SUBJECT, reported), confirmed_at)
        assert listed() == "no order waits for anybody\n"
        observe(db, "barrier_state", 5.0)
        db.execute("update incident set closed_at = now()")
        assert listed() == "no order waits for anybody\n", "the storm is over: barriers come down again"
        assert order_id in listed("--all")
        assert load_sheet(db, now(), now(), Limits()).orders == []


CONFIRMED: list[tuple[Proof, str, dict[str, Any] | None]] = [
    (Proof.PUMP_RUNNING, "", {"entrance": None, "pump": "running"}),
    (Proof.ENTRANCE_CLOSED, "north", {"entrance": "north", "closed": True}),
    (Proof.ENTRANCE_CLOSED, "", {"entrance": None, "closed": True}),
    (Proof.EVACUATED, "", {"entrance": None, "evacuated": True}),
    (Proof.BARRIER_DEPLOYED, "", {"entrance": "north", "barrier": "deployed"}),  # no entrance named: every barrier
    (Proof.CHECKED, "", None),
]


def test_every_confirmation_sets_what_it_can_with_author_and_expiry(live_db: str) -> None:
    with opened(live_db) as db:
        prepared(db)
        db.execute(
            "insert into incident (incident_id, basin_id, opened_at, worst, state) values ('i1', 'b1', now(), 4, '{}')"
        )
        who = actor(db)
        for proof, entrance, said in CONFIRMED:
            order_id = order(db, who, SUBJECT, proof, "street", now(), entrance).order_id or ""
            done = order_step(db, who, order_id, "confirm", now(), "photo")
            rows = db.execute("select body, author from act where commit_seq = %s", (done.commit_seq,)).fetchall()
            if said is None:
                assert rows == []
                continue
            body = rows[0]["body"]
            assert {name: body[name] for name in said} == said
            assert (body["by"], rows[0]["author"]) == (who.name, who.operator_id)
            lasts = datetime.fromisoformat(body["expires_at"]) - datetime.fromisoformat(body["observed_at"])
            assert lasts == timedelta(hours=3)
        follower = Follower(db)
        step_live(db, follower, now())
        assert follower.engine is not None
        state = follower.engine.state
        assert sorted(state.reports) == [
            "gar//closed", "gar//evacuated", "gar//pump", "gar/north/barrier", "gar/north/closed",
        ]  # fmt: skip
        assert {report.by for report in state.reports.values()} == {who.name}


@pytest.mark.parametrize(("step", "state"), [("undo", "issued"), ("cancel", "cancelled"), ("issue", "issued")])
def test_a_confirmation_that_is_taken_back_is_forgotten_by_the_engine(live_db: str, step: str, state: str) -> None:
    with opened(live_db) as db:
        prepared(db)
        db.execute(
            "insert into incident (incident_id, basin_id, opened_at, worst, state) values ('i1', 'b1', now(), 4, '{}')"
        )
        who, follower = actor(db), Follower(db)

        def known() -> dict[str, str]:
            step_live(db, follower, now())
            assert follower.engine is not None
            return {key: report.by for key, report in follower.engine.state.reports.items()}

        wrong = order(db, who, SUBJECT, Proof.BARRIER_DEPLOYED, "street", now(), "north").order_id or ""
        order_step(db, who, wrong, "confirm", now())
        pump = order(db, who, SUBJECT, Proof.PUMP_RUNNING, "street", now()).order_id or ""
        order_step(db, who, pump, "confirm", now())
        assert known() == {"gar/north/barrier": who.name, "gar//pump": who.name}
        stopped = {"pump": "stopped", "by": "Sun"}
        acts.perform(db, who, acts.Act("field_report", SUBJECT, stopped), now())
        if step != "issue":
            with pytest.raises(refusals.ActInvalid, match=f"{step} needs a reason"):
                order_step(db, who, wrong, step, now())
        for order_id in (wrong, pump):
            done = order_step(db, who, order_id, step, now(), "the wrong garage")
            assert done.commit_seq is not None
            assert done.disagreement is None
        assert known() == {"gar//pump": "Sun"}, "what somebody said since stays"
        row = db.execute(
            "select state, due_at, changed_at, confirmed_until from duty_order where order_id = %s", (wrong,)
        )
        found = row.fetchone()
        assert found is not None
        assert (found["state"], found["confirmed_until"]) == (state, None)
        assert (found["due_at"] - found["changed_at"] < timedelta(minutes=15)) is (step != "issue"), "the old clock"
        entry = store.log_entries(db)[-1]
        assert (entry["kind"], entry["body"]["step"], entry["body"]["note"]) == ("order", step, "the wrong garage")
        assert audited(db)[-1] == (who.operator_id, f"order_{step}", "done")


def test_a_door_that_stands_open_contradicts_a_closed_entrance(live_db: str) -> None:
    spec = guarded("gar", "car_park")
    spec["devices"][0]["sensors"].append({"quantity": "door_open", "entrance": "north"})
    spec["devices"][1]["sensors"].append({"quantity": "door_open"})  # of the cabinet: says nothing of the entrance
    with opened(live_db) as db:
        import_site(db, site(spec), "test", now())
        db.execute(
            "insert into incident (incident_id, basin_id, opened_at, worst, state) values ('i1', 'b1', now(), 4, '{}')"
        )
        who = actor(db)
        doors = {s.entrance_id: s.sensor_id for s in sensors(db) if s.quantity == "door_open"}

        def see(entrance: str | None, value: float) -> None:
            db.execute(
                "insert into observation (sensor_id, observed_at, value, quality, received_at, batch_id)"
                " values (%s, %s, %s, 1, %s, 0)",
                (doors[entrance], now(), value, now()),
            )

        def confirmed() -> str | None:
            order_id = order(db, who, SUBJECT, Proof.ENTRANCE_CLOSED, "street", now(), "north").order_id or ""
            return order_step(db, who, order_id, "confirm", now()).disagreement

        see(None, 1.0)
        see("north", 0.0)
        assert confirmed() is None
        see("north", 1.0)
        zh, en = (confirmed() or "").split(" confirmed as ")
        assert zh.startswith("确认出入口已封闭，传感器显示门开着（")
        assert en.startswith("entrance_closed, but the sensor shows a door open (")


def test_a_confirmation_that_expired_is_listed_until_somebody_confirms_again(
    live_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNDERCROFT_DATABASE_URL", live_db)

    def listed(*words: str) -> str:
        return CliRunner().invoke(build_app("order"), ["order", *words], catch_exceptions=False).output

    with opened(live_db) as db:
        prepared(db)
        raised = event(0, "raised", 4)
        db.execute(
            "insert into incident (incident_id, basin_id, opened_at, worst, state) values ('i1', 'b1', now(), 4, %s)",
            (orjson.dumps(to_json(fold(opening("b1", raised), raised))).decode(),),
        )
        who, then = actor(db), now() - timedelta(hours=3, minutes=5)
        order_id = order(db, who, SUBJECT, Proof.EVACUATED, "street", then).order_id or ""
        order_step(db, who, order_id, "confirm", then + timedelta(minutes=4))
        until = f"{(then + timedelta(hours=3, minutes=4)).astimezone(ZoneInfo('Asia/Shanghai')):%F %H:%M}"
        said = f"确认有效至 {until}，已过期，请重新确认 confirmed until {until}, now expired: confirm again\n"
        line = listed("list")
        assert ("confirmed  EXPIRED" in line, line.endswith(said)) == (True, True), line
        assert "waiting 0, late 0, expired 1; in 24 h confirmed in time 1, late 0" in listed("tally")
        sheet = load_sheet(db, now(), now(), Limits())
        assert "已过期，请重新确认" in markdown(sheet, ZoneInfo("Asia/Shanghai"))
        order_step(db, who, order_id, "confirm", now(), "counted again")
        assert listed("list") == "no order waits for anybody\n"
        assert "expired 0; in 24 h confirmed in time 1, late 0" in listed("tally"), "the first confirmation was in time"
        order_step(db, who, order_id, "issue", now())
        assert "waiting 1, late 0, expired 0; in 24 h confirmed in time 0" in listed("tally"), "the clock runs anew"
