"""What C code prints while a plan is made stands in no output for machines."""

from __future__ import annotations

import ctypes

import pytest

from risk.priority_commands import prints_to_stderr


def test_remarks_of_the_solver_go_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    library = ctypes.CDLL(None)
    with prints_to_stderr():
        library.printf(b"remark\n")
    library.printf(b"{}\n")
    library.fflush(None)
    out, err = capfd.readouterr()
    assert (out, err) == ("{}\n", "remark\n")
