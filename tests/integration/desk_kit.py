"""A desk: a database, the service in front of it, each with the least rights, and people with tokens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx

from duty.door.door import new_token
from tests.browser.service import running_api
from tests.integration.duty_kit import now, opened, prepared
from undercroft.stack.postgres import PostgresServer
from undercroft.store import duty_acts as store
from undercroft.store.connection import Connection
from undercroft.store.databases import create_database, drop_database
from undercroft.store.roles import Role, create_logins

_NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class Desk:
    """A database, the server's address, and the tokens of an officer and a leader."""

    db: Connection
    address: str
    officer: str
    leader: str
    client: httpx.Client

    def post(self, path: str, body: Any, token: str | None = "", **headers: str) -> httpx.Response:
        """Send an act; by default as the officer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            named["Authorization"] = f"Bearer {token or self.officer}"
        return self.client.post(f"{self.address}api/v1{path}", json=body, headers=named)

    def get(self, path: str) -> Any:
        """Look, as anybody may."""
        answer = self.client.get(f"{self.address}api/v1{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def told(self) -> dict[str, int]:
        """Count what acts leave behind."""
        tables = ("act", "duty_log", "act_key", "duty_order")
        return {name: len(self.db.execute(f"table {name}".encode()).fetchall()) for name in tables}


@contextmanager
def a_desk(postgres: PostgresServer, template: str, **settings: str) -> Iterator[Desk]:
    name = f"api_acts_{next(_NUMBERS)}"
    create_database(postgres.url(), name, template)
    logins = create_logins(postgres.url(name), name, lambda login: f"pw-{login}")
    url = {role: postgres.url(name, login, f"pw-{login}") for role, login in logins.items()}
    tokens = []
    with ExitStack() as stack:
        stack.callback(drop_database, postgres.url(), name)
        db = stack.enter_context(opened(postgres.url(name)))
        prepared(db)
        for operator, role in (("li", "officer"), ("wu", "leader")):
            token, hashed = new_token()
            store.add_operator(db, operator, operator, role, hashed, now())
            tokens.append(token)
        given = {"acts_database_url": url[Role.ACTS]} | settings
        address, _ = stack.enter_context(running_api(url[Role.API], settings=given))
        client = stack.enter_context(httpx.Client(timeout=30.0))
        officer, leader = tokens
        yield Desk(db, address, officer, leader, client)
