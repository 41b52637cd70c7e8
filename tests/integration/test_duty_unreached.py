"""Who is told when those who were told cannot be reached, and what is said of the channel. Time is an argument."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from duty.channels.faults import tell_channel_faults
from duty.model import Reach
from duty.notify.notifier import Notifier
from duty.notify.unreached import LOOKS_BACK, pass_on, rescue
from duty.telling.addressed import Channels
from duty.telling.texts import MOST_BYTES, Style
from tests.integration.duty_kit import duty_file, messages, now, opened, prepared, running, tick, wait_until
from tests.integration.duty_servers import service
from tests.integration.test_duty_service import HOOK, OK
from undercroft.store.conditions import list_conditions
from undercroft.store.connection import Connection

CHANNELS = Channels(frozenset({"hook", "bot"}), fallback=(Reach("hook", "control"),))
WHEN = now()


def after(seconds: float) -> datetime:
    return WHEN + timedelta(seconds=seconds)


@contextmanager
def alarmed(url: str, severity: int = 4, *, exercise: bool = False) -> Iterator[tuple[Connection, Notifier]]:
    """A notifier that has just told Li of an alarm; nothing sends here."""
    with opened(url) as db:
        prepared(db, at=WHEN)
        tick(db, 1, WHEN, ("space/gar", "raised", severity))
        notifier = Notifier(db, CHANNELS, Style({}, ZoneInfo("UTC"), exercise))
        notifier.step_live(WHEN, WHEN)
        yield db, notifier


def settle(db: Connection, state: str, person: str, **columns: object) -> None:
    """Have a person's newest message end, or fare, as a channel would."""
    told = {"settled_at": WHEN, "error": "no", **columns, "state": state}
    named = ", ".join(f"{name} = %({name})s" for name in told)
    newest = "(select max(notification_id) from notification where person_id = %(person)s)"
    statement = f"update notification set {named} where notification_id = {newest}"  # noqa: S608 - names of this file
    db.execute(statement.encode(), told | {"person": person})


def told(db: Connection) -> list[tuple[str, str, int]]:
    return [(row["person_id"], row["reason"], row["step"]) for row in messages(db)]


def test_a_red_that_its_step_refuses_goes_up_at_once_step_by_step(live_db: str) -> None:
    with alarmed(live_db) as (db, notifier):
        assert pass_on(notifier, after(1), after(1)) == 0, "it may still be taken"
        settle(db, "failed", "li")
        assert [pass_on(notifier, after(n), after(n)) for n in (1, 2)] == [1, 0]
        settle(db, "queued", "wu", settled_at=None, doubtful=5)
        assert [pass_on(notifier, after(n), after(n)) for n in (3, 4)] == [1, 0]
        settle(db, "failed", "chen")
        assert pass_on(notifier, after(5), after(5)) == 0, "nobody stands above"
        assert told(db) == [("li", "first", 0), ("wu", "refused", 1), ("chen", "refused", 2)]
        titles = [row["title"] for row in messages(db)]
        assert "（升级，li 的通道拒收）" in titles[1]
        assert "(escalated, the channel of wu refused it)" in titles[2]
        assert not any("未确认" in title for title in titles)
        # What it was told in place of the clock does not move it: all three are told again after three minutes.
        notifier.step_live(after(179), after(179))
        assert len(messages(db)) == 3
        Notifier(db, CHANNELS, notifier.style).step_live(after(180), after(180))
        assert [person for person, reason, _ in told(db) if reason == "repeat"] == ["li", "wu", "chen"]


def test_a_step_of_which_one_channel_took_it_is_told(live_db: str) -> None:
    with alarmed(live_db) as (db, notifier):
        db.execute(
            "update roster_shift set reach = %s where step = 0",
            ('[{"channel":"hook","address":"a"},{"channel":"bot","address":"b"}]',),
        )
        tick(db, 2, after(1), ("space/up", "raised", 4))
        notifier.step_live(after(1), after(1))
        settle(db, "failed", "li")
        assert pass_on(notifier, after(2), after(2)) == 0
        db.execute("update notification set state = 'failed'")
        tick(db, 3, after(3), ("space/gar", "acknowledged", 4), ("space/up", "acknowledged", 4))
        notifier.step_live(after(3), after(3))
        assert pass_on(notifier, after(4), after(4)) == 0, "somebody is on it"


