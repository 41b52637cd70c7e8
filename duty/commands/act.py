"""Commands of people: acts, operators, the duty log. A token in ``UNDERCROFT_TOKEN`` says who acts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from duty.commands import order as order_commands
from duty.door.bodies import COUNTS, FLAGS, LISTS, NUMBERS
from duty.door.door import RANK, Actor
from duty.door.entered import at_the_door, opened, origin, zone_in
from undercroft.clock import SystemClock
from undercroft.errors import BadInput
from undercroft.groups import group
from undercroft.local_time import with_zone
from undercroft.settings import Settings
from undercroft.store.connection import Connection


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command("act")(run_act)
    order_commands.register(app)
    users = group(app, "user", "Who may act.")
    users.command("add")(add_user)
    users.command("disable")(disable_user)
    users.command("list")(list_users)
    logs = group(app, "log", "The duty log: append-only, chained, signed.")
    logs.command("show")(show_log)
    logs.command("sign")(sign_log)
    logs.command("rotate-key")(rotate_key)
    logs.command("verify")(verify_log)


AsJson = Annotated[bool, typer.Option("--json", help="for machines")]
OperatorId = Annotated[str, typer.Argument(help="as `user list` names the person, e.g. li")]
Role = Annotated[str, typer.Option(help=", ".join(sorted(RANK, key=lambda role: RANK[role])))]
KeyFile = Annotated[Path | None, typer.Option("--key", help="signing key; default: duty-log.key in DATA_DIR")]


def run_act(
    kind: Annotated[str, typer.Argument(help="acknowledge, shelve, unshelve, stand_down, out_of_service, note ...")],
    subject: Annotated[str, typer.Argument(help="space/<id>, device/<id>, warning/<id>, or - for the district")] = "-",
    say: Annotated[list[str] | None, typer.Option("--say", help="name=value, as often as needed")] = None,
    zone: Annotated[str | None, typer.Option(help="of the time shown; default: the district's")] = None,
    as_json: AsJson = False,
) -> None:
    """Do something as an operator: it is authorised, logged and audited."""
    from duty.acts import acts  # noqa: PLC0415 - help starts faster

    with at_the_door("act", as_json=as_json) as (connection, actor, now):
        done = acts.perform(connection, actor, acts.Act(kind, subject, _body(say or [])), now)
        place = zone_in(connection, zone)
    number, at = done.entry_no, with_zone(done.at, place)
    typer.echo(done.as_json() if as_json else f"值班日志第 {number} 条 entry {number} of the duty log, {at}")
    if done.taken and not as_json:
        typer.echo(f"同事已接警，不算在内 taken by a colleague already, not by this: {done.taken}")
    if done.left_out and not as_json:
        typer.echo(f"未接警，有新情况尚未通知 NOT taken, there is news that nobody was told of yet: {done.left_out}")


def _body(items: list[str]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for item in items:
        name, equals, value = item.partition("=")
        if not equals:
            raise BadInput(f"--say {item}: write name=value")
        body[name] = _typed(name, value)
    return body


_FLAG_WORDS = {"true": True, "yes": True, "false": False, "no": False}


def _typed(name: str, text: str) -> object:
    """Return what was typed as the kind of value that a field holds; what is none stays text, and is refused."""
    try:
        if name in LISTS:
            return [entry.strip() for entry in text.split(",")]
        if name in FLAGS and text in _FLAG_WORDS:
            return _FLAG_WORDS[text]
        return int(text) if name in COUNTS else float(text) if name in NUMBERS else text
    except ValueError:
        return text


def add_user(
    operator_id: OperatorId,
    name: Annotated[str, typer.Argument(help="as the duty log and messages show it")],
    role: Role = "officer",
    as_json: AsJson = False,
) -> None:
    """Make an operator, or give one a new token; the token is shown once.

    Needs an admin's token, or the login of the database's owner.
    """
    from duty.door.operators import add_operator  # noqa: PLC0415

    with _admin("user add", as_json=as_json) as (connection, actor, now):
        made = add_operator(connection, actor, operator_id, name, role, now)
    if as_json:
        typer.echo(orjson.dumps({"operator_id": operator_id, "role": role, "token": made.token}).decode())
        return
    typer.echo(made.token)


def disable_user(operator_id: OperatorId, as_json: AsJson = False) -> None:
    """Take an operator's rights away at once. Needs an admin's token, or the login of the database's owner."""
    from duty.door.operators import disable_operator  # noqa: PLC0415

    with _admin("user disable", as_json=as_json) as (connection, actor, now):
        done = disable_operator(connection, actor, operator_id, now)
    typer.echo(done.as_json() if as_json else f"entry {done.entry_no} of the duty log")


@contextmanager
def _admin(command: str, *, as_json: bool) -> Iterator[tuple[Connection, Actor, datetime]]:
    """Give a connection, the admin of the token or, without one, the owner of the database, and the time."""
    from duty.door.operators import owner  # noqa: PLC0415

    if os.environ.get("UNDERCROFT_TOKEN"):
        with at_the_door(command, as_json=as_json) as (connection, actor, now):
            yield connection, actor, now
        return
    with opened(command, as_json=as_json) as connection:
        yield connection, owner(origin()), SystemClock().now()


