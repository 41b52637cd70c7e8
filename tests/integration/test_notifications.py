"""Who was told what and what became of it, as an officer asks: by command and over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import orjson
import pytest
from typer.testing import CliRunner

from duty.notify.notifier import Notifier
from duty.telling.addressed import Channels
from duty.telling.texts import Style
from tests.browser.service import running_api
from tests.integration.duty_kit import messages, now, opened, prepared, tick
from undercroft.cli import build_app
from undercroft.errors import BadInput


def run(*words: str) -> str:
    done = CliRunner().invoke(build_app("notifications"), ["notifications", *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def shown(*words: str) -> Any:
    return orjson.loads(run(*words, "--json"))


def test_messages_are_found_by_incident_alarm_person_channel_and_state(
    live_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Li is told of the garage, three minutes later Li and Wu; Li's first message is refused, Wu's waits."""
    monkeypatch.setenv("UNDERCROFT_DATABASE_URL", live_db)
    at = now()
    with opened(live_db) as db:
        prepared(db, at=at)
        notifier = Notifier(db, Channels(frozenset({"hook"})), Style({}, ZoneInfo("UTC"), False))
        tick(db, 1, at, ("space/gar", "raised", 4))
        notifier.step_live(at, at)
        tick(db, 2, at + timedelta(minutes=3), ("space/up", "raised", 4))
        notifier.step_live(at + timedelta(minutes=3), at + timedelta(minutes=3))
        first, *later = messages(db)
        number, incident = first["notification_id"], first["incident_id"]
        db.execute(
            "update notification set state = 'failed', error = 'HTTP 401', attempts = 1, settled_at = %s"
            " where notification_id = %s",
            (at, number),
        )
    everything = [row["notification_id"] for row in reversed([first, *later])]
    assert [row["notification_id"] for row in shown("list")] == everything
    assert [row["notification_id"] for row in shown("list", "--limit", "1")] == everything[:1]
    assert {row["person_id"] for row in shown("list", "--person", "wu")} == {"wu"}
    assert shown("list", "--incident", "another") == shown("list", "--channel", "bot") == []
    assert len(shown("list", "--incident", incident, "--channel", "hook")) == len(everything)
    assert number not in {row["notification_id"] for row in shown("list", "--alarm", "space/up")}
    assert number in {row["notification_id"] for row in shown("list", "--alarm", "space/gar")}
    assert [row["error"] for row in shown("list", "--state", "failed")] == ["HTTP 401"]
    assert len(shown("list", "--state", "open")) == len(everything) - 1
    (line,) = run("list", "--state", "failed").splitlines()
    assert line.split()[:1] + line.split()[3:] == [
        str(number), "failed", "red", "first", "step", "0", "li", "by", "hook", incident, "HTTP", "401",
    ]  # fmt: skip
    assert run("list", "--person", "nobody") == "no message fits\n"
    assert run("show", str(number)).endswith(f"\n{first['body']}\n")
    assert shown("show", str(number))["body"] == first["body"]
    for wrong in (("show", "999"), ("list", "--state", "lost"), ("list", "--alarm", "gar")):
        with pytest.raises(BadInput, match=f"notifications {wrong[0]}: "):
            run(*wrong)
    with running_api(live_db) as (address, _), httpx.Client(base_url=f"{address}api/v1", timeout=30.0) as client:
        page = client.get("/notifications", params={"limit": 1}).json()
        older = client.get("/notifications", params={"limit": 1000, "cursor": page["next_cursor"]}).json()
        assert [row["notification_id"] for row in page["items"] + older["items"]] == everything
        assert older["next_cursor"] is None
        asked = {"state": "failed", "alarm": "space/gar", "person_id": "li", "incident_id": incident}
        (row,) = client.get("/notifications", params=asked).json()["items"]
        assert (row["error"], row["subjects"], "address" in row) == ("HTTP 401", ["space/gar"], False)
        one = client.get(f"/notifications/{number}").json()
        assert (one["body"], one["carries"], "address" in one) == (first["body"], [], False)
        assert client.get("/notifications/999").status_code == 404
        assert client.get("/notifications", params={"state": "lost"}).status_code == 422
