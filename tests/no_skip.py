"""With ``UNDERCROFT_NO_SKIP=1`` a skipped test is a failed one: a full run has to have everything that it needs."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

_STRICT = os.environ.get("UNDERCROFT_NO_SKIP", "") not in {"", "0"}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure; an expected failure is none."""
    report = yield
    if _STRICT and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"nothing may be skipped here, but: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Do the same for a whole module that skips itself."""
    report = yield
    if _STRICT and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"nothing may be skipped here, but: {report.longrepr}"
    return report
