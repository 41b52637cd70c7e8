"""What `undercroft doctor` asks a database: versions, schema, policies, rights, clocks."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from undercroft.store.connection import Connection, connect, translated_errors
from undercroft.store.dead_letters import Held, held_letters
from undercroft.store.grants import written_grants
from undercroft.store.migrate import migrations, newer_than_known
from undercroft.store.roles import GRAFANA_ROLE, GROUP_ROLES
from undercroft.store.sql import sql
from undercroft.store.timescale import extension_version

STANDBY = "a standby, which takes no writes"


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """A database as it stands.

    Attributes
    ----------
    server_version : int
        As PostgreSQL counts: 170005 is 17.5.
    extension : str or None
        Version of TimescaleDB; None without it.
    is_half_restored : bool
        Whether a restore into it has not ended; nothing else is asked then.
    missing_migrations : list of str
        Migrations of this version that were not applied.
    newer_migrations : list of str
        Migrations applied that this version does not know.
    failing_jobs : list of str
        Background jobs of ours whose last run failed.
    other_failing_jobs : list of str
        Those of others: TimescaleDB's own, such as the one that tells its maker of use.
    uncompressed : list of str
        Relations with chunks that should have been compressed two days ago.
    missing_policies : list of str
        Relations without the policy that they should have.
    jobs_run : bool or None
        Whether TimescaleDB runs the database's jobs; None without it, or where this login cannot tell.
    overdue : list of str
        Relations that hold what retention should have dropped two days ago.
    put_off : list of str
        Relations of which retention left steps at its last run, since somebody read them.
    long_holds : list of str
        Holds that reach further back than batches are kept, those of open incidents among them.
    grafana_readers : list of str
        Grafana's group role and logins that may read tables, which nobody of them should.
    grafana_may_call : list of str
        Functions that Grafana's logins may execute though they do more than read: locks, jobs, large objects.
    is_owner : bool
        Whether this login owns the tables.
    groups : list of str
        Group roles whose rights this login has.
    groups_without_rights : list of str
        Group roles that the server lacks, or that have no rights here.
    lacking_rights, surplus_rights : list of str
        By group, rights on tables and the like that it should have and has not, or has and should not.
    unbound_viewers : list of str
        Logins of Grafana that lack a limit, and which.
    lost_with_power : list of str
        Settings by which what was committed may be lost, or pages torn, when the power goes.
    unwritable : str
        Why nothing can be written; empty where it can.
    unsafe_settings : list of str
        By login, settings that lose what was committed, or let a service write nothing.
    letters : Held or None
        What the open dead letters hold; None where this login may not see it.
    """

    server_version: int
    extension: str | None
    mode: str | None
    missing_migrations: list[str]
    failing_jobs: list[str]
    missing_policies: list[str]
    jobs_run: bool | None
    overdue: list[str]
    grafana_readers: list[str]
    grafana_may_call: list[str]
    is_superuser: bool
    is_owner: bool
    groups: list[str]
    server_now: datetime
    bytes_used: int
    lost_with_power: list[str] = field(default_factory=list)
    unwritable: str = ""
    unsafe_settings: list[str] = field(default_factory=list)
    held_at: datetime | None = None
    letters: Held | None = None
    is_half_restored: bool = False
    newer_migrations: list[str] = field(default_factory=list)
    groups_without_rights: list[str] = field(default_factory=list)
    other_failing_jobs: list[str] = field(default_factory=list)
    uncompressed: list[str] = field(default_factory=list)
    put_off: list[str] = field(default_factory=list)
    long_holds: list[str] = field(default_factory=list)
    lacking_rights: list[str] = field(default_factory=list)
    surplus_rights: list[str] = field(default_factory=list)
    unbound_viewers: list[str] = field(default_factory=list)


def inspect_database(url: str) -> DatabaseFacts:
    """Ask a database for its facts.

    Raises
    ------
    StoreUnavailable
        If it cannot be reached.
    """
    with (
        closing(connect(url, application_name="undercroft-doctor", autocommit=True)) as connection,
        translated_errors(),
    ):
        writers = {"writers": [name for name in GROUP_ROLES if name != GRAFANA_ROLE]}
        about = connection.execute(sql("inspect_server").encode(), writers).fetchone()
        assert about is not None  # noqa: S101 - it has one row
        known = connection.execute(sql("inspect_tables")).fetchone()
        assert known is not None  # noqa: S101 - it has one row
        if known["is_half_restored"] or not known["is_migrated"]:
            names = [migration.name for migration in migrations()]
            nothing = _facts(about, extension_version(connection), names, {}, [], [], [])
            return replace(nothing, is_half_restored=known["is_half_restored"])
        applied = {row["version"]: str(row["name"]) for row in connection.execute(sql("inspect_migrations"))}
        missing = [migration.name for migration in migrations() if migration.version not in applied]
        groups = {"groups": list(GROUP_ROLES)}
        lively = {} if missing else connection.execute(sql("inspect_lively").encode(), groups).fetchone() or {}
        extension = extension_version(connection)
        jobs: list[dict[str, object]] = []
        lacking: list[str] = []
        uncompressed: list[str] = []
        if extension is not None and not missing:
            jobs = list(connection.execute(sql("inspect_jobs")))
            lacking = [row["name"] for row in connection.execute(sql("inspect_policies"))]
            uncompressed = [row["name"] for row in connection.execute(sql("inspect_uncompressed"))]
            lively |= connection.execute(sql("inspect_workers")).fetchone() or {}
        failing, others = ([str(job["name"]) for job in jobs if job["is_ours"] is ours] for ours in (True, False))
        overdue = [] if missing else [row["name"] for row in connection.execute(sql("inspect_overdue"))]
        letters = None if missing else held_letters(connection)
        facts = _facts(about, extension, missing, lively, failing, lacking, overdue)
        newer = newer_than_known(applied.values())
        facts = replace(
            facts, letters=letters, newer_migrations=newer, other_failing_jobs=others, uncompressed=uncompressed
        )
        if missing or newer:
            return facts  # their rights are another version's
        kept = connection.execute(sql("inspect_kept")).fetchone() or {}
        facts = replace(facts, put_off=_names(kept.get("put_off")), long_holds=_names(kept.get("long_holds")))
        lacking_rights, surplus, unbound = _rights(connection)
        return replace(facts, lacking_rights=lacking_rights, surplus_rights=surplus, unbound_viewers=unbound)


def _rights(connection: Connection) -> tuple[list[str], list[str], list[str]]:
    """Return what groups lack; what they, or logins of Grafana, have and should not; logins without limits."""
    written = sorted(written_grants())
    values = {
        "groups": [each.group for each in written],
        "rights": [each.right for each in written],
        "kinds": [each.kind for each in written],
        "names": [each.name for each in written],
        "columns": [each.column for each in written],
        "known": [*GROUP_ROLES],
    }
    lacking, surplus, roles, unbound = (
        [str(row["name"]) for row in connection.execute(sql(name).encode(), values)]
        for name in (
            "inspect_lacking_rights", "inspect_surplus_rights", "inspect_surplus_roles", "inspect_unbound_viewers",
        )
    )  # fmt: skip
    return lacking, [*roles, *surplus], unbound


def _lost_with_power(about: dict[str, object]) -> list[str]:
    names = ("fsync", "full_page_writes", "synchronous_commit")
    return [f"{name} off" for name in names if about[name] == "off"]


def _unwritable(about: dict[str, object]) -> str:
    if about["is_standby"]:
        return STANDBY
    return "takes no writes (default_transaction_read_only on)" if about["read_only"] == "on" else ""


def _facts(
    about: dict[str, object],
    extension: str | None,
    missing: list[str],
    lively: dict[str, object],
    failing: list[str],
    lacking: list[str],
    overdue: list[str],
) -> DatabaseFacts:
    mode, now = lively.get("mode"), about["server_now"]
    assert isinstance(now, datetime)  # noqa: S101 - the query says so
    return DatabaseFacts(
        server_version=int(str(about["server_version"])),
        extension=extension,
        mode=None if mode is None else str(mode),
        held_at=held_at if isinstance(held_at := lively.get("held_at"), datetime) else None,
        missing_migrations=missing,
        failing_jobs=failing,
        missing_policies=lacking,
        jobs_run=None if lively.get("jobs_run") is None else bool(lively["jobs_run"]),
        overdue=overdue,
        grafana_readers=_names(lively.get("grafana_readers")),
        grafana_may_call=_names(lively.get("grafana_may_call")),
        is_superuser=bool(about["is_superuser"]),
        is_owner=bool(lively.get("is_owner")),
        groups=_names(lively.get("groups")),
        groups_without_rights=_names(lively.get("groups_without_rights")),
        server_now=now,
        bytes_used=int(str(about["bytes_used"])),
        lost_with_power=_lost_with_power(about),
        unwritable=_unwritable(about),
        unsafe_settings=_names(about["unsafe_settings"]),
    )


def _names(found: object) -> list[str]:
    return [str(name) for name in found] if isinstance(found, list) else []


CLOCK_TOLERANCE = timedelta(seconds=2)
"""How far the database's clock may be from ours before ages are wrong on the wall."""