def test_whoever_shares_an_address_with_a_lower_step_is_told_as_escalated(live_db: str) -> None:
    with alarmed(live_db) as (db, notifier):
        desk = '[{"channel": "hook", "address": "desk"}]'
        db.execute("update roster_shift set reach = %s where step < 2", (desk,))
        for seconds in (180, 360):
            notifier.step_live(after(seconds), after(seconds))
        rows = [(r["address"], r["person_id"], r["reason"], r["step"], r["also_for"]) for r in messages(db)]
        assert rows == [
            ("li", "li", "first", 0, []), ("desk", "wu", "escalated", 1, ["li"]), ("desk", "wu", "repeat", 1, ["li"]),
            ("chen", "chen", "escalated", 2, []),
        ]  # fmt: skip
        assert "escalated" in messages(db)[1]["title"]


def test_orange_waits_for_its_clock(live_db: str) -> None:
    with alarmed(live_db, 3) as (db, notifier):
        settle(db, "failed", "li")
        assert pass_on(notifier, after(1), after(1)) == 0
        assert rescue(notifier, after(1), after(1)) == 1


@pytest.mark.parametrize(("severity", "minutes"), [(4, 3), (2, 30)])
def test_nobody_is_reached_when_the_interval_is_over(live_db: str, severity: int, minutes: int) -> None:
    """The interval runs from the queueing, whatever the notifier went through since, and for two hours at most."""
    interval = timedelta(minutes=minutes)
    with alarmed(live_db, severity) as (db, notifier):
        assert messages(db)[0]["queued_at"] == WHEN
        early, due = WHEN + interval - timedelta(seconds=1), WHEN + interval
        assert rescue(notifier, early, early) == 0
        assert rescue(notifier, due, due, refused_only=True) == 0, "what waits may just be sent"
        restarted = Notifier(db, CHANNELS, notifier.style)
        assert [rescue(restarted, at, at) for at in (due, due, WHEN + 2 * interval)] == [1, 0, 0]
        first, rescued = messages(db)
        assert (first["state"], rescued["address"], rescued["severity"]) == ("queued", "control", severity)
        assert rescued["subjects"] == first["subjects"] == ["space/gar"]
        # Carried by another message that waits is not taken either; taken by one of them is.
        db.execute("delete from notification where address = 'control'")
        copy = "insert into notification (key, cause, incident_id, reason, step, severity, person_id, channel, address,"
        copy += " title, body, decided_at, queued_at, state, merged_into) select key || 'b', cause || 'b', incident_id,"
        copy += " reason, step, severity, person_id, channel, address, title, body, decided_at, queued_at, 'merged',"
        db.execute(f"{copy} notification_id from notification".encode())
        assert rescue(Notifier(db, CHANNELS, notifier.style), due, due) == 2
        db.execute("delete from notification where address = 'control'")
        for state, at, expected in (("queued", WHEN + timedelta(minutes=30) + LOOKS_BACK, 0), ("accepted", due, 0)):
            db.execute("update notification set state = %s", (state,))
            assert rescue(Notifier(db, CHANNELS, notifier.style), at, at) == expected


def test_what_the_fallback_is_told_in_a_drill_is_marked_and_fits(live_db: str) -> None:
    with alarmed(live_db, exercise=True) as (db, notifier):
        settle(db, "failed", "li", body="x" * MOST_BYTES)
        assert rescue(notifier, after(1), after(1)) == 1
        body = messages(db)[-1]["body"]
    assert body.startswith("【演练】[EXERCISE] 原收件人均未送达")
    assert len(body.encode()) <= 2048


def standing(db: Connection) -> dict[str, str]:
    return {row["name"]: row["detail"] for row in list_conditions(db) if row["is_active"]}


def test_a_channel_that_refuses_is_an_alarm_until_it_takes_something(live_db: str) -> None:
    with alarmed(live_db) as (db, _):
        assert tell_channel_faults(db, after(0)) == []
        settle(db, "failed", "li", error="HTTP 401")
        assert [tell_channel_faults(db, after(n)) != [] for n in (0, 10)] == [True, False]
        assert standing(db) == {"channel-hook": "hook: 1 addresses refused (li): HTTP 401"}
        (act,) = db.execute("select subject, author from act where kind = 'system_condition'").fetchall()
        assert act == {"subject": "system/channel-hook", "author": "duty"}
        assert tell_channel_faults(db, after(600)) == []
        assert [row["reason"] for row in messages(db)] == ["first"]
        # After ten minutes it is tried again, once until that ends: so a channel that was mended is seen to be.
        for seconds in (601, 620):
            assert tell_channel_faults(db, after(seconds)) == []
        assert [(row["reason"], row["address"]) for row in messages(db)] == [("first", "li"), ("probe", "li")]
        settle(db, "failed", "probe", settled_at=after(621))
        assert rescue(Notifier(db, CHANNELS, Style({}, ZoneInfo("UTC"), exercise=False)), after(622), after(622)) == 1
        for seconds in (1221, 1222):
            assert tell_channel_faults(db, after(seconds)) == []
        settle(db, "accepted", "probe", settled_at=after(1223))
        assert [c.is_active for c in tell_channel_faults(db, after(1224))] == [False]
        assert standing(db) == {}
        assert [row["reason"] for row in messages(db)] == ["first", "probe", "escalated", "probe"]