def list_users(as_json: AsJson = False) -> None:
    """List the operators."""
    from undercroft.store import duty_acts as store  # noqa: PLC0415

    with opened("user list", as_json=as_json) as connection:
        rows = store.operators(connection)
    if as_json:
        typer.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2).decode())
        return
    for row in rows:
        typer.echo(f"{row['operator_id']:<20} {row['role']:<8} {row['name']}{' (disabled)' * bool(row['disabled_at'])}")


def show_log(
    zone: Annotated[str | None, typer.Option(help="of the times shown; default: the district's")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="for machines: JSON Lines")] = False,
) -> None:
    """Print the duty log, a line an entry; of a drill each line says so first."""
    from duty.reports.log_table import line_of  # noqa: PLC0415 - help starts faster
    from duty.telling.names import load_names  # noqa: PLC0415
    from undercroft.model import EXERCISE_MARK, Mode  # noqa: PLC0415
    from undercroft.store import duty_acts as store  # noqa: PLC0415
    from undercroft.store.migrate import mode_of  # noqa: PLC0415

    with opened("log show", as_json=as_json) as connection:
        mark = "".join(EXERCISE_MARK).strip() if mode_of(connection) is Mode.EXERCISE else ""
        rows = store.log_entries(connection)
        if not as_json:
            place, names = zone_in(connection, zone), load_names(connection)
            for row in rows:
                typer.echo(line_of(row, names, place, mark=mark and f"{mark} "))
            if not rows:
                typer.echo(f"{mark} the log is empty".strip())
            return
        drill = {"drill": mark} if mark else {}
        for row in rows:
            shown = {name: value for name, value in row.items() if name not in {"previous", "sha256"}}
            typer.echo(orjson.dumps({**drill, **shown, "sha256": bytes(row["sha256"]).hex()}).decode())


def _key_path(key: Path | None) -> Path:
    return key or Settings().data_dir / "duty-log.key"


def sign_log(
    key: KeyFile = None,
    occasion: Annotated[str, typer.Option(help="hourly, handover ...")] = "handover",
    as_json: AsJson = False,
) -> None:
    """Sign the log as it stands and print the fingerprint for the handover sheet."""
    from duty.log.signing import key_of, sign  # noqa: PLC0415

    with opened("log sign", as_json=as_json) as connection:
        signed = sign(connection, key_of(_key_path(key), connection), occasion, SystemClock().now())
    if signed is None:
        raise BadInput("log sign: the log is empty")
    head = signed.head
    if signed.torn:
        typer.echo(f"NOTE {signed.torn}", err=True)
    if as_json:
        said = {"entry_no": head.entry_no, "fingerprint": head.fingerprint, "key_id": head.key_id}
        typer.echo(orjson.dumps(said).decode())
        return
    typer.echo(f"entry {head.entry_no}  {head.fingerprint}  key {head.key_id}")


def rotate_key(
    key: KeyFile = None,
    lost: Annotated[
        bool, typer.Option("--lost", help="the old key is gone: the new one takes over without its signature")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put a new signing key in the place of the old one, introduced by it; what the old one signed stays good."""
    from duty.log.dutylog import key_id_of  # noqa: PLC0415
    from duty.log.signing import rotate  # noqa: PLC0415

    with opened("log rotate-key", as_json=as_json) as connection:
        found, signed = rotate(connection, _key_path(key), SystemClock().now(), lost=lost)
    ids = [key_id_of(trusted.public) for trusted in found.trusted]
    if as_json:
        typer.echo(orjson.dumps({"key_id": ids[-1], "before": ids[-2], "signed": signed is not None}).decode())
        return
    typer.echo(f"key {ids[-1]} signs from now on in place of {ids[-2]}; keep a copy of it elsewhere")


def verify_log(
    key: KeyFile = None,
    head: Annotated[
        list[str] | None,
        typer.Option(metavar="ENTRY:FINGERPRINT", help="as printed in a handover or report; as often as needed"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check every entry and every signed head, those beside the key too; exit code 1 when anything was changed."""
    from duty.log.dutylog import printed_head  # noqa: PLC0415
    from duty.log.signing import check, load_key  # noqa: PLC0415

    printed = [printed_head(text) for text in head or []]
    with opened("log verify", as_json=as_json) as connection:
        checked = check(connection, load_key(_key_path(key), make=False), printed)
    verdict, of = checked.verdict, checked.log
    if as_json:
        said = {
            **asdict(verdict),
            "mode": of.mode,
            "deployment_id": of.database,
            "torn": checked.torn,
            "notes": checked.notes,
        }
        typer.echo(orjson.dumps(said).decode())
        raise typer.Exit(1 if verdict.problems else 0)
    for problem in verdict.problems:
        typer.echo(f"PROBLEM {problem}")
    if checked.torn:
        typer.echo(f"NOTE {checked.torn}")
    for note in checked.notes:
        typer.echo(f"NOTE {note}")
    typer.echo(
        f"{of.mode} database {of.database}: {verdict.entries} entries, {verdict.heads} signed heads and"
        f" {verdict.kept} outside the database, signed up to entry {verdict.covered}"
    )
    if verdict.problems:
        raise typer.Exit(1)
