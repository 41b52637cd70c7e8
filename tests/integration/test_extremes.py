"""Acts with the most extreme times, numbers and texts: refused by their field, or all goes on with them."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from duty.notify.notifier import Notifier
from duty.telling.addressed import Channels
from duty.telling.names import load_names
from duty.telling.texts import Style
from risk.follower import Follower
from risk.run import step_live
from tests.integration.desk_kit import Desk
from tests.integration.duty_kit import now

UP, GAR = "space/up", "space/gar"
LONG = "水" * 4000
ENDS = ("2000-01-01T00:00:00+00:00", "2099-12-31T23:59:59+00:00")
REPORT: dict[str, Any] = {"kind": "field_report", "subject": UP, "depth_m": 50}

BEYOND: list[dict[str, Any]] = [
    {"kind": "field_report", "subject": UP, "depth_m": 0.2, "observed_at": "0001-01-01T00:00:00+08:00"},
    {"kind": "field_report", "subject": UP, "depth_m": 0.2, "observed_at": "9999-12-31T23:59:59-08:00"},
    {"kind": "field_report", "subject": UP, "depth_m": 0.2, "by": "Sun\n## forged"},
    {"kind": "field_report", "subject": UP, "depth_m": 10**400},
    {"kind": "rain_warning", "subject": "warning/a", "state": "ended", "until": "0001-01-01T00:00:00Z"},
    {"kind": "rain_warning", "subject": "warning/a", "state": "in_force", "colour": "red", "until": ENDS[0]},
    {"kind": "note", "subject": "-\0", "text": "x"},
    {"kind": "note", "text": "bell \x07"},
]  # fmt: skip
EXPIRED: list[dict[str, Any]] = [
    REPORT | {"by": "孙", "note": LONG, "minutes": 1440, "observed_at": ENDS[0]},
    {"kind": "field_report", "subject": GAR, "entrance": "north", "barrier": "failed", "minutes": 5e-324},
]
TAKEN: list[dict[str, Any]] = [
    REPORT | {"by": "孙", "note": LONG, "minutes": 1440, "observed_at": ENDS[1]},
    {"kind": "field_report", "subject": GAR, "entrance": "north", "barrier": "failed", "minutes": 1e-3},
    {"kind": "rain_warning", "subject": "warning/a", "state": "in_force", "colour": "red", "until": ENDS[1]},
    {"kind": "rain_warning", "subject": "warning/b", "state": "in_force", "colour": "red", "basins": None},
    {"kind": "stock_movement", "subject": GAR, "item": "sandbag", "counted": 1e6, "reason": LONG},
    {"kind": "stock_movement", "subject": GAR, "item": "sandbag", "quantity": 1e6, "reason": "more"},
    {"kind": "phone", "text": LONG, "caller": LONG, "unit": LONG, "phone": LONG},
    {"kind": "note", "subject": "incident/none", "text": "\ufeff first\r\nsecond \U0001f30a"},
]  # fmt: skip
SHOWN = (
    "/spaces", "/spaces/up", "/alarms", "/alarm-events", "/incidents", "/orders", "/orders/tally", "/reports/due",
    "/roster", "/priority", "/dispatch", "/stock-movements", "/notifications", "/alarm-load",
)  # fmt: skip


def test_extreme_acts_are_refused_or_everything_goes_on(desk: Desk) -> None:
    step_live(desk.db, Follower(desk.db), now())
    for body in BEYOND:
        answer = desk.post("/acts", body)
        assert answer.status_code == 422, (body, answer.text)
    for bodies, status in ((EXPIRED, 409), (TAKEN, 201)):
        for body in bodies:
            answer = desk.post("/acts", body)
            assert answer.status_code == status, (body, answer.text)
    # What an older door let in stands in the commit order for good.
    desk.db.execute('update act set body = body || \'{"observed_at": "0001-01-01T00:00:00+08:00", "minutes": 1e308}\'')
    for _ in range(2):  # the second one starts anew, from what stands in the store
        follower = Follower(desk.db)
        follower.restore()
        step_live(desk.db, follower, now())
    channels = Channels(frozenset({"hook"}), frozenset(), ())
    style = Style(load_names(desk.db), ZoneInfo("Asia/Shanghai"), exercise=False)
    notifier = Notifier(desk.db, channels, style)
    notifier.restore()
    notifier.step_live(now(), now())
    alarms = {row["subject"]: row["severity"] for row in desk.get("/alarms?open=true")["items"]}
    assert alarms[UP] == 4
    for path in SHOWN:
        desk.get(path)
