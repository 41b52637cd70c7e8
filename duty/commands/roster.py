"""``undercroft roster``: import, show, absent, handover."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import orjson
import typer

from duty.door.entered import at_the_door, opened
from duty.options import DutyConfig
from duty.roster.roster import Gap
from undercroft.clock import SystemClock
from undercroft.errors import BadInput, StoreRejected
from undercroft.groups import group
from undercroft.local_time import local, zone_of
from undercroft.settings import Settings
from undercroft.store.connection import Connection

AsJson = Annotated[bool, typer.Option("--json", help="for machines")]
Zone = Annotated[str, typer.Option(help="of times without offset")]


def register(app: typer.Typer) -> None:
    """Add the group."""
    roster = group(app, "roster", "Who is on duty.")
    roster.command("import")(import_roster)
    roster.command("show")(show_roster)
    roster.command("absent")(mark_absent)
    roster.command("handover")(hand_over)


def _text_of(file: Path) -> str:
    """Return what stands in a file in UTF-8, or in GB 18030 as Excel writes it in Chinese."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise BadInput(f"roster: {file}: {error.strerror}") from error
    for encoding in ("utf-8", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadInput(f"roster: {file}: neither UTF-8 nor GB 18030 (GBK); save it as CSV UTF-8")


def import_roster(
    file: Annotated[Path, typer.Argument(help="CSV: starts_at,ends_at,step,standing,person,name,phone,reach")],
    zone: Zone = "Asia/Shanghai",
    config: DutyConfig = None,
    as_json: AsJson = False,
) -> None:
    """Put the file's shifts in place of what others of their step and standing do meanwhile. Needs the role leader.

    Where there is a duty file, a channel that it does not name is refused.
    Names the gaps that the roster has then, in the time of the file and in the next 24 hours.
    """
    from duty.file import channels_in  # noqa: PLC0415 - help starts faster
    from duty.roster import acts as roster_acts  # noqa: PLC0415
    from duty.roster.roster import parse_roster  # noqa: PLC0415
    from duty.roster.stored import load_roster  # noqa: PLC0415

    text, channels = _text_of(file), channels_in(config)
    place = zone_of(zone)
    with at_the_door("roster import", as_json=as_json) as (connection, actor, now):
        done = roster_acts.import_roster(connection, actor, text, place, now, channels=channels)
        shifts = parse_roster(text, place)
        stretches = roster_acts.covered(shifts), (done.at, done.at + roster_acts.LOOK_AHEAD)
        found = {gap for of in stretches for gap in load_roster(connection, *of).gaps(*of)}
    if as_json:
        typer.echo(done.as_json())
        return
    starts_at, ends_at = stretches[0]
    typer.echo(
        f"{len(shifts)} shifts from {local(starts_at, place)} to {local(ends_at, place)};"
        f" entry {done.entry_no} of the duty log"
    )
    for gap in sorted(found, key=lambda gap: (gap.starts_at, gap.step)):
        typer.echo(_gap(gap, place), err=True)


def _gap(gap: Gap, zone: ZoneInfo) -> str:
    return f"GAP nobody at step {gap.step} from {local(gap.starts_at, zone)} to {local(gap.ends_at, zone)}"


def show_roster(
    hours: Annotated[int, typer.Option(min=1, max=24 * 31, help="how far to look")] = 48,
    zone: Annotated[str, typer.Option(help="of the times shown")] = "Asia/Shanghai",
    as_json: AsJson = False,
) -> None:
    """Show who is told first, second ... now, who is absent, and the gaps ahead."""
    from duty.roster.stored import load_roster  # noqa: PLC0415 - help starts faster
    from duty.roster.view import view_of  # noqa: PLC0415

    place, now = zone_of(zone), SystemClock().now()
    until = now + timedelta(hours=hours)
    with opened("roster show", as_json=as_json) as connection:
        roster = load_roster(connection, now, until)
    if as_json:
        typer.echo(orjson.dumps(view_of(roster, now, until), option=orjson.OPT_INDENT_2).decode())
        return
    for step, person in enumerate(roster.chain(now)):
        typer.echo(f"step {step}  {person.person_id:<12} {person.name}  {person.phone}")
    for absence in roster.absences:
        away = f"from {local(absence.starts_at, place)} to {local(absence.ends_at, place)}"
        typer.echo(f"absent  {absence.person_id:<12} {away}")
    for gap in roster.gaps(now, until):
        typer.echo(_gap(gap, place))


def mark_absent(
    person: Annotated[str, typer.Argument(help="as the roster names the person")],
    until: Annotated[str | None, typer.Option(help="e.g. 2026-07-01T08:00")] = None,
    since: Annotated[str | None, typer.Option("--from", help="default: now; with --take-back: the only one")] = None,
    take_back: Annotated[bool, typer.Option("--take-back", help="it was entered by mistake, or is over early")] = False,
    zone: Zone = "Asia/Shanghai",
    as_json: AsJson = False,
) -> None:
    """Record that somebody cannot be reached for a time: the deputy, or the next step, is told instead."""
    from duty.roster import acts as roster_acts  # noqa: PLC0415 - help starts faster

    if (until is None) != take_back:
        raise BadInput("roster absent: say either --until, or --take-back")
    place = zone_of(zone)
    starts_at = None if since is None else _instant("--from", since, place)
    ends_at = None if until is None else _instant("--until", until, place)
    with at_the_door("roster absent", as_json=as_json) as (connection, actor, now):
        if ends_at is None:
            done = roster_acts.take_back_absence(connection, actor, person, starts_at, now)
        else:
            done = roster_acts.mark_absent(connection, actor, person, starts_at, ends_at, now)
    typer.echo(done.as_json() if as_json else f"entry {done.entry_no} of the duty log")


def _instant(option: str, text: str, zone: ZoneInfo) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"roster absent: {option}: {text!r} is not a date and time, e.g. 2026-07-01T08:00") from None
    return found if found.tzinfo else found.replace(tzinfo=zone)