def test_a_refusal_stands_until_the_address_takes_something_or_is_used_no_more(live_db: str) -> None:
    """On the roster, and on the fallback, for days. Off both for an hour, and its own all clear begins it not anew."""
    with alarmed(live_db) as (db, notifier):
        settle(db, "queued", "li", settled_at=None, doubtful=5, failures=5, first_attempt_at=WHEN)
        assert [c.is_active for c in tell_channel_faults(db, after(1))] == [True]
        settle(db, "failed", "li", settled_at=after(2))
        assert tell_channel_faults(db, after(19 * 3600)) == []
        db.execute("delete from roster_shift")
        assert tell_channel_faults(db, after(3603), [Reach("hook", "li")]) == []
        assert tell_channel_faults(db, after(3600)) == []
        assert [c.is_active for c in tell_channel_faults(db, after(3603))] == [False]
        tick(db, 2, after(3604), ("space/gar", "cleared", 0))
        notifier.step_live(after(3604), after(3604))
        settle(db, "failed", "li", settled_at=after(3605))
        assert [row["reason"] for row in messages(db) if row["person_id"] == "li"] == ["first", "all_clear"]
        assert tell_channel_faults(db, after(3606)) == []


def test_the_all_clear_reaches_everybody_who_was_told(live_db: str) -> None:
    """Li was told and goes at 100 s, the fallback when Li's channel refused; Sun has the shift at the end.

    Wu is told alone that nothing was ordered, after three minutes more than Sun.
    """
    with alarmed(live_db) as (db, notifier):
        db.execute("update roster_shift set ends_at = %s where step = 0", (after(100),))
        db.execute(
            "insert into roster_shift select %s, %s, step, standing, 'sun', 'sun', phone,"
            """ '[{"channel": "hook", "address": "sun"}]' from roster_shift where step = 0""",
            (after(100), after(9000)),
        )
        settle(db, "failed", "li", settled_at=after(1))
        assert rescue(notifier, after(2), after(2)) == 1
        tick(db, 2, after(3), ("space/gar", "acknowledged", 4))
        for seconds in (3, 183, 363):
            notifier.step_live(after(seconds), after(seconds))
        assert [row[:2] for row in told(db)[2:]] == [("sun", "no_order"), ("sun", "no_order"), ("wu", "no_order")]
        tick(db, 3, after(370), ("space/gar", "cleared", 0))
        notifier.step_live(after(370), after(370))
        ends = [(row["person_id"], row["address"]) for row in messages(db) if row["reason"] == "all_clear"]
        assert sorted(ends) == [("fallback", "control"), ("li", "li"), ("sun", "sun"), ("wu", "wu")]
        # The water comes back: only who was told of that waits for its end.
        for number, (seconds, kind, severity) in enumerate([(470, "raised", 3), (570, "cleared", 0)], start=4):
            tick(db, number, after(seconds), ("space/gar", kind, severity))
            notifier.step_live(after(seconds), after(seconds))
        again = [row["person_id"] for row in messages(db)[-2:]]
        assert again == ["sun", "sun"]


