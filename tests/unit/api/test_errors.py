"""One body for every error, and nothing in it that only we should know."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI

from api.errors import STATUS, SpaceUnknown, TooManyClients, documented, register_errors
from undercroft.errors import StackFailed, StoreRejected, StoreUnavailable, UndercroftError

SECRET = "connection to server at 10.0.0.7 failed for user admin password hunter2"


def _client(error: Exception) -> httpx.AsyncClient:
    app = FastAPI()
    register_errors(app)

    @app.get("/")
    async def fail() -> None:
        raise error

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test")


@pytest.mark.parametrize(
    ("error", "status", "name"),
    [
        (SpaceUnknown("there is no space 'x'"), 404, "SpaceUnknown"),
        (TooManyClients(), 503, "TooManyClients"),
        (StoreUnavailable(SECRET), 503, "StoreUnavailable"),
        (StoreRejected(SECRET), 500, "StoreRejected"),
        (StackFailed(SECRET), 500, "StackFailed"),
        (RuntimeError(SECRET), 500, "InternalError"),
    ],
)
async def test_status_and_body(error: Exception, status: int, name: str) -> None:
    async with _client(error) as client:
        response = await client.get("/")
    assert response.status_code == status
    assert response.json().keys() == {"error", "detail"}
    assert response.json()["error"] == name
    assert "hunter2" not in response.text
    assert ("retry-after" in response.headers) == (status == 503)


async def test_unknown_path_and_method_have_the_same_body() -> None:
    async with _client(RuntimeError()) as client:
        assert (await client.get("/nowhere")).json()["error"] == "NotFound"
        assert (await client.post("/")).json()["error"] == "MethodNotAllowed"


@pytest.mark.parametrize("error", sorted(STATUS, key=repr))
def test_every_error_can_be_documented(error: type[UndercroftError]) -> None:
    response = documented(error)[STATUS[error]]
    assert error.__name__ in response["content"]["application/json"]["examples"]
