"""From errors to HTTP: one table, one body ``{"error": Type, "detail": text}``, documented where it is raised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from duty.door.refusals import (
    ActInvalid,
    ActRefused,
    KeyReused,
    NotAuthorised,
    NotPossibleNow,
    RoleTooLow,
    SubjectUnknown,
    TokenUnknown,
)
from undercroft.errors import BadInput, StoreRejected, StoreUnavailable, UndercroftError
from undercroft.store.acting import AnotherDeployment

_log = structlog.get_logger(__name__)

Responses = dict[int | str, dict[str, Any]]


class SpaceUnknown(UndercroftError):
    """There is no space of this id."""


class SensorUnknown(UndercroftError):
    """The space has no sensor of this key."""


class SiteMissing(UndercroftError):
    """No site has been imported yet."""


class NotAssessed(UndercroftError):
    """The engine has assessed nothing yet."""


class NowcastNotKnown(UndercroftError):
    """No nowcast was in force, or none of this space."""


class LogGone(UndercroftError):
    """What the log would have to be worked out again from is no longer kept."""


class Busy(UndercroftError):
    """Another nowcast is being worked out again; try again."""


class RequestInvalid(BadInput):
    """A parameter is not what it should be."""


class CursorInvalid(RequestInvalid):
    """The cursor does not belong to this listing."""


class TooManyClients(UndercroftError):
    """As many clients follow the live stream as this service allows."""


class BodyTooLarge(RequestInvalid):
    """The body is larger than any act needs."""


class ActsNotOffered(UndercroftError):
    """The service only reads: it has no login for acts."""


class AlertsNotOffered(UndercroftError):
    """The service takes no alerts of Grafana: it has no token for them."""


STATUS: dict[type[UndercroftError], int] = {
    SpaceUnknown: 404,
    SensorUnknown: 404,
    SiteMissing: 404,
    NotAssessed: 404,
    NowcastNotKnown: 404,
    LogGone: 410,
    Busy: 503,
    RequestInvalid: 422,
    CursorInvalid: 422,
    TooManyClients: 503,
    TokenUnknown: 401,
    RoleTooLow: 403,
    NotAuthorised: 403,
    SubjectUnknown: 404,
    NotPossibleNow: 409,
    BodyTooLarge: 413,
    ActInvalid: 422,
    KeyReused: 422,
    ActRefused: 422,
    ActsNotOffered: 501,
    AlertsNotOffered: 501,
    AnotherDeployment: 501,
    StoreUnavailable: 503,
    StoreRejected: 500,
}
"""Which status an error becomes. Whatever is not here is a fault of ours: 500."""

PUBLIC_DETAIL: dict[type[UndercroftError], str] = {
    StoreUnavailable: "the database cannot be reached now; try again",
    StoreRejected: "the database refused the query; the log of the service says why",
}
"""What a client is told in place of a message that may name hosts, users or statements."""

RETRY_AFTER_S = 2
NOT_OFFERED = 501


class ErrorBody(BaseModel):
    """What every error answers."""

    error: str = Field(description="type of the error, stable", examples=["SpaceUnknown"])
    detail: str = Field(description="what is wrong, for a person", examples=["there is no space 'b1-garage'"])


def documented(*errors: type[UndercroftError]) -> Responses:
    """Return the OpenAPI responses of these errors, and of those that any endpoint with a database has."""
    by_status: dict[int, list[type[UndercroftError]]] = {}
    for error in dict.fromkeys((*errors, StoreUnavailable, StoreRejected)):
        by_status.setdefault(STATUS[error], []).append(error)
    return {status: _response(found) for status, found in sorted(by_status.items())}


def _response(errors: Sequence[type[UndercroftError]]) -> dict[str, Any]:
    examples = {
        error.__name__: {"value": {"error": error.__name__, "detail": PUBLIC_DETAIL.get(error, str(error()))}}
        for error in errors
    }
    return {
        "model": ErrorBody,
        "description": "; ".join(f"{error.__name__}: {error()}" for error in errors),
        "content": {"application/json": {"examples": examples}},
    }


def error_response(status: int, error: str, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return the one body of all errors."""
    return JSONResponse(ErrorBody(error=error, detail=detail).model_dump(), status, headers=headers)


async def _on_undercroft_error(request: Request, error: Exception) -> JSONResponse:
    kind = next((cls for cls in type(error).__mro__ if cls in STATUS), UndercroftError)
    status = STATUS.get(kind, 500)
    if status >= 500 and status != NOT_OFFERED:
        _log.warning("request_failed", path=request.url.path, error=kind.__name__, detail=str(error))
    detail = PUBLIC_DETAIL.get(kind, str(error)) if kind in STATUS else "this is a fault of the service"
    headers = {503: {"Retry-After": str(RETRY_AFTER_S)}, 401: {"WWW-Authenticate": "Bearer"}}.get(status)
    return error_response(status, type(error).__name__, detail, headers)


async def _on_invalid_request(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type only
    detail = "; ".join(f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors())
    return error_response(422, RequestInvalid.__name__, detail)


async def _on_http_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type only
    name = {404: "NotFound", 405: "MethodNotAllowed", 413: BodyTooLarge.__name__}.get(error.status_code, "HttpError")
    return error_response(error.status_code, name, str(error.detail), dict(error.headers or {}))


async def _on_fault(request: Request, error: Exception) -> JSONResponse:
    _log.error("request_fault", path=request.url.path, exc_info=error)
    return error_response(500, "InternalError", "this is a fault of the service")


def register_errors(app: FastAPI) -> None:
    """Answer every error with the same body."""
    app.add_exception_handler(UndercroftError, _on_undercroft_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_fault)
