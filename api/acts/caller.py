"""Who asks for an act over HTTP: a Bearer token, an address, perhaps an idempotency key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.errors import ActsNotOffered, BodyTooLarge, RequestInvalid, documented
from api.services import Given, Services
from duty.door.door import MOST_KEY_CHARACTERS, Actor, Done, authorise
from duty.door.refusals import ActInvalid, KeyReused, NotPossibleNow, RoleTooLow, SubjectUnknown, TokenUnknown
from undercroft.store.acting import AnotherDeployment
from undercroft.store.connection import Connection
from undercroft.store.duty_acts import operators

MOST_TOKEN_CHARACTERS = 200

bearer = HTTPBearer(auto_error=False, description="the token that `undercroft user add` shows once")

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key", min_length=1, max_length=MOST_KEY_CHARACTERS, pattern=r"^[!-~]+$",
        description="same key, same act: it is done once, however often it is sent",
    ),
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Caller:
    """A request for an act, before anybody knows who it is."""

    services: Services
    token: str
    origin: str
    key: str
    deployment_id: str | None
    """What this service shows; None where nobody acts through it."""

    def do(self, act: Callable[[Connection, Actor, datetime, str], Done]) -> Done:
        """Authorise and do an act, in this thread.

        Raises
        ------
        ActsNotOffered
            If this service has no login for acts.
        Refused
            By its class.
        """
        with self._authorised() as (connection, actor, now):
            return act(connection, actor, now, self.key)

    def operators(self) -> list[dict[str, Any]]:
        """Return all operators to whoever is one.

        Raises
        ------
        ActsNotOffered, TokenUnknown
            As with an act.
        """
        with self._authorised() as (connection, _, _):
            return operators(connection)

    @contextmanager
    def _authorised(self) -> Iterator[tuple[Connection, Actor, datetime]]:
        if self.services.acting is None or self.deployment_id is None:
            raise ActsNotOffered
        if not self.token:
            raise TokenUnknown("acts need a token: Authorization: Bearer <token>")
        now = self.services.clock.now()
        with self.services.acting.connection(self.deployment_id) as connection:
            yield connection, authorise(connection, self.token[:MOST_TOKEN_CHARACTERS], self.origin, now), now


async def caller_of(
    request: Request,
    given: Given,
    held: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
    idempotency_key: Key = None,
) -> Caller:
    """Return who asks."""
    address = request.client.host if request.client else "unknown"
    shown = None if given.acting is None else (await given.deployment()).deployment_id
    return Caller(given, held.credentials if held else "", f"http:{address}", idempotency_key or "", shown)


Asking = Annotated[Caller, Depends(caller_of)]

REFUSALS = documented(
    RequestInvalid, ActInvalid, KeyReused, TokenUnknown, RoleTooLow, SubjectUnknown, NotPossibleNow, BodyTooLarge,
    ActsNotOffered, AnotherDeployment,
)  # fmt: skip
