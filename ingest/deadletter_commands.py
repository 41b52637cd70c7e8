"""``undercroft deadletter``: see, try again and drop what could not be stored."""

from __future__ import annotations

import base64
import getpass
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from operator import itemgetter
from typing import Annotated, Any

import typer

from ingest.reasons import Reason
from ingest.retry import Retried, Retrier
from ingest.timestamps import rfc3339_us
from undercroft.errors import BadInput, PayloadInvalid
from undercroft.plain_text import escaped
from undercroft.settings import Settings
from undercroft.store.commit import HELD_AT_MOST_S, limit_transactions
from undercroft.store.connection import Connection, connect
from undercroft.store.dead_letters import (
    Caps,
    LetterFilter,
    fetch_dead_letter,
    held_letters,
    list_dead_letters,
    settle_dead_letter,
)
from undercroft.store.migrate import mode_of
from undercroft.store.observations import instant

_EVERY = 1_000_000

ReasonOption = Annotated[Reason | None, typer.Option(help="Only this reason.")]
DeviceOption = Annotated[str | None, typer.Option(help="Only this device.")]
SinceOption = Annotated[str | None, typer.Option(help="Seen at or after this time, RFC 3339.")]
UntilOption = Annotated[str | None, typer.Option(help="First seen before this time, RFC 3339.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
IdArgument = Annotated[list[int] | None, typer.Argument(metavar="[ID]...", help="Numbers from the list.")]
AuthorOption = Annotated[str | None, typer.Option(help="Who does it; default: the account's name.")]


def register(app: typer.Typer) -> None:
    """Add ``undercroft deadletter``."""
    group = typer.Typer(help="Messages that could not be stored, and why.", no_args_is_help=True)
    group.command("list")(list_letters)
    group.command("show")(show)
    group.command("retry")(retry)
    group.command("drop")(drop)
    app.add_typer(group, name="deadletter")


def list_letters(
    reason: ReasonOption = None,
    device: DeviceOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    state: Annotated[str, typer.Option(help="open, retried, dropped or any.")] = "open",
    most: Annotated[int, typer.Option(min=1, max=_EVERY, help="At most so many.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """List dead letters, the newest first."""
    wanted = _filter(reason, device, since, until, state)
    with _database() as connection:
        rows, in_all = list_dead_letters(connection, wanted, most)
        held = held_letters(connection)
    if len(rows) < in_all:
        typer.echo(f"{len(rows)} of {in_all} dead letters, the newest; more: --most", err=True)
    if held is not None:
        typer.echo(f"in all {held.beside(Caps())}", err=True)
    if as_json:
        _say(json.dumps([_plain(row) for row in rows], ensure_ascii=False))
        return
    for row in rows:
        settled = "" if row["state"] == "open" else f"  ({row['state']} by {row['settled_by']})"
        _say(
            f"{row['dead_letter_id']}  {row['last_received_at']:%Y-%m-%dT%H:%M:%SZ}  {row['reason']}"
            f"  x{row['times_seen']}  {row['topic']}  {row['detail']}{settled}"
        )


def show(
    number: Annotated[int, typer.Argument(metavar="ID", help="Number from the list.")], as_json: JsonOption = False
) -> None:
    """Show one dead letter with its payload."""
    with _database() as connection:
        row = fetch_dead_letter(connection, number)
    if row is None:
        raise BadInput(f"there is no dead letter {number}")
    plain = _plain(row)
    if as_json:
        _say(json.dumps(plain, ensure_ascii=False))
        return
    for key, value in plain.items():
        _say(f"{key}: {value}")


def retry(
    numbers: IdArgument = None,
    reason: ReasonOption = None,
    device: DeviceOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    author: AuthorOption = None,
    as_json: JsonOption = False,
) -> None:
    """Try dead letters again, after the site data or a decoder was mended."""
    with _database() as connection:
        retrier = Retrier(connection, mode_of(connection))
        chosen = _chosen(connection, numbers, _filter(reason, device, since, until, "open"))
        outcomes: Counter[str] = Counter()
        try:
            for number in chosen:
                outcomes[retrier.retry(number, _author(author)).value] += 1
        finally:  # what was done before the database went away is done
            _tell(outcomes, as_json=as_json)


def drop(
    numbers: IdArgument = None,
    reason: ReasonOption = None,
    device: DeviceOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    author: AuthorOption = None,
    as_json: JsonOption = False,
) -> None:
    """Settle dead letters without storing anything; they stay, marked with who and when."""
    with _database() as connection:
        chosen = _chosen(connection, numbers, _filter(reason, device, since, until, "open"))
        outcomes: Counter[str] = Counter()
        try:
            for number in chosen:
                is_open = settle_dead_letter(connection, number, "dropped", _author(author))
                outcomes["dropped" if is_open else Retried.SETTLED.value] += 1
        finally:
            _tell(outcomes, as_json=as_json)


def _chosen(connection: Connection, numbers: list[int] | None, wanted: LetterFilter) -> list[int]:
    if numbers:
        for number in numbers:
            if fetch_dead_letter(connection, number) is None:
                raise BadInput(f"there is no dead letter {number}")
        return numbers
    if wanted == LetterFilter():
        raise BadInput("deadletter: name the letters by number, --reason, --device, --since or --until")
    rows, _ = list_dead_letters(connection, wanted, _EVERY)
    as_sent = itemgetter("first_received_at", "batch_id", "place", "dead_letter_id")
    return [row["dead_letter_id"] for row in sorted(rows, key=as_sent)]


def _filter(
    reason: Reason | None, device: str | None, since: str | None, until: str | None, state: str
) -> LetterFilter:
    if state not in {"open", "retried", "dropped", "any"}:
        raise BadInput(f"--state {state}: expected open, retried, dropped or any")
    return LetterFilter(
        None if reason is None else reason.value,
        device,
        _time("--since", since),
        _time("--until", until),
        None if state == "any" else state,
    )


def _time(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return instant(rfc3339_us(text))
    except PayloadInvalid:
        raise BadInput(f"{option} {text}: expected RFC 3339 with an offset, such as 2026-07-01T00:00:00Z") from None


@contextmanager
def _database() -> Iterator[Connection]:
    settings = Settings()
    if settings.database_url is None:
        raise BadInput("deadletter: set UNDERCROFT_DATABASE_URL")
    url = settings.database_url.get_secret_value()
    name = "undercroft-deadletter"  # it writes rows as ingest does, under the same limits
    with closing(connect(url, application_name=name, autocommit=True, idle_within_s=HELD_AT_MOST_S)) as connection:
        limit_transactions(connection)
        yield connection


def _author(author: str | None) -> str:
    return author or getpass.getuser()


def _say(line: str) -> None:
    """Print what devices said, without what it would do to a terminal."""
    typer.echo(escaped(line))


def _tell(counts: Mapping[str, int], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(counts))
    else:
        typer.echo(", ".join(f"{count} {what}" for what, count in sorted(counts.items())) or "nothing to do")


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    plain = {}
    for key, value in row.items():
        if key == "payload_sha256":
            plain[key] = bytes(value).hex()
        elif isinstance(value, bytes):
            plain[key] = value.decode(errors="backslashreplace")
            plain[f"{key}_b64"] = base64.b64encode(value).decode()
        elif isinstance(value, datetime):
            plain[key] = value.isoformat()
        else:
            plain[key] = value
    return plain
