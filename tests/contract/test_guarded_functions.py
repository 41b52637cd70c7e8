"""What a service or Grafana may execute that does more than read: what `roles.sql` names, and nothing else."""

from __future__ import annotations

from contextlib import closing

import pytest

from undercroft.clock import SystemClock
from undercroft.doctor.database import check_database
from undercroft.model import Mode
from undercroft.store.connection import Connection, connect
from undercroft.store.databases import migrate_database
from undercroft.store.roles import GROUP_ROLES

ASKED_BY_THE_DOCTOR = {
    "undercroft_overdue", "undercroft_refresh_from", "undercroft_put_off", "undercroft_long_holds"
}  # fmt: skip
PEOPLE = {"admin_makes_operator", "admin_disables_operator"}
MAY_EXECUTE: dict[str, set[str]] = {
    "public": set(),
    "undercroft_ingest": ASKED_BY_THE_DOCTOR | {"undercroft_make_way"},
    "undercroft_engine": ASKED_BY_THE_DOCTOR | {"pg_try_advisory_lock"},
    "undercroft_api": ASKED_BY_THE_DOCTOR,
    "undercroft_simulator": set(),
    "undercroft_duty": ASKED_BY_THE_DOCTOR | PEOPLE | {"pg_try_advisory_lock", "pg_advisory_xact_lock"},
    "undercroft_acts": ASKED_BY_THE_DOCTOR | PEOPLE | {"pg_advisory_xact_lock"},
    "undercroft_grafana": set(),
}
FILLS_GAPS = {"time_bucket_gapfill", "locf", "interpolate"}
"""Of TimescaleDB; they are marked as if they wrote, and only compute."""

MAY = """
with holder as (select rolname::text as name, oid from pg_roles where rolname = any(%(names)s))
select coalesce(holder.name, 'public') as holder, array_agg(distinct p.proname::text) as functions
from pg_proc p
cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
left join holder on holder.oid = a.grantee
where (holder.oid is not null or a.grantee = 0) and case
    when p.pronamespace in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
        then p.proname ~ 'advisory|^lo_|^lo(read|write)$|logical_emit'
    else p.provolatile = 'v' or p.prosecdef end
group by 1
"""
"""By the catalogue alone: whatever the rule in the database says, and in any schema."""


def may_execute(connection: Connection) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {name: set() for name in ("public", *GROUP_ROLES)}
    for row in connection.execute(MAY.encode(), {"names": list(GROUP_ROLES)}):
        found[row["holder"]] = set(row["functions"])
    return found


def test_who_may_execute_what_is_as_written_down(any_live_db: str, flavour: str) -> None:
    with closing(connect(any_live_db, application_name="tests", autocommit=True)) as connection:
        found = may_execute(connection)
    gaps = found["undercroft_grafana"] & FILLS_GAPS
    assert (gaps == FILLS_GAPS) or flavour == "plain"
    assert {**found, "undercroft_grafana": found["undercroft_grafana"] - gaps} == MAY_EXECUTE


def test_what_is_open_is_told_and_closed_and_a_viewers_jobs_end(timescale_live_db: str) -> None:
    """As after an update of the extension, or before there was a rule: everybody may make jobs, and a viewer has."""
    with closing(connect(timescale_live_db, application_name="tests", autocommit=True)) as connection:
        connection.execute("grant execute on function add_job to public")
        connection.execute(
            "do $$ begin if not exists (select from pg_roles where rolname = 'viewer') then"
            " create role viewer login in role undercroft_grafana; end if; end $$"
        )
        connection.execute("grant execute on procedure undercroft_retain_job to undercroft_grafana")
        connection.execute("set role viewer")
        connection.execute("select add_job('public.undercroft_retain_job', '1 second')")
        connection.execute("reset role")
        connection.execute("revoke execute on procedure undercroft_retain_job from undercroft_grafana")
    found = {finding.check: finding for finding in check_database(timescale_live_db, SystemClock().now())}
    assert found["functions"].seen.startswith("Grafana's logins may execute add_job: ")
    assert migrate_database(timescale_live_db, Mode.LIVE) == ["end of job undercroft_retain_job of viewer"]
    found = {finding.check: finding for finding in check_database(timescale_live_db, SystemClock().now())}
    assert "functions" not in found
    with closing(connect(timescale_live_db, application_name="tests", autocommit=True)) as connection:
        ours = connection.execute(
            "select count(*) as n from timescaledb_information.jobs where proc_name = 'undercroft_retain_job'"
        ).fetchone()
        assert ours == {"n": 1}
        connection.execute("set role viewer")
        connection.execute("select count(*) from grafana.space")
        with pytest.raises(Exception, match="permission denied for function add_job"):
            connection.execute("select add_job('public.undercroft_retain_job', '1 second')")
