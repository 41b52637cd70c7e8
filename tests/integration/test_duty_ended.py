"""What ended is told as what it is: no end of a system's alarm reads like an all clear of water."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from duty.notify.notifier import Notifier
from duty.telling.addressed import Channels
from duty.telling.names import load_names
from duty.telling.texts import Style
from risk.follower import Follower
from risk.run import step_live
from tests.integration.duty_kit import duty_file, messages, now, opened, prepared, running, tick, wait_until
from tests.integration.duty_servers import service
from undercroft.store.conditions import Condition, set_condition
from undercroft.store.connection import Connection

HOOK = {"kind": "webhook", "url_env": "URL", "secret_env": "SECRET"}
GAP = Condition("roster-gap", True, 30.0, 1440.0, "min", "2026-07-01 08:00 – 20:00")
WORDS_OF_AN_ALL_CLEAR = (
    "【解除】",
    "ALL CLEAR",
    "【正常】",
    "normal",
    "均已结束",
    "have ended",
    "进入前",
    "enters",
    "全区",
)


def ends(db: Connection) -> list[str]:
    return [row["body"] for row in messages(db) if row["reason"] in {"all_clear", "ended"}]


def says_no_all_clear(body: str) -> bool:
    return not any(words in body for words in WORDS_OF_AN_ALL_CLEAR)


def test_a_gap_that_closes_under_a_red_garage_is_told_as_a_gap_that_closed(live_db: str) -> None:
    """Through the notifier's own loop and a channel; red Beiling goes on, and its end names its basin."""
    with opened(live_db) as db, service(lambda _: (200, {})) as it:
        prepared(db)
        db.execute("update basin set name_zh = '莲花片区', name_en = 'Lianhua basin' where basin_id = 'b1'")
        with running(live_db, duty_file(hook=HOOK), {"URL": it.url, "SECRET": "s"}):
            tick(db, 1, now(), ("system/roster-gap", "raised", 2), ("device/rain-1", "raised", 2))
            tick(db, 2, now(), ("space/gar", "raised", 4), ("space/up", "raised", 3))
            wait_until(db, lambda rows: {row["severity"] for row in rows} >= {2, 4})
            tick(db, 3, now(), ("system/roster-gap", "cleared", 0))
            wait_until(db, lambda rows: any(r["reason"] == "ended" and r["state"] == "accepted" for r in rows))
            (gap,) = ends(db)
            tick(db, 4, now(), ("space/gar", "cleared", 0))
            tick(db, 5, now(), ("space/up", "cleared", 0))
            wait_until(db, lambda rows: any(r["reason"] == "all_clear" and r["state"] == "accepted" for r in rows))
            (clear,) = ends(db)[1:]
    assert says_no_all_clear(gap)
    lines = gap.splitlines()
    assert lines[0] == ("【已结束】系统 roster-gap（非汛情解除） ENDED system: roster-gap (no all clear of water)")
    assert lines[2:-1] == [
        "· 已结束 ENDED 系统 roster-gap / system: roster-gap",
        "  原报警 it had said: 水深 30 cm  depth 30 cm",
        "此消息不是汛情解除。 This is no all clear of water.",
        "未结束的报警 STILL OPEN: 莲花片区 Lianhua basin：红色 RED 1，橙色 ORANGE 1，黄色 YELLOW 1",
    ]
    lines = clear.splitlines()
    assert lines[0] == (
        "【解除】莲花片区（地下空间报警已结束） ALL CLEAR Lianhua basin (the alarms of its spaces have ended)"
    )
    assert lines[-3:-1] == [
        "莲花片区本次事件的地下空间报警均已结束。进入前须现场确认。"
        " The alarms of spaces of this incident in Lianhua basin have all ended. Check on site before anybody enters.",
        "上列设备仍有故障。 The devices above still fail.",
    ]
    assert "normal" not in clear


def test_a_condition_that_ended_is_named_in_the_engine_s_words_and_told_once(live_db: str) -> None:
    """From the condition through the engine to the message; what was told to have ended is not told again."""
    with opened(live_db) as db:
        at = now()
        prepared(db, at=at)
        follower = Follower(db)
        follower.restore()
        notifier = Notifier(db, Channels(frozenset({"hook"})), Style(load_names(db), ZoneInfo("UTC"), exercise=False))
        channel = Condition("channel-hook", True, 1.0, 1.0, "addresses", "hook: 1 addresses refused (li): 500")
        over = [Condition(known.name, False, 0.0, 0.0, "", "") for known in (GAP, channel)]
        for minute, condition in enumerate([GAP, channel, *over, channel, over[1]]):
            moment = at + timedelta(minutes=2 * minute)
            assert set_condition(db, condition, "test", moment)
            step_live(db, follower, moment)
            notifier.step_live(moment, moment)
        both, channel_alone = ends(db)
    assert both.startswith(
        "【已结束】系统 channel-hook 等 2 项（非汛情解除）"
        " ENDED system: channel-hook and 1 more (no all clear of water)\n"
    )
    assert "  原报警 it had said: 值班表有空班（2026-07-01 08:00 – 20:00）：请在开始前补上  nobody is on duty" in both
    assert ("STILL OPEN" in both, "roster-gap" in channel_alone) == (False, False)
    assert says_no_all_clear(both + channel_alone)


def test_no_all_clear_while_a_space_of_the_basin_has_an_alarm_of_another_incident(live_db: str) -> None:
    """Red `gar` of b1 is moved to b2, where `up` was yellow: its end is no all clear of b2."""
    with opened(live_db) as db:
        at = now()
        prepared(db, at=at)
        db.execute("update place set basin_id = 'b2' where place_id = 'up'")
        notifier = Notifier(db, Channels(frozenset({"hook"})), Style(load_names(db), ZoneInfo("UTC"), exercise=False))
        tick(db, 1, at, ("space/gar", "raised", 4), ("space/up", "raised", 2))
        notifier.step_live(at, at)
        db.execute("update place set basin_id = 'b2' where place_id = 'gar'")
        tick(db, 2, at, ("space/up", "cleared", 0))
        notifier.step_live(at, at)
        (end,) = ends(db)
    assert says_no_all_clear(end)
    assert "STILL OPEN" in end
    assert "红色 RED 1" in end
