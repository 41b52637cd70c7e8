"""Checks of the database."""

from __future__ import annotations

from datetime import datetime

from undercroft.doctor.finding import Finding, bad, good, note
from undercroft.errors import UndercroftError
from undercroft.store.connection import TO_MIGRATE
from undercroft.store.dead_letters import Caps
from undercroft.store.inspect import CLOCK_TOLERANCE, STANDBY, DatabaseFacts, inspect_database
from undercroft.store.timescale import LEAST_VERSION

LEAST_SERVER = 150000
_NEARLY_FULL = 0.8
_FEW = 200
_TOLD = ("add_job", "alter_job", "pg_advisory_lock", "lo_create", "pg_logical_emit_message")
"""Those of a long list that say what it is about."""


def check_database(url: str, now: datetime) -> list[Finding]:
    """Return what a database looks like; ``now`` is ours, taken just before."""
    try:
        facts = inspect_database(url)
    except UndercroftError as error:
        return [bad("database", str(error), "see that it runs, and that UNDERCROFT_DATABASE_URL is right")]
    return judge(facts, now)


def judge(facts: DatabaseFacts, now: datetime) -> list[Finding]:
    """Return the findings of a database's facts."""
    migrated = [
        *_policies(facts),
        _retention(facts),
        *_holds(facts),
        *_letters(facts),
        _rights(facts),
        *_functions(facts),
        *_viewers(facts),
    ]
    return [
        _server(facts),
        _schema(facts),
        _extension(facts),
        *([] if facts.missing_migrations else migrated),
        _clock(facts, now),
    ]


def _server(facts: DatabaseFacts) -> Finding:
    words = f"PostgreSQL {facts.server_version // 10000}.{facts.server_version % 10000}"
    if facts.server_version < LEAST_SERVER:
        return bad("database", words, "PostgreSQL 15 or newer is needed")
    if facts.unwritable or facts.lost_with_power or facts.unsafe_settings:
        seen = ", ".join([words, *filter(None, [facts.unwritable]), *facts.lost_with_power, *facts.unsafe_settings])
        advice = "name the server that is written to" if facts.unwritable == STANDBY else "take these settings back"
        return bad("database", seen, f"{advice}: what was committed must outlast the power, and ingest must commit")
    return good("database", f"{words}, {facts.bytes_used / 1e6:.0f} MB")


def _schema(facts: DatabaseFacts) -> Finding:
    if facts.is_half_restored:
        seen = "a restore into this database goes on, or did not end"
        return bad("schema", seen, "if none goes on: drop the database, make a new one, restore again (backup.md)")
    if facts.newer_migrations:
        seen = f"of a newer version: it has migration {facts.newer_migrations[-1]}"
        return bad("schema", seen, "run the version that made it, or a later one: this one would undo its views")
    if facts.missing_migrations:
        advice = TO_MIGRATE if facts.mode is None else "run `undercroft db migrate`"
        return bad("schema", f"missing: {', '.join(facts.missing_migrations)}", advice)
    if facts.held_at is not None:
        said = f"up to date, mode {facts.mode}, held since {facts.held_at:%F %R}: neither engine nor notifier works"
        return note("schema", said, "look at it, then run `undercroft db release` (backup.md)")
    return good("schema", f"up to date, mode {facts.mode}")


def _extension(facts: DatabaseFacts) -> Finding:
    if facts.extension is None:
        return note("timescaledb", "not installed: no compression, rollups are computed when read", "see sizing.md")
    found = tuple(int(part) for part in facts.extension.split("-")[0].split(".")[:2])
    if found < LEAST_VERSION:
        return bad("timescaledb", facts.extension, f"{'.'.join(map(str, LEAST_VERSION))} or newer is needed")
    return good("timescaledb", facts.extension)


def _policies(facts: DatabaseFacts) -> list[Finding]:
    if facts.extension is None:
        return []
    found = []
    if facts.missing_policies:
        advice = (
            "run `undercroft db migrate`; start one again: alter_job(job_id, scheduled => true, next_start => now())"
        )
        found.append(bad("policies", f"missing: {', '.join(facts.missing_policies)}", advice))
    if facts.failing_jobs:
        advice = "read timescaledb_information.job_errors"
        found.append(bad("policies", f"last run failed: {', '.join(facts.failing_jobs)}", advice))
    if facts.uncompressed:
        advice = "see what reads them all the time (pg_stat_activity), and timescaledb_information.job_errors"
        found.append(bad("policies", f"not compressed though old: {', '.join(facts.uncompressed)}", advice))
    if facts.jobs_run is False:
        advice = (
            "select _timescaledb_functions.restart_background_workers(); else raise timescaledb.max_background_workers"
        )
        found.append(bad("jobs", "TimescaleDB runs none of this database's jobs", advice))
    elif facts.jobs_run:
        found.append(good("jobs", "TimescaleDB runs the database's jobs"))
    if facts.other_failing_jobs:
        advice = "not a job of ours: read timescaledb_information.job_errors"
        found.append(note("other jobs", f"last run failed: {', '.join(facts.other_failing_jobs)}", advice))
    if not any(finding.check == "policies" for finding in found):
        found.append(good("policies", "compression, refresh and retention are in place"))
    return found


