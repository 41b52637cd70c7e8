"""What is typed in another encoding, or stands so in a setting, is one clear line and never a traceback."""

from __future__ import annotations

import pytest

from undercroft import cli

NOT_UTF8 = b"a\xff".decode("utf-8", "surrogateescape")  # as Python hands it on


@pytest.mark.parametrize(
    ("words", "token", "line"),
    [
        (["order", "show", NOT_UTF8], "t", "argument 3"),
        (["asof", "--space", NOT_UTF8, "--at", "2026-07-01T08:00:00Z"], "t", "argument 3"),
        (["nowcast", f"--space={NOT_UTF8}"], "t", "argument 2"),
        (["warning", "enter", NOT_UTF8, "red"], "t", "argument 3"),
        (["version"], NOT_UTF8, "UNDERCROFT_TOKEN"),
    ],
)
def test_text_that_is_no_utf8_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], token: str, line: str
) -> None:
    monkeypatch.setattr("sys.argv", ["undercroft", *words])
    monkeypatch.setenv("UNDERCROFT_TOKEN", token)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    told = capsys.readouterr()
    assert ended.value.code == 2
    assert told.err == f"undercroft: {line}: expected text in UTF-8; is the terminal set to it?\n"
    assert told.out == ""


def test_text_beyond_ascii_is_text(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["undercroft", "version", "石榴里"])
    monkeypatch.setenv("UNDERCROFT_TOKEN", "石榴")
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert "UTF-8" not in capsys.readouterr().err
