"""What a machine reads of a benchmark is JSON and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_figures_of_a_bench_with_servers_of_its_own_are_json_alone() -> None:
    command = [sys.executable, "-m", "undercroft", "bench", "duty", "--json", "--open-alarms", "1", "--alarms", "20"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    figures = json.loads(done.stdout)
    assert {figure["name"] for figure in figures} == {"alarm_to_send_p50", "alarm_to_send_p99"}
    assert "process_ready" in done.stderr, "the servers tell of themselves on standard error"