def hand_over(
    to: Annotated[str, typer.Argument(help="who takes over")],
    note: Annotated[str, typer.Option(help="what the next shift has to know")],
    key: Annotated[Path | None, typer.Option(help="signing key; default: duty-log.key in DATA_DIR")] = None,
    zone: Zone = "Asia/Shanghai",
    config: DutyConfig = None,
    as_json: AsJson = False,
) -> None:
    """Hand the shift over: log the note, sign the duty log, print the handover sheet."""
    from duty.acts.acts import Act, perform  # noqa: PLC0415 - help starts faster
    from duty.file import limits_in  # noqa: PLC0415
    from duty.reports.handover import load_sheet, markdown  # noqa: PLC0415

    place, limits = zone_of(zone), limits_in(config)
    with at_the_door("roster handover", as_json=as_json) as (connection, actor, now):
        done = perform(connection, actor, Act("handover", "-", {"text": note, "to": to}), now)
        unsigned = _signed_or_why_not(connection, key or Settings().data_dir / "duty-log.key", now)
        sheet = load_sheet(connection, done.at, now, limits, unsigned, place)
    if as_json:
        said = {
            "entry_no": done.entry_no,
            "signed": not unsigned,
            "unsigned_because": unsigned,
            "fingerprint": sheet.head.fingerprint if sheet.head and not unsigned else "",
            "sheet": markdown(sheet, place),
        }
        typer.echo(orjson.dumps(said, option=orjson.OPT_INDENT_2).decode())
    else:
        typer.echo(markdown(sheet, place), nl=False)
    if unsigned:
        typer.echo(f"roster handover: handed over, but UNSIGNED: {unsigned}", err=True)
        raise typer.Exit(1)


def _signed_or_why_not(connection: Connection, key: Path, now: datetime) -> str:
    """Sign the duty log; return why it could not be signed, empty when it is: the shift is handed over either way."""
    from duty.log.signing import key_of, sign  # noqa: PLC0415 - help starts faster

    try:
        signed = sign(connection, key_of(key, connection), "handover", now)
    except (BadInput, StoreRejected) as error:
        return str(error)
    if signed is not None and signed.torn:
        typer.echo(f"NOTE {signed.torn}", err=True)
    return ""
