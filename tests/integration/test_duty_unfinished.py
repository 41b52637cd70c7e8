"""Said "mine", and not done, on a real database: who is told, also by a notifier that starts again."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from duty.door import door
from duty.notify.notifier import Notifier
from duty.orders.acts import order, order_step
from duty.orders.orders import Proof
from duty.telling.addressed import Channels
from duty.telling.texts import Style
from tests.integration.duty_kit import messages, opened, prepared, tick
from tests.integration.duty_kit import now as right_now
from undercroft.store import duty_acts

CHANNELS, STYLE = Channels(frozenset({"hook"})), Style({}, ZoneInfo("Asia/Shanghai"), exercise=False)


def test_a_red_that_is_taken_and_a_refused_order_tell_the_roster_until_it_is_done(live_db: str) -> None:
    """Red at 0, taken at 1: told at 4, 7; ordered at 8, refused at 9: told at 9, 12; cancelled at 13: told at 16."""
    began = right_now()
    with opened(live_db) as db:
        prepared(db, at=began)
        token, hashed = door.new_token()
        duty_acts.add_operator(db, "wu", "wu", "officer", hashed, began)
        actor = door.authorise(db, token, "test", began)
        notifier, given = Notifier(db, CHANNELS, STYLE), ""
        for minute in range(17):
            at = began + timedelta(minutes=minute)
            if minute == 0:
                tick(db, 1, at, ("space/gar", "raised", 4))
            if minute == 1:
                tick(db, 2, at, ("space/gar", "acknowledged", 4))
            if minute == 6:
                notifier = Notifier(db, CHANNELS, STYLE)  # it starts again and goes on
            if minute == 8:
                given = order(db, actor, "space/gar", Proof.EVACUATED, "street", at).order_id or ""
            if minute == 9:
                order_step(db, actor, given, "refuse", at, "no crew")
            if minute == 13:
                order_step(db, actor, given, "cancel", at, "not needed")
            notifier.step_live(at, at)
        told = [
            (round((row["decided_at"] - began).total_seconds() / 60), row["person_id"], row["reason"])
            for row in messages(db)
        ]
    bare, undone = "no_order", "order_undone"
    assert told == [
        (0, "li", "first"), (4, "li", bare), (7, "li", bare), (7, "wu", bare), (9, "li", undone),
        (12, "li", undone), (12, "wu", undone), (16, "li", bare),
    ]  # fmt: skip
