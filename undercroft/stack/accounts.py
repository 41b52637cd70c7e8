"""Whom embedded servers run as: ourselves, or as root an account without rights."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass

from undercroft.errors import StackFailed

ACCOUNT_NAME = "undercroft"
FALLBACK_NAME = "nobody"


@dataclass(frozen=True, slots=True)
class Account:
    """An account of this machine."""

    name: str
    uid: int
    gid: int


def server_account() -> Account | None:
    """Return the account that servers run as when we are root, None when we are not.

    The system account ``undercroft`` is made at the first need; where that is not possible it is ``nobody``.
    """
    if os.geteuid() != 0:
        return None
    found = _account(ACCOUNT_NAME)
    if found is None and _add_account():
        found = _account(ACCOUNT_NAME)
    found = found or _account(FALLBACK_NAME)
    if found is None:
        raise StackFailed(f"PostgreSQL refuses to run as root, and there is no account {ACCOUNT_NAME!r} or 'nobody'")
    return found


def account_of(uid: int) -> Account:
    """Return the account of a uid, which may have no name."""
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        return Account(str(uid), uid, uid)
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _account(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid) if entry.pw_uid != 0 else None


def _add_account() -> bool:
    program = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if program is None:
        return False
    command = [program, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT_NAME]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0
