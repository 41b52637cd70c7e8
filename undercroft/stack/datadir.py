"""DATA_DIR: one private folder, one owner, one running instance, one file of secrets."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from undercroft.errors import StackFailed
from undercroft.stack.accounts import Account, account_of, server_account

_MARKER = ".undercroft"
_SECRETS = "secrets.json"
_LOCK = "lock"


@dataclass(frozen=True, slots=True)
class DataDir:
    """A prepared DATA_DIR, locked by this process.

    Attributes
    ----------
    path : Path
        The folder, absolute, mode 0700.
    account : Account or None
        Whom its servers run as; None: ourselves.
    """

    path: Path
    account: Account | None

    @property
    def secrets_path(self) -> Path:
        """File of generated passwords, mode 0600."""
        return self.path / _SECRETS

    def secret(self, name: str) -> str:
        """Return the password of this name, generated when asked for the first time."""
        known = self._read_secrets()
        if name not in known:
            known[name] = secrets.token_urlsafe(24)
            self.write_private(self.secrets_path, json.dumps(known, indent=1, sort_keys=True))
        return known[name]

    def _read_secrets(self) -> dict[str, str]:
        try:
            known: dict[str, str] = json.loads(self.secrets_path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return known

    def write_private(self, path: Path, text: str, *, for_account: bool = False) -> None:
        """Replace a file at once by one of mode 0600; it follows no link that was put in its place."""
        fresh = path.with_name(f"{path.name}.new")
        fresh.unlink(missing_ok=True)
        fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
            if for_account and self.account:
                os.fchown(file.fileno(), self.account.uid, self.account.gid)
        fresh.replace(path)

    def subfolder(self, name: str) -> Path:
        """Return a folder of mode 0700 in it that its servers may write to."""
        path = self.path / name
        path.mkdir(mode=0o700, exist_ok=True)
        if self.account:
            os.chown(path, self.account.uid, self.account.gid, follow_symlinks=False)
        return path


@contextmanager
def open_data_dir(path: Path) -> Iterator[DataDir]:
    """Prepare DATA_DIR and hold its lock.

    Raises
    ------
    StackFailed
        If another instance runs on it, or it belongs to somebody else or holds something else.
    """
    path = path.absolute()
    account = _take_over(path)
    fd = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(fd, 32, 0).decode() or "?"
            raise StackFailed(f"another undercroft (process {holder}) already runs on DATA_DIR {path}") from None
        os.ftruncate(fd, 0)
        os.pwrite(fd, str(os.getpid()).encode(), 0)
        yield DataDir(path, account)
    finally:
        os.close(fd)


def _take_over(path: Path) -> Account | None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.stat()
        ours = (path / _MARKER).exists()
        if not ours and any(path.iterdir()):
            raise StackFailed(f"DATA_DIR {path} holds other files: name a new or an empty folder")
    except OSError as error:
        raise StackFailed(f"DATA_DIR {path} cannot be used: {error.strerror}") from error
    if os.geteuid() != 0:
        if found.st_uid != os.geteuid():
            raise StackFailed(f"DATA_DIR {path} belongs to {account_of(found.st_uid).name}, not to us")
        account = None
    else:
        # The servers keep the account that they started with, whatever accounts the machine has by now.
        account = account_of(found.st_uid) if ours and found.st_uid != 0 else server_account()
    if account:
        _check_reachable(path, account)
    if not ours:
        if account:
            os.chown(path, account.uid, account.gid)
        (path / _MARKER).touch()
    if stat.S_IMODE(found.st_mode) != 0o700:
        path.chmod(0o700)
    return account


def _check_reachable(path: Path, account: Account) -> None:
    for folder in path.parents:
        found = folder.stat()
        needed = stat.S_IXOTH
        if found.st_uid == account.uid:
            needed = stat.S_IXUSR
        elif found.st_gid == account.gid:
            needed = stat.S_IXGRP
        if not found.st_mode & needed:
            raise StackFailed(
                f"DATA_DIR {path} cannot be used: {folder} is closed to account {account.name}, as which PostgreSQL "
                "runs; set UNDERCROFT_DATA_DIR to another place"
            )
