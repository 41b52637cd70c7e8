"""Acts through the one door: authorised, logged, audited, and given to the engine in commit order."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from duty import acts, door, refusals
from duty.codec import to_json
from duty.handover import load_sheet
from duty.incidents import fold
from duty.incidents import opened as opening
from duty.notifier import load_roster
from duty.order_acts import order, order_step
from duty.orders import OrderRefused, Proof
from duty.reports import Limits
from duty.signing import check, load_key, sign, sign_hourly
from risk.run import Follower, step_live
from tests.integration.duty_kit import START, now, opened, prepared
from tests.unit.duty.kit import event
from tests.unit.risk.builders import guarded, site
from undercroft.cli import build_app
from undercroft.errors import BadInput, StoreRejected
from undercroft.store import duty_acts as store
from undercroft.store.connection import Connection, connect, translated_errors
from undercroft.store.site import import_site, sensors

SUBJECT = "space/gar"


def actor(db: Connection, role: str = "officer") -> door.Actor:
    token, hashed = door.new_token()
    store.add_operator(db, f"li-{role}", "李", role, hashed, now())
    return door.authorise(db, token, "test", now())


def alarm(db: Connection, subject: str = SUBJECT, **fields: Any) -> None:
    """Have an alarm stand in the store as the engine writes it."""
    row = {
        "subject": subject, "occurrence": 1, "subject_kind": subject.partition("/")[0], "severity": 3,
        "peak_severity": 3,
        "active": True, "acknowledged": False, "latched": False, "raised_at": now(), "cleared_at": None,
        "shelved_until": None, **fields,
    }  # fmt: skip
    db.execute(
        "insert into alarm (subject, occurrence, subject_kind, severity, peak_severity, active, acknowledged, latched,"
        " raised_at, cleared_at, shelved_until, reasons, last_tick_seq)"
        " values (%(subject)s, %(occurrence)s, %(subject_kind)s, %(severity)s, %(peak_severity)s, %(active)s,"
        " %(acknowledged)s, %(latched)s, %(raised_at)s, %(cleared_at)s, %(shelved_until)s, '[]', 0)",
        row,
    )


def audited(db: Connection) -> list[tuple[str, str, str]]:
    rows = db.execute("select operator_id, action, outcome from audit order by audit_id").fetchall()
    return [(row["operator_id"], row["action"], row["outcome"]) for row in rows]


def test_an_act_is_logged_audited_and_in_the_commit_order(live_db: str) -> None:
    with opened(live_db) as db:
        prepared(db)
        alarm(db)
        before = db.execute("select commit_seq from commit_counter").fetchone()
        done = acts.perform(db, actor(db), acts.Act("acknowledge", SUBJECT, {"comment": "mine"}), now())
        assert before is not None
        assert done.commit_seq == before["commit_seq"] + 1
        (row,) = db.execute("select kind, subject, author, commit_seq, body from act").fetchall()
        assert row == {
            "kind": "acknowledge", "subject": SUBJECT, "author": "li-officer", "commit_seq": done.commit_seq,
            "body": {"comment": "mine"},
        }  # fmt: skip
        assert audited(db) == [("li-officer", "acknowledge", "done")]
        assert [entry["kind"] for entry in store.log_entries(db)] == ["acknowledge"]


REFUSALS = [
    ("officer", acts.Act("stand_down", SUBJECT, {"evidence": "x"}), refusals.RoleTooLow, "needs the role leader"),
    ("officer", acts.Act("acknowledge", "space/none", {}), refusals.SubjectUnknown, "there is no space/none"),
    ("officer", acts.Act("acknowledge", "space/up", {}), refusals.NotPossibleNow, "no alarm to acknowledge"),
    ("officer", acts.Act("unshelve", SUBJECT, {}), refusals.NotPossibleNow, "it is not shelved"),
    ("officer", acts.Act("shelve", SUBJECT, {"minutes": 5}), refusals.ActInvalid, "reason must be said"),
    ("officer", acts.Act("shelve", SUBJECT, {"reason": "x", "minutes": 31}), refusals.NotPossibleNow, "at most 30 min"),
    ("officer", acts.Act("shelve", "space/up", {"reason": "x", "minutes": 5}), refusals.NotPossibleNow, "no alarm"),
    ("leader", acts.Act("stand_down", "space/up", {"evidence": "x"}), refusals.NotPossibleNow, "no alarm"),
    ("officer", acts.Act("dance", SUBJECT, {}), refusals.ActInvalid, "there is no act dance"),
    ("officer", acts.Act("note", "-", {"text": "x", "corrects": 7}), refusals.SubjectUnknown, "there is no entry 7"),
    ("officer", acts.Act("rain_warning", "warning/a", {"state": "ended"}), refusals.NotPossibleNow, "not in force"),
    (
        "officer", acts.Act("field_report", SUBJECT, {"depth_m": 0.2, "entrance": "west"}), refusals.SubjectUnknown,
        "no entrance 'west'",
    ),
    ("officer", acts.Act("submit_report", "incident/i", {"serial": 1}), refusals.SubjectUnknown, "no incident i"),
]  # fmt: skip


@pytest.mark.parametrize(("role", "act", "error", "why"), REFUSALS, ids=lambda value: getattr(value, "kind", None))
def test_a_refusal_says_its_kind_is_audited_and_changes_nothing(
    live_db: str, role: str, act: acts.Act, error: type[refusals.Refused], why: str
) -> None:
    with opened(live_db) as db:
        prepared(db)
        alarm(db)
        with pytest.raises(error, match=why):
            acts.perform(db, actor(db, role), act, now(), "key")
        assert audited(db) == [(f"li-{role}", act.kind, "refused")]
        assert store.log_entries(db) == []
        assert db.execute("select (select count(*) from act) + (select count(*) from act_key) as n").fetchone() == {
            "n": 0
        }


def test_a_red_alarm_is_not_shelved_and_an_acknowledged_one_not_twice(live_db: str) -> None:
    with opened(live_db) as db:
        prepared(db)
        alarm(db, severity=4)
        alarm(db, "space/up", acknowledged=True)
        with pytest.raises(refusals.NotPossibleNow, match="a red alarm cannot be shelved"):
            acts.perform(db, actor(db), acts.Act("shelve", SUBJECT, {"reason": "x", "minutes": 5}), now())
        with pytest.raises(refusals.NotPossibleNow, match="acknowledged already"):
            acts.perform(db, actor(db), acts.Act("acknowledge", "space/up", {}), now())


def test_a_wrong_or_disabled_token_is_nobody_and_leaves_a_row(live_db: str) -> None:
    with opened(live_db) as db:
        token, hashed = door.new_token()
        store.add_operator(db, "li", "李", "officer", hashed, now())
        assert door.authorise(db, token, "test", now()).operator_id == "li"
        with pytest.raises(refusals.TokenUnknown):
            door.authorise(db, token + "x", "http:192.0.2.9", now())
        assert store.disable_operator(db, "li", now())
        with pytest.raises(refusals.TokenUnknown):
            door.authorise(db, token, "test", now())
        rows = db.execute("select operator_id, origin, action, outcome, detail from audit order by audit_id").fetchall()
        assert [(row["operator_id"], row["origin"], row["detail"]["why"]) for row in rows] == [
            ("-", "http:192.0.2.9", "the token is nobody's"), ("li", "test", "the operator is disabled"),
        ]  # fmt: skip
        assert {(row["action"], row["outcome"]) for row in rows} == {("authorise", "refused")}
        assert token not in str(rows)


def test_who_guesses_tokens_does_not_fill_the_audit(live_db: str) -> None:
    with opened(live_db) as db:
        for number in range(store.MOST_UNKNOWN_A_MINUTE + 5):
            with pytest.raises(refusals.TokenUnknown):
                door.authorise(db, f"guess {number}", "test", START + timedelta(milliseconds=number))
        assert len(audited(db)) == store.MOST_UNKNOWN_A_MINUTE
        with pytest.raises(refusals.TokenUnknown):
            door.authorise(db, "guess", "test", START + timedelta(minutes=2))
        assert len(audited(db)) == store.MOST_UNKNOWN_A_MINUTE + 1


def test_an_act_with_a_key_is_done_once(live_db: str) -> None:
    with opened(live_db) as db:
        prepared(db)
        alarm(db)
        who, act = actor(db), acts.Act("acknowledge", SUBJECT, {"comment": "mine"})
        first = acts.perform(db, who, act, now(), "k1")
        again = acts.perform(db, who, act, now(), "k1")
        assert (again.repeated, replace(again, repeated=False)) == (True, first)
        with pytest.raises(refusals.KeyReused):
            acts.perform(db, who, acts.Act("note", "-", {"text": "other"}), now(), "k1")
        other = acts.perform(db, actor(db, "leader"), acts.Act("note", "-", {"text": "mine"}), now(), "k1")
        assert not other.repeated
        assert len(store.log_entries(db)) == 2


def observe(db: Connection, quantity: str, value: float) -> None:
    sensor = next(s for s in sensors(db) if s.place_id == "gar" and s.quantity == quantity)
    db.execute(
        "insert into observation (sensor_id, observed_at, value, quality, received_at, batch_id)"
        " values (%s, %s, %s, 1, %s, 0)",
        (sensor.sensor_id, now(), value, now()),
    )


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
        done = order_step(db, who, order_id, "confirm", now(), "photo 12")
        assert done.disagreement == "confirmed as barrier_deployed, but the sensor shows failed"
        assert store.log_entries(db)[-1]["body"]["disagreement"] == done.disagreement
        assert f"DISAGREEMENT {done.disagreement}" in listed(), "confirmed, and yet on the list"
        assert [row["order_id"] for row in load_sheet(db, now(), now(), Limits()).orders] == [order_id]
        with pytest.raises(OrderRefused, match="possible: none"):
            order_step(db, who, order_id, "take", now())
        refused = [action for _, action, outcome in audited(db) if outcome == "refused"]
        assert refused == ["order", "order_take"], "no incident yet; a confirmed order is over"
        told = db.execute("select subject, author, body from act where kind = 'field_report'").fetchall()
        assert [(row["subject"], row["author"]) for row in told] == [(SUBJECT, who.operator_id)]
        body = told[0]["body"]
        assert (body["entrance"], body["barrier"], body["by"]) == ("north", "deployed", who.name)
        lasts = datetime.fromisoformat(body["expires_at"]) - datetime.fromisoformat(body["observed_at"])
        assert lasts == timedelta(hours=3)
        observe(db, "barrier_state", 3.0)  # deployed after all
        assert listed() == "no order waits for anybody\n"
        reported = {"entrance": "north", "barrier": "open", "by": "Sun"}
        acts.perform(db, who, acts.Act("field_report", SUBJECT, reported), now() + timedelta(seconds=1))
        assert "DISAGREEMENT confirmed as barrier_deployed, but Sun reported barrier open at north, " in listed()
        reported["barrier"] = "deployed"
        acts.perform(db, who, acts.Act("field_report", SUBJECT, reported), now() + timedelta(seconds=2))
        assert listed() == "no order waits for anybody\n"
        observe(db, "barrier_state", 5.0)
        db.execute("update incident set closed_at = now()")
        assert listed() == "no order waits for anybody\n", "the storm is over: barriers come down again"
        assert order_id in listed("--all")
        assert load_sheet(db, now(), now(), Limits()).orders == []


def test_the_log_is_append_only_and_a_forger_with_the_table_is_found(live_db: str, tmp_path: Path) -> None:
    with opened(live_db) as db:
        prepared(db)
        who, key = actor(db), load_key(tmp_path / "keys" / "log.key", make=True)
        for words in ("one", "two", "three"):
            acts.perform(db, who, acts.Act("note", "-", {"text": words}), now())
        assert sign(db, key, "handover", now()) is not None
        acts.perform(db, who, acts.Act("note", "-", {"text": "four"}), now())
        verdict = check(db, key)
        assert (verdict.entries, verdict.covered, verdict.problems) == (4, 3, ())
        with pytest.raises(StoreRejected, match="append-only"), translated_errors():
            db.execute("update duty_log set author = 'x' where entry_no = 2")
        db.execute("alter table duty_log disable trigger all")
        rewrite(db)
        changed = ("head 3: an entry up to it was changed after it was signed",)
        assert check(db, key).problems == changed
        with pytest.raises(BadInput, match="not signed"):
            sign(db, key, "hourly", now())
        db.execute("alter table duty_log_head disable trigger all")
        db.execute("delete from duty_log_head")
        assert check(db, key).problems == changed  # the heads are gone from the database: not from beside the key
        with pytest.raises(BadInput, match="not signed: head 3"):
            sign_hourly(key, db, now())
        assert store.log_heads(db) == []
        db.execute("delete from duty_log")
        with pytest.raises(BadInput, match="not signed: head 3: entries up to it are gone"):
            sign_hourly(key, db, now())


def test_a_drill_of_a_new_database_is_not_held_against_the_last_one(live_db: str, tmp_path: Path) -> None:
    with opened(live_db) as db:
        key = load_key(tmp_path / "log.key", make=True)
        db.execute("update deployment set mode = 'exercise'")
        for drill in ("first", "second"):
            with store.transaction(db):
                door.log(db, "note", "li", "-", {"text": drill}, now())
            assert sign_hourly(key, db, now()) is not None
            assert sign_hourly(key, db, now()) is None
            assert check(db, key).kept == 1
            for forget in (
                "alter table duty_log disable trigger all", "alter table duty_log_head disable trigger all",
                "delete from duty_log", "delete from duty_log_head",
            ):  # fmt: skip
                db.execute(forget)
            db.execute("update deployment set deployment_id = gen_random_uuid()")
        assert len(key.heads.read_text(encoding="utf-8").splitlines()) == 2
        key.heads.write_text("{}\n", encoding="utf-8")
        with pytest.raises(BadInput, match=r"log\.key\.heads: line 1 is no signed head"):
            check(db, key)


def rewrite(db: Connection) -> None:
    """Change an entry and every hash after it, as somebody who owns the table can."""
    rows = store.log_entries(db)
    db.execute("delete from duty_log")
    for row in rows:
        body = {"text": "nothing happened"} if row["entry_no"] == 2 else row["body"]
        with store.transaction(db):
            door.log(db, row["kind"], row["author"], row["subject"], body, row["at"])


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "log.key"
    path.write_bytes(Ed25519PrivateKey.generate().private_bytes_raw())
    path.chmod(0o644)
    with pytest.raises(BadInput, match="others may read"):
        load_key(path, make=False)


def test_the_commands(live_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(live_db) as db:
        prepared(db)
    monkeypatch.setenv("UNDERCROFT_DATABASE_URL", live_db)

    def run(*words: str) -> Any:
        return CliRunner().invoke(build_app(words[0]), list(words))

    token = run("user", "add", "wu", "吴", "--role", "leader").output.strip()
    monkeypatch.setenv("UNDERCROFT_TOKEN", token)
    assert "entry 2 of the duty log" in run("act", "note", "--say", "text=hello").output
    with opened(live_db) as db:
        origins = db.execute("select operator_id, action, origin from audit order by audit_id").fetchall()
    assert [(row["operator_id"], row["action"]) for row in origins] == [("-", "user_add"), ("wu", "note")]
    assert all(re.fullmatch(r"cli:[\w.-]+@\S+( from \S+)?", row["origin"]) for row in origins)
    assert run("act", "shelve", SUBJECT).exception.__class__ is refusals.ActInvalid
    key = str(tmp_path / "k" / "log.key")
    signed = run("log", "sign", "--key", key).output
    assert signed.startswith("entry 2 ")
    assert run("log", "verify", "--key", key).output == (
        "2 entries, 1 signed heads and 1 outside the database, signed up to entry 2\n"
    )
    paper = "2:" + signed.split("  ")[1]
    assert run("log", "verify", "--key", key, "--head", paper).exit_code == 0
    assert run("log", "verify", "--key", key, "--head", "3" + paper[1:]).exit_code == 1
    assert run("log", "verify", "--key", key, "--head", "2:abc").exception.__class__ is BadInput
    assert '"text":"hello"' in run("log", "show").output
    with closing(connect(live_db, application_name="test", autocommit=True)) as db:
        db.execute("alter table duty_log disable trigger all")
        db.execute("update duty_log set author = 'x'")
    verified = run("log", "verify", "--key", key)
    assert verified.exit_code == 1
    assert "PROBLEM entry 1 was changed" in verified.output
    with closing(connect(live_db, application_name="test", autocommit=True)) as db:
        db.execute("alter table duty_log_head disable trigger all")
        db.execute("delete from duty_log_head")
        rewrite(db)  # every link is good again, and no head is left
    Path(key + ".heads").unlink()
    assert run("log", "verify", "--key", key).exit_code == 0
    verified = run("log", "verify", "--key", key, "--head", paper)
    assert verified.exit_code == 1
    assert "PROBLEM printed head 2: an entry up to it was changed after it was printed" in verified.output


CSV = """starts_at,ends_at,step,standing,person,name,phone,reach
2026-07-01T20:00,2026-07-02T08:00,0,holder,li,李,8000,hook:li
2026-07-01T20:00,2026-07-02T08:00,0,deputy,sun,孙,8001,hook:sun
2026-07-01T20:00,2026-07-02T08:00,1,holder,wu,吴,8002,hook:wu
"""


def test_roster_and_operators_go_through_the_door(
    live_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNDERCROFT_DATABASE_URL", live_db)
    file = tmp_path / "roster.csv"
    file.write_text(CSV, encoding="utf-8")

    def run(*words: str) -> Any:
        return CliRunner().invoke(build_app(words[0]), list(words))

    tokens = {role: run("user", "add", role, role, "--role", role).output.strip() for role in door.RANK}
    monkeypatch.setenv("UNDERCROFT_TOKEN", tokens["officer"])
    assert run("roster", "import", str(file)).exception.__class__ is refusals.RoleTooLow
    assert run("user", "add", "mallory", "M", "--role", "admin").exception.__class__ is refusals.RoleTooLow
    monkeypatch.setenv("UNDERCROFT_TOKEN", tokens["leader"])
    assert run("roster", "import", str(file)).output.startswith("3 shifts from 2026-07-01 12:00Z to 2026-07-02 00:00Z")
    file.write_text(CSV.replace(",hook:wu", ","), encoding="utf-8")
    assert "line 4: wu cannot be reached" in str(run("roster", "import", str(file)).exception)
    absence = ("roster", "absent", "li", "--from", "2026-07-01T22:00", "--until", "2026-07-02T02:00")
    assert run(*absence).exit_code == 0
    assert run(absence[0], absence[1], "nemo", *absence[3:]).exception.__class__ is refusals.SubjectUnknown
    monkeypatch.setenv("UNDERCROFT_TOKEN", tokens["admin"])
    assert run("user", "disable", "officer").exit_code == 0
    with opened(live_db) as db:
        roster = load_roster(db, START - timedelta(hours=6), START + timedelta(hours=9))
        chain = {hour: [p.person_id for p in roster.chain(START + timedelta(hours=hour))] for hour in (-2, 0, 5)}
        assert chain == {-2: ["li", "wu"], 0: ["sun", "wu"], 5: ["li", "wu"]}  # START is 23:50 there: li is away
        assert [row[:2] for row in audited(db)[:3]] == [("-", "user_add")] * 3
        assert audited(db)[3:] == [
            ("officer", "roster_import", "refused"), ("officer", "user_add", "refused"),
            ("leader", "roster_import", "done"), ("leader", "roster_import", "refused"),
            ("leader", "roster_absent", "done"), ("leader", "roster_absent", "refused"),
            ("admin", "user_disable", "done"),
        ]  # fmt: skip
        entry = next(entry for entry in store.log_entries(db) if entry["kind"] == "roster")
        assert (entry["author"], entry["body"]["shifts"], entry["body"]["gaps"]) == ("leader", 3, [])


def test_mine_of_an_incident_is_mine_of_what_somebody_was_told(live_db: str) -> None:
    first, second, third = (
        event(0, "raised", 3),
        event(1, "raised", 2, "space/up"),
        event(2, "raised", 2, "device/gar-out"),
    )
    incident = fold(fold(fold(opening("b1", first), first), second), third)
    state = to_json(replace(incident, reached=0, news=("device/gar-out",)))
    with opened(live_db) as db:
        prepared(db)
        for subject, severity in (("space/gar", 3), ("space/up", 2), ("device/gar-out", 2)):
            alarm(db, subject, severity=severity)
        db.execute(
            "insert into incident (incident_id, basin_id, opened_at, worst, state) values ('i1', 'b1', now(), 3, %s)",
            (orjson.dumps(state).decode(),),
        )
        done = acts.perform(db, actor(db), acts.Act("acknowledge", "incident/i1", {"comment": "mine"}), now(), "k")
        rows = db.execute("select kind, subject, commit_seq, body from act order by commit_seq").fetchall()
        assert [(row["kind"], row["subject"]) for row in rows] == [
            ("acknowledge", "space/gar"), ("acknowledge", "space/up"),
        ]  # fmt: skip
        assert done.commit_seq == rows[-1]["commit_seq"]
        (entry,) = store.log_entries(db)
        assert (entry["subject"], entry["body"]["alarms"]) == ("incident/i1", ["space/gar", "space/up"])
        assert acts.perform(db, actor(db), acts.Act("acknowledge", "incident/i1", {"comment": "mine"}), now(), "k") == (
            replace(done, repeated=True)
        )


def test_a_shift_is_handed_over_with_what_is_open(
    live_db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised = event(0, "raised", 3)
    state = to_json(fold(opening("b1", raised), raised))
    with opened(live_db) as db:
        prepared(db)
        db.execute(
            "insert into incident (incident_id, basin_id, opened_at, worst, state) values ('i1', 'b1', now(), 3, %s)",
            (orjson.dumps(state).decode(),),
        )
        who = actor(db, "leader")
        order(db, who, SUBJECT, Proof.BARRIER_DEPLOYED, "Lianhua street", now(), "north")
        away = {"reason": "renewal", "minutes": 60}
        acts.perform(db, who, acts.Act("out_of_service", "device/gar-out", away), now())
        alarm(db, shelved_until=now() + timedelta(minutes=9))
        token, hashed = door.new_token()
        store.add_operator(db, "li", "李", "officer", hashed, now())
        monkeypatch.setenv("UNDERCROFT_DATABASE_URL", live_db)
        monkeypatch.setenv("UNDERCROFT_TOKEN", token)
        words = ["roster", "handover", "wu", "--note", "watch the ramp", "--key", str(tmp_path / "log.key")]
        sheet = CliRunner().invoke(build_app("roster"), words, catch_exceptions=False).output
        head = store.log_heads(db)[-1]
        assert head["entry_no"] == store.log_entries(db)[-1]["entry_no"]
    for part in (
        "from: li",
        "to: wu",
        "watch the ramp",
        "i1 橙色 ORANGE",
        "→ Lianhua street: issued, 时限 due",
        "renewal",
    ):
        assert part in sheet, part
    assert f"`{head['entry_no']}: {bytes(head['sha256']).hex()[:4]} " in sheet
    assert sheet.count("无 none") == 1  # no warning in force; the roster ends in 20 h


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
        assert confirmed() == "confirmed as entrance_closed, but the sensor shows a door open"
