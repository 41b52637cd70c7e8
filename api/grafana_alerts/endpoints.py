"""``POST /grafana-alerts``: the receiver of Grafana's contact point (`deploy/grafana/provisioning/alerting`).

What a rule says becomes a condition ``system/grafana-<condition>``, an act in commit order, and so an alarm of ours:
told, escalated and ended like any other. While the database is away the answer is 503, and Grafana tries again.
"""

from __future__ import annotations

from asyncio import to_thread
from hmac import compare_digest
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBasic, HTTPBasicCredentials, HTTPBearer

from api.errors import ActsNotOffered, AlertsNotOffered, BodyTooLarge, RequestInvalid, documented
from api.grafana_alerts.schemas import GrafanaAlert, GrafanaMessage, Taken
from api.services import Given, Services
from duty.door.refusals import NotPossibleNow, TokenUnknown
from undercroft.model import Mode
from undercroft.store.acting import AnotherDeployment
from undercroft.store.conditions import set_condition

AUTHOR = "grafana"

_bearer = HTTPBearer(auto_error=False, description="the secret `alert_webhook_token`")
_basic = HTTPBasic(auto_error=False, description="any name, and the secret `alert_webhook_token` as its password")


def token_of(
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    basic: Annotated[HTTPBasicCredentials | None, Depends(_basic)],
) -> str:
    """Return the token that came: as Bearer, or as a password, since Grafana 9.4 loses the former of a file."""
    if bearer is not None:
        return bearer.credentials
    return "" if basic is None else basic.password


router = APIRouter(
    tags=["health"],
    responses=documented(
        RequestInvalid, TokenUnknown, NotPossibleNow, BodyTooLarge, ActsNotOffered, AlertsNotOffered,
        AnotherDeployment,
    ),
)  # fmt: skip


@router.post("/grafana-alerts")
async def post_grafana_alerts(told: GrafanaMessage, given: Given, token: Annotated[str, Depends(token_of)]) -> Taken:
    """Take what Grafana's rules say of engine, canary and database."""
    if given.alert_token is None:
        raise AlertsNotOffered
    if not compare_digest(token.encode(), given.alert_token.encode()):
        raise TokenUnknown("alerts need the token of the contact point")
    shown = await given.deployment()
    if shown.mode is not Mode.LIVE:
        raise NotPossibleNow("an exercise has no Grafana that watches it")
    return Taken(changed=await to_thread(_record, given, told.alerts, shown.deployment_id))


def _record(given: Services, alerts: list[GrafanaAlert], deployment_id: str) -> int:
    if given.acting is None:
        raise ActsNotOffered
    now = given.clock.now()
    with given.acting.connection(deployment_id) as connection:
        return sum(set_condition(connection, alert.as_condition(now), AUTHOR, now) for alert in alerts)
