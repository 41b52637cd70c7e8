"""Acts through the one door: authorised, logged, audited, and given to the engine in commit order."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest
from typer.testing import CliRunner

from duty.acts import acts
from duty.door import door, refusals
from duty.incidents.codec import to_json
from duty.incidents.incidents import fold
from duty.incidents.incidents import opened as opening
from duty.orders.acts import order
from duty.orders.orders import Proof
from duty.roster.stored import load_roster
from tests.integration.door_kit import SUBJECT, actor, alarm, audited, rewrite
from tests.integration.duty_kit import START, now, opened, prepared
from tests.unit.duty.kit import event
from undercroft.cli import build_app
from undercroft.errors import BadInput
from undercroft.store import duty_acts as store
from undercroft.store.connection import connect


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
    verified = run("log", "verify", "--key", key).output
    assert re.fullmatch(
        r"live database \S{36}: 2 entries, 1 signed heads and 1 outside the database, signed up to entry 2\n", verified
    )
    paper = "2:" + signed.split("  ")[1]
    assert run("log", "verify", "--key", key, "--head", paper).exit_code == 0
    assert run("log", "verify", "--key", key, "--head", "3" + paper[1:]).exit_code == 1
    assert run("log", "verify", "--key", key, "--head", "2:abc").exception.__class__ is BadInput
    shown = run("log", "show", "--zone", "Asia/Tokyo").output.splitlines()
    machine = [orjson.loads(line) for line in run("log", "show", "--json").output.splitlines()]
    assert [entry["body"].get("text") for entry in machine][-1] == "hello"
    at = datetime.fromisoformat(machine[-1]["at"]).astimezone(ZoneInfo("Asia/Tokyo"))
    assert shown[-1] == f"    2  {at:%F %T}  note            wu：记事：hello | wu: note: hello"
    assert not [line for line in (*shown, str(machine)) if "演练" in line]
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
    assert run("roster", "import", str(file)).output.startswith("3 shifts from 2026-07-01 20:00 to 2026-07-02 08:00")
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
        assert "say either --until, or --take-back" in str(run("roster", "absent", "li").exception)
        entry = next(entry for entry in store.log_entries(db) if entry["kind"] == "roster")
        assert (entry["author"], entry["body"]["shifts"], entry["body"]["gaps"]) == ("leader", 3, [])


def test_mine_of_an_incident_is_mine_of_what_somebody_was_told(live_db: str, monkeypatch: pytest.MonkeyPatch) -> None:
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
        assert done.left_out == entry["body"]["left_out"][0] == "device/gar-out"
        token, hashed = door.new_token()
        store.add_operator(db, "wu", "wu", "officer", hashed, now())
        monkeypatch.setenv("UNDERCROFT_DATABASE_URL", live_db)
        monkeypatch.setenv("UNDERCROFT_TOKEN", token)
        db.execute("delete from act")  # nobody has said it yet
        said = CliRunner().invoke(build_app("act"), ["act", "acknowledge", "incident/i1"], catch_exceptions=False)
        assert said.output.splitlines()[1:] == [
            "未接警，有新情况尚未通知 NOT taken, there is news that nobody was told of yet: device/gar-out"
        ]
        db.execute("delete from act")
        words = ["act", "acknowledge", "space/up", "--json"]
        assert "NOT taken" not in CliRunner().invoke(build_app("act"), words, catch_exceptions=False).output


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
        db.execute("alter table duty_log disable trigger all")
        rewrite(db)
        again = CliRunner().invoke(build_app("roster"), words)
        why = f"head {head['entry_no']}: an entry up to it was changed after it was signed"
        assert (again.exit_code, again.stdout.count("UNSIGNED"), "未签名" in again.stdout) == (1, 2, True)
        assert f"- 原因 why: the duty log is not signed: {why}" in again.stdout
        assert "handed over, but UNSIGNED" in again.stderr
        assert "→ Lianhua street: issued, 时限 due" in again.stdout, "the sheet is there all the same"
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
