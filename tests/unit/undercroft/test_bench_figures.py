"""A figure fails below its limit; one that only stands beside another cannot, and says so."""

from __future__ import annotations

import json

import pytest

from undercroft.bench import Figure, print_figures


@pytest.mark.parametrize(
    ("figure", "mark", "passes"),
    [
        (Figure("share", 90.0, "msg/s", 100.0, "one worker, 4 cores", "higher"), "FAIL", False),
        (Figure("share", 100.0, "msg/s", 100.0, "one worker, 4 cores", "higher"), "pass", True),
        (Figure("share", 90.0, "msg/s", 100.0, "one worker, 2 cores", "higher", is_held=False), "----", True),
    ],
)
def test_a_figure_beside_its_limit(figure: Figure, mark: str, passes: bool, capsys: pytest.CaptureFixture[str]) -> None:
    assert print_figures([figure], as_json=False) is passes
    assert capsys.readouterr().out.startswith(f"{mark}  share")
    assert print_figures([figure], as_json=True) is passes
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["is_held"], told["ratio"]) == (figure.is_held, figure.value / figure.limit)
