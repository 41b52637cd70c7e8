"""What a command prints of a drill is marked; what machines read stays what it is."""

from __future__ import annotations

import orjson
import pytest
from typer.testing import CliRunner

from tests.integration.duty_kit import opened, prepared
from undercroft.cli import build_app

LISTS = [
    ["alarms", "list"], ["incident", "list"], ["incident", "due"], ["order", "list"], ["order", "tally"],
    ["notifications", "list"], ["roster", "show"], ["stock", "list"],
    ["stock", "movements"], ["warning", "list"], ["fieldreport", "list"], ["log", "show"], ["user", "list"],
]  # fmt: skip
MARK = "【演练】[EXERCISE]"


@pytest.mark.parametrize("asked", LISTS, ids=" ".join)
def test_it_is_marked_in_a_drill_and_not_live(
    asked: list[str], live_db: str, exercise_db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, runner = build_app(asked[0]), CliRunner()
    for url, marked in ((live_db, False), (exercise_db, True)):
        with opened(url) as db:
            prepared(db)
        monkeypatch.setenv("UNDERCROFT_DATABASE_URL", url)
        said = runner.invoke(app, asked)
        assert said.exit_code == 0, said.output
        assert said.stdout.startswith(MARK) is marked
        read = runner.invoke(app, [*asked, "--json"])
        assert read.exit_code == 0, read.output
        for line in read.stdout.splitlines() if asked == ["log", "show"] else [read.stdout]:
            orjson.loads(line)
        if asked != ["log", "show"]:
            assert read.stderr.startswith(MARK) is marked
