"""The description of the interface is true: every error that comes is in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import cache
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from api.app import create_app
from duty.door.bodies import FORMS
from duty.door.door import new_token
from tests.browser.service import running_api
from tests.browser.storm import seed
from tests.browser.world import World
from undercroft.clock import SystemClock
from undercroft.store.connection import connect
from undercroft.store.duty_acts import add_operator


@cache
def _description() -> dict[str, Any]:
    return create_app("postgresql://localhost/none", SystemClock()).openapi()


STREAM = "/api/v1/events"
SENT = ("method", "url", "params", "headers", "json", "content", "data")

# `positive_data_acceptance` is off: a cursor must be one that we gave, a range in order, and no schema can say so.


ACTS = {
    f"/api/v1/{path}"
    for path in (
        "acts", "orders", "orders/{order_id}/steps", "roster", "roster/absences", "incidents/{incident_id}/cap",
        "incidents/{incident_id}/reports",
        "operators", "operators/{operator_id}/disable",
    )
}  # fmt: skip
ALERTS = "/api/v1/grafana-alerts"
ALERT_TOKEN = "a-token-of-24-characters"
TO_OPERATORS = {"/api/v1/operators"}
"""What only somebody with a token may read."""
METHODS = [(path, method) for path, operations in sorted(_description()["paths"].items()) for method in operations]


def test_only_acts_write_and_each_needs_a_token() -> None:
    assert {path for path, method in METHODS if method != "get"} == ACTS | {ALERTS}
    for path, operations in _description()["paths"].items():
        assert path.startswith("/api/v1/")
        for method, operation in operations.items():
            assert method in {"get", "post"}
            assert ("security" in operation) == (method == "post" or path in TO_OPERATORS)


def test_acts_say_every_way_in_which_they_are_refused() -> None:
    for path in ACTS:
        described = _description()["paths"][path]["post"]["responses"]
        assert set(described) >= {"201", "401", "403", "404", "409", "413", "422", "501", "503"}
    kinds = _description()["paths"]["/api/v1/acts"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(kinds["discriminator"]["mapping"]) == set(FORMS)


@pytest.mark.parametrize(("path", "method"), METHODS)
def test_every_error_has_the_one_body(path: str, method: str) -> None:
    responses = _description()["paths"][path][method]["responses"]
    assert "503" in responses
    for status, response in responses.items():
        if int(status) < 400 or path.endswith("/health"):
            continue
        assert response["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/ErrorBody"}
        assert response["description"]


@pytest.mark.parametrize("path", [path for path, method in METHODS if method == "get"])
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
    given = {"acts_database_url": exercise_db, "alert_webhook_token": ALERT_TOKEN}
    with running_api(exercise_db, settings=given) as (found, _):
        yield found


@pytest.fixture
def token(exercise_db: str) -> str:
    """The token of somebody who may do everything."""
    made, hashed = new_token()
    with closing(connect(exercise_db, application_name="test", autocommit=True)) as connection:
        add_operator(connection, "boss", "boss", "admin", hashed, SystemClock().now())
    return made


@pytest.mark.parametrize("examples", [8, pytest.param(50, marks=pytest.mark.slow)])
def test_generated_requests_get_what_is_described(address: str, token: str, examples: int) -> None:
    """Whatever parameters are made up, the answer is one that the description has, in the described shape."""
    schema = schemathesis.openapi.from_url(f"{address}api/v1/openapi.json")
    checked = 0
    with httpx.Client(timeout=30.0) as client:
        for found in schema.get_all_operations():
            operation: Any = found.ok()  # type: ignore[union-attr]
            if operation.path == STREAM:
                continue

            @given(case=operation.as_strategy())
            @settings(
                max_examples=examples,
                deadline=None,
                derandomize=True,
                suppress_health_check=list(HealthCheck),
                database=None,
            )
            def check(case: Any) -> None:
                wanted = case.as_transport_kwargs(base_url=address.rstrip("/"))
                request = {key: wanted[key] for key in SENT if key in wanted}
                shown = ALERT_TOKEN if case.path == ALERTS else token
                request["headers"] = dict(request["headers"]) | {"Authorization": f"Bearer {shown}"}
                answer = client.request(**request)
                case.validate_response(answer, excluded_checks=[positive_data_acceptance, ignored_auth])

            check()
            checked += 1
    assert checked == len(METHODS) - 1
