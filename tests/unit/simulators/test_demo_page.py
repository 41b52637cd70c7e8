"""What the demonstration says of its page, and what it keeps from it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from simulators.demo.chain import Chain
from simulators.demo.view import PlainLines, RunView
from undercroft.settings import Settings


def test_plain_lines_begin_with_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    lines = PlainLines()
    view = RunView("a storm", "http://127.0.0.1:8002/", ZoneInfo("Asia/Shanghai"))
    lines.show(view)
    lines.show(view)
    assert capsys.readouterr().out.splitlines()[0] == "网页 page: http://127.0.0.1:8002/"


def test_nobody_acts_on_a_live_system_through_an_exercise() -> None:
    urls = SimpleNamespace(api="postgresql://api@localhost/run", ingest="", engine="")
    chain = Chain(Settings(), cast("Any", None), cast("Any", None), cast("Any", urls), 8000, Path("log"))
    env = chain._service("api").env
    assert env["UNDERCROFT_ACTS_DATABASE_URL"] == env["UNDERCROFT_ALERT_WEBHOOK_TOKEN"] == ""
