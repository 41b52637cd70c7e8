"""The description of the interface is true: every error that comes is in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from api.app import create_app
from tests.browser.service import running_api
from tests.browser.storm import seed
from tests.browser.world import World
from undercroft.clock import SystemClock


def _description() -> dict[str, Any]:
    return create_app("postgresql://localhost/none", SystemClock()).openapi()


PATHS = sorted(_description()["paths"])
STREAM = "/api/v1/events"

# `positive_data_acceptance` is off: a cursor must be one that we gave, a range in order, and no schema can say so.


def test_only_get_under_the_prefix() -> None:
    for path, operations in _description()["paths"].items():
        assert path.startswith("/api/v1/")
        assert set(operations) == {"get"}


@pytest.mark.parametrize("path", PATHS)
def test_every_error_has_the_one_body(path: str) -> None:
    responses = _description()["paths"][path]["get"]["responses"]
    assert "503" in responses
    for status, response in responses.items():
        if int(status) < 400 or path.endswith("/health"):
            continue
        assert response["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/ErrorBody"}
        assert response["description"]


@pytest.mark.parametrize("path", PATHS)
def test_what_has_parameters_says_422_and_what_has_none_does_not(path: str) -> None:
    operation = _description()["paths"][path]["get"]
    assert ("422" in operation["responses"]) == bool(operation.get("parameters"))


def test_validation_errors_are_described_as_ours() -> None:
    assert "HTTPValidationError" not in str(_description()["paths"])


@pytest.fixture
def address(exercise_db: str) -> Iterator[str]:
    world = World(exercise_db)
    seed(world)
    world.close()
    with running_api(exercise_db) as (found, _):
        yield found


def test_generated_requests_get_what_is_described(address: str) -> None:
    """Whatever parameters are made up, the answer is one that the description has, in the described shape."""
    schema = schemathesis.openapi.from_url(f"{address}api/v1/openapi.json")
    checked = 0
    for found in schema.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]
        if operation.path == STREAM:
            continue

        @given(case=operation.as_strategy())
        @settings(
            max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
        )
        def check(case: Any) -> None:
            wanted = case.as_transport_kwargs(base_url=address.rstrip("/"))
            request = {key: wanted[key] for key in ("method", "url", "params", "headers") if key in wanted}
            case.validate_response(httpx.request(**request, timeout=30.0), excluded_checks=[positive_data_acceptance])

        check()
        checked += 1
    assert checked == len(PATHS) - 1