def _retention(facts: DatabaseFacts) -> Finding:
    if not facts.overdue and facts.put_off:
        seen = f"steps put off at the last run, since somebody read them: {', '.join(facts.put_off)}"
        return note("retention", seen, "none, if a backup goes on; else see who reads so long (pg_stat_activity)")
    if not facts.overdue:
        return good("retention", "nothing is older than it is kept")
    who = "run `undercroft db retain` every day (a timer)" if facts.extension is None else "see that its job runs"
    return bad("retention", f"older than they are kept: {', '.join(facts.overdue)}", who)


def _holds(facts: DatabaseFacts) -> list[Finding]:
    if not facts.long_holds:
        return []
    advice = "drop what nobody needs any more, close the incident, or hold it by name (`undercroft db hold`, sizing.md)"
    return [note("holds", f"what is old is kept by {'; '.join(facts.long_holds)}", advice)]


def _letters(facts: DatabaseFacts) -> list[Finding]:
    if facts.letters is None:
        return []
    held, caps = facts.letters, Caps()
    words = held.beside(caps)
    full = max(held.letters / caps.in_all, held.bytes / caps.bytes_in_all)
    if full >= 1:
        advice = "more are counted and not kept: `undercroft deadletter retry` or `drop` what is understood"
        return [bad("dead letters", words, advice)]
    if full >= _NEARLY_FULL:
        return [note("dead letters", words, "`undercroft deadletter retry` or `drop` what is understood")]
    return [good("dead letters", words)]


def _rights(facts: DatabaseFacts) -> Finding:
    return _wrong_rights(facts) or _own_rights(facts)


def _wrong_rights(facts: DatabaseFacts) -> Finding | None:
    if facts.grafana_readers:
        advice = "it may see views only: run `undercroft db migrate`, and revoke from a login what else it was granted"
        return bad("rights", f"{' and '.join(facts.grafana_readers)} may read tables", advice)
    if facts.groups_without_rights:
        seen = f"missing, or without rights here: {', '.join(facts.groups_without_rights)}"
        return bad("rights", seen, "run `undercroft db migrate` as somebody who may create roles")
    if facts.lacking_rights:
        seen = f"missing: {_few(facts.lacking_rights)}"
        return bad("rights", seen, "run `undercroft db migrate`: what this service is for may fail")
    if facts.surplus_rights:
        advice = "run `undercroft db migrate`, and take by hand what it leaves: of everybody, of a role, of a login"
        return bad("rights", f"more than it needs: {_few(facts.surplus_rights)}", advice)
    return None


def _own_rights(facts: DatabaseFacts) -> Finding:
    if facts.is_superuser:
        return note("rights", "this URL is a superuser's", "give services their own logins (deployment.md)")
    if facts.is_owner:
        return note("rights", "this URL is the owner's", "give services their own logins (deployment.md)")
    if len(facts.groups) != 1:
        seen = f"this login has the rights of {' and '.join(facts.groups) or 'no service'}"
        return bad("rights", seen, "grant it the group role of its service, and no other (deployment.md)")
    return good("rights", f"this login has the rights of {facts.groups[0]} only")


def _few(words: list[str]) -> str:
    """Return what is wrong with each group, cut where somebody took all of it."""
    return "; ".join(each if len(each) <= _FEW else f"{each[:_FEW].rpartition(', ')[0]} and more" for each in words)


def _functions(facts: DatabaseFacts) -> list[Finding]:
    if not (names := facts.grafana_may_call):
        return []
    ours = [name for name in names if name.startswith(("undercroft_", "admin_"))]
    worst = [*ours, *(name for name in _TOLD if name in names)] or names
    more = f" and {len(names) - len(worst)} more" if len(names) > len(worst) else ""
    seen = f"Grafana's logins may execute {', '.join(worst)}{more}: whoever queries may make jobs or hold the engine up"
    advice = "run `undercroft db migrate` as a superuser, or let nobody query whom you do not trust (grafana.md)"
    return [note("functions", seen, advice)]


def _viewers(facts: DatabaseFacts) -> list[Finding]:
    if not facts.unbound_viewers:
        return []
    advice = "a viewer's queries may hold others up: give it the limits of grafana.md (create role, alter role)"
    return [note("viewers", f"logins of Grafana without limits: {'; '.join(facts.unbound_viewers)}", advice)]


def _clock(facts: DatabaseFacts, now: datetime) -> Finding:
    off = facts.server_now - now
    if abs(off) > CLOCK_TOLERANCE:
        return bad("clock", f"the database is {off.total_seconds():+.1f} s from here", "run NTP on both")
    return good("clock", f"the database is {off.total_seconds():+.1f} s from here")
