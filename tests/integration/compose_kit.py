"""The deployment's scripts, run as the compose file's containers and its people run them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from undercroft.stack.postgres import OWNER, PostgresServer

ROOT = Path(__file__).parents[2]


def made_secrets(folder: Path) -> None:
    command = [sys.executable, str(ROOT / "deploy/make_secrets.py"), "broker.example.org", "--folder", str(folder)]
    subprocess.run(command, check=True, capture_output=True, umask=0o077)  # as many a root's is


def run_logins_script(server: PostgresServer, database: str, folder: Path) -> None:
    """Run the image's script of logins on an embedded server, which has no TimescaleDB."""
    script = (ROOT / "deploy/timescaledb/10-logins.sh").read_text(encoding="utf-8")
    environment = {
        **os.environ,
        "POSTGRES_USER": OWNER,
        "POSTGRES_DB": database,
        "PGHOST": str(server.socket_folder),
        "PGPASSWORD": server.owner_password,
        "UNDERCROFT_SECRETS_DIR": str(folder),
    }
    words = ["sh", "-c", script.replace("create extension if not exists timescaledb;", "select 1;")]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(path.read_text().strip() not in done.stdout + done.stderr for path in folder.glob("*_password"))