def test_a_channel_that_takes_nothing_for_two_minutes_is_an_alarm(live_db: str) -> None:
    with alarmed(live_db) as (db, _):
        settle(db, "queued", "li", settled_at=None, failures=3, first_attempt_at=WHEN, error="HTTP 503")
        assert tell_channel_faults(db, after(119)) == []
        assert len(tell_channel_faults(db, after(120))) == 1
        assert standing(db) == {"channel-hook": "hook: nothing taken for 120 s: HTTP 503"}
        # Another message that it takes since shows that it lives.
        settle(db, "accepted", "li", settled_at=after(130), first_attempt_at=after(130))
        assert [c.is_active for c in tell_channel_faults(db, after(131))] == [False]
        # Dead, then refusing, then refusing a second address: each is news, once. Fewer are other words, and no news.
        found = []
        copy = "insert into notification (key, cause, incident_id, reason, step, severity, person_id, channel, address,"
        copy += (
            " title, body, decided_at, queued_at, state) select 'b', 'b', incident_id, reason, step, severity, 'wu',"
        )
        copy += " channel, 'wu', title, body, decided_at, queued_at, 'failed' from notification"
        for seconds, state, person in (
            (140, "queued", "li"),
            (400, "failed", "li"),
            (410, "", ""),
            (420, "accepted", "li"),
        ):
            if state:
                settle(db, state, person, settled_at=after(seconds), failures=3, first_attempt_at=after(140))
            else:
                db.execute(copy.encode())
            for at in (after(seconds + 130 * (state == "queued")), after(seconds + 135 * (state == "queued"))):
                found += [(c.value, c.unit, c.is_worse) for c in tell_channel_faults(db, at)]
        assert found == [
            (130.0, "s", False), (1.0, "addresses", True), (2.0, "addresses", True), (1.0, "addresses", False),
        ]  # fmt: skip
        acts = db.execute("select body ->> 'is_worse' as is_worse from act where kind = 'system_condition'").fetchall()
        assert [act["is_worse"] for act in acts[2:]] == [None, "true", "true", None]
        # As many, and another's: Wu's takes again what Li's refuses. The alarm names whom to phone.
        # So it is in a notifier that was started in between: what refused stands in the store.
        assert tell_channel_faults(db, after(425)) == []
        settle(db, "accepted", "wu", settled_at=after(430))
        settle(db, "failed", "li", settled_at=after(430))
        assert [(c.value, c.is_worse) for c in tell_channel_faults(db, after(431))] == [(1.0, True)]
        assert tell_channel_faults(db, after(432)) == []
        assert "1 addresses refused (li): " in standing(db)["channel-hook"]


def test_a_red_that_a_robot_refuses_reaches_the_next_step_at_once(live_db: str) -> None:
    """The notifier itself: Li's robot answers 200 with an error inside; no minute passes before Wu is told."""
    with (
        opened(live_db) as db,
        service(lambda _: (200, {"errcode": 93000, "errmsg": "invalid webhook url"})) as refuses,
        service(lambda _: OK) as good,
    ):
        prepared(db)
        db.execute("update roster_shift set reach = %s where step = 0", ('[{"channel":"bot","address":"li"}]',))
        file = duty_file(bot={"kind": "wecom", "url_env": "BOT"}, hook=HOOK, file={"fallback": ["hook:control"]})
        with running(live_db, file, {"BOT": refuses.url, "URL": good.url, "SECRET": "s"}):
            tick(db, 1, now(), ("space/gar", "raised", 4))
            rows = wait_until(db, lambda rows: [row["state"] for row in rows].count("accepted") == 2)
    found = {(row["person_id"], row["reason"], row["state"]) for row in rows}
    assert found == {
        ("li", "first", "failed"), ("wu", "refused", "accepted"), ("fallback", "escalated", "accepted"),
    }  # fmt: skip


def test_a_red_that_the_whole_chain_sleeps_through_goes_to_the_fallback(live_db: str) -> None:
    """Li alone is on duty, and takes messages without a word: after each 3 minutes somebody else hears of it."""
    with alarmed(live_db) as (db, notifier):
        db.execute("delete from roster_shift where step > 0")
        for seconds in (179, 180, 359, 360):
            notifier.step_live(after(seconds), after(seconds))
        assert told(db) == [
            ("li", "first", 0), ("li", "repeat", 0), ("fallback", "escalated", 1), ("li", "repeat", 0),
            ("fallback", "escalated", 1),
        ]  # fmt: skip


def test_a_red_left_by_a_chain_that_grew_shorter_goes_to_the_fallback_each_time(live_db: str) -> None:
    """Two steps were told when Wu went: Li alone is not to hold it."""
    with alarmed(live_db) as (db, notifier):
        db.execute("delete from roster_shift where step > 1")
        notifier.step_live(after(180), after(180))
        db.execute("delete from roster_shift where step > 0")
        for seconds in (360, 540):
            notifier.step_live(after(seconds), after(seconds))
        assert told(db)[-4:] == [
            ("li", "repeat", 0), ("fallback", "escalated", 1), ("li", "repeat", 0), ("fallback", "escalated", 1),
        ]  # fmt: skip
