"""How somebody at a command line comes to the door: with a token in ``UNDERCROFT_TOKEN``, from an account."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

from duty.door.door import Actor, authorise
from duty.options import database_url
from undercroft.clock import SystemClock
from undercroft.drill import say_drill
from undercroft.errors import BadInput
from undercroft.local_time import zone_of
from undercroft.store.connection import Connection, connect
from undercroft.store.site import district_timezone

MARKED = frozenset({"log show", "incident report", "incident cap", "roster handover"})
"""What marks its own lines, or is a document that is marked where its readers look."""


@contextmanager
def opened(command: str, *, as_json: bool) -> Iterator[Connection]:
    """Give a connection to whoever only looks, or who owns the database."""
    with closing(connect(database_url(command), application_name="undercroft-duty-cli", autocommit=True)) as connection:
        if command not in MARKED:
            say_drill(connection, as_json=as_json)
        yield connection


@contextmanager
def at_the_door(command: str, *, as_json: bool) -> Iterator[tuple[Connection, Actor, datetime]]:
    """Give a connection, who acts, and the time.

    Raises
    ------
    BadInput
        If there is no token.
    TokenUnknown
        If it is nobody's.
    """
    token = os.environ.get("UNDERCROFT_TOKEN", "")
    if not token:
        raise BadInput(f"{command}: set UNDERCROFT_TOKEN to your token; `undercroft user add` gives one")
    with opened(command, as_json=as_json) as connection:
        now = SystemClock().now()
        yield connection, authorise(connection, token, origin(), now), now


def zone_in(connection: Connection, named: str | None) -> ZoneInfo:
    """Return the time zone that was named, else the district's."""
    return zone_of(named or district_timezone(connection))


def origin() -> str:
    """Return from where a command is given: account and machine, and the address that it is controlled from."""
    try:
        account = getpass.getuser()
    except (KeyError, OSError):
        account = str(os.getuid())  # a container's user may have no name
    remote = os.environ.get("SSH_CONNECTION", "").split(" ")[0]
    return f"cli:{account}@{socket.gethostname()}" + (f" from {remote}" if remote else "")
