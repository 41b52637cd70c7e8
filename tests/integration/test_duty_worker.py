"""One channel's queue on a real database: what counts as a try, what a restart keeps, what red finds. No clock runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise
from typing import Any

from duty.channels.worker import Channel, Limiter
from duty.senders.base import Accepted, Outcome, Outgoing, Temporary
from duty.senders.bots import Feishu, WeCom
from tests.integration.duty_kit import START, messages, opened
from tests.integration.duty_servers import service
from undercroft.clock import FakeClock
from undercroft.store.connection import Connection

ODD = Temporary("error code 77777", most=5)
AWAY = Temporary("ConnectError")


class Planned:
    """A channel that answers by plan, then takes everything."""

    most_bytes: int | None = None
    dead: frozenset[str] = frozenset()
    """Addresses that take nothing for now."""

    def __init__(self, *plan: Outcome) -> None:
        self.plan, self.sent, self.texts = list(plan), list[str](), list[str]()

    def send(self, message: Outgoing) -> Outcome:
        self.sent.append(message.key)
        self.texts.append(message.body)
        if message.address in self.dead:
            return Temporary("SMTP 452 mailbox full")
        return self.plan.pop(0) if self.plan else Accepted("")


class Queue:
    """A channel with a clock that the test moves."""

    def __init__(self, db: Connection, *plan: Outcome, per_minute: int = 1000) -> None:
        self.db, self.clock, self.sender = db, FakeClock(START), Planned(*plan)
        self.per_minute = per_minute
        self.restart()

    def restart(self) -> None:
        """A new process: what was in memory is gone."""
        self.channel = Channel("hook", self.sender, Limiter(self.per_minute), self.clock)

    def put(self, key: str, severity: int, address: str = "li", body: str = "b", reason: str = "first") -> None:
        self.db.execute(
            "insert into notification (key, cause, incident_id, reason, step, severity, person_id, channel, address,"
            " title, body, decided_at, state, queued_at) values (%s, %s, 'i', %s, 0, %s, 'li', 'hook', %s, 't', %s, %s,"
            " 'queued', %s)",
            (key, key, reason, severity, address, body, START, self.clock.now()),
        )

    def send(self) -> int:
        """Send all that is due; return how many attempts that was."""
        before = len(self.sender.sent)
        while self.channel.step(self.db):
            pass
        return len(self.sender.sent) - before

    def wait(self, seconds: float) -> int:
        self.clock.advance(timedelta(seconds=seconds))
        return self.send()

    @property
    def row(self) -> dict[str, Any]:
        return messages(self.db)[0]


@contextmanager
def queue(url: str, *plan: Outcome, per_minute: int = 1000) -> Iterator[Queue]:
    with opened(url) as db:
        yield Queue(db, *plan, per_minute=per_minute)


def test_an_outage_costs_an_odd_answer_no_try(exercise_db: str) -> None:
    """Seven refused connections, four odd answers, an outage, five odd answers: the fifth in a row is the end."""
    with queue(exercise_db, *[AWAY] * 7, *[ODD] * 4, AWAY, *[ODD] * 5) as it:
        it.put("a", 3)
        it.send()
        attempts = 1 + sum(it.wait(60.0) for _ in range(30))
        assert (attempts, it.row["state"], it.row["attempts"]) == (17, "failed", 17)
        assert it.row["error"] == "error code 77777 (answered so 5 times)"


def test_no_temporary_failure_exhausts_a_red(exercise_db: str) -> None:
    """Nine odd answers; after the fifth others are told (`duty.notify.unreached`), and it is still tried."""
    with queue(exercise_db, *[ODD] * 9) as it:
        it.put("a", 4)
        it.send()
        for _ in range(8):
            it.wait(60.0)
        assert (it.row["state"], it.row["doubtful"]) == ("queued", 9)
        it.wait(60.0)
        assert it.row["state"] == "accepted"
        assert set(it.sender.sent) == {"a"}


def test_a_restart_goes_on_waiting(exercise_db: str) -> None:
    """Tried at 0, 1, 3 and 7 s, next at 15 s: notifiers that start in between try nothing, and wait no longer."""
    with queue(exercise_db, *[AWAY] * 5) as it:
        it.put("a", 4)
        assert [it.send(), it.wait(1.0), it.wait(2.0), it.wait(4.0)] == [1, 1, 1, 1]
        for _ in range(7):
            it.restart()
            assert it.wait(1.0) == 0
        it.restart()
        assert it.wait(1.0) == 1
        assert it.row["next_try_at"] == START + timedelta(seconds=31)


def test_a_restart_keeps_the_limit_and_the_wait_of_the_channel(exercise_db: str) -> None:
    """Two of two were sent: a new process waits for the minute. A service that asked for ten minutes has them."""
    with queue(exercise_db, Accepted(""), AWAY, per_minute=2) as it:
        for number in range(3):
            it.put(f"k{number}", 4, f"a{number}")
        assert it.send() == 2
        assert it.row["attempt_times"] == [START]
        it.wait(59.0)
        it.restart()
        assert [it.wait(0.0), it.wait(1.0)] == [0, 2]
        it.sender.plan = [Temporary("error code 130101", retry_after_s=600.0)]
        it.put("slow", 4, "slow")
        assert it.wait(60.0) == 1
        it.restart()
        it.put("next", 4, "next")
        assert [it.wait(599.0), it.wait(1.0)] == [0, 2]
    times = [START + timedelta(seconds=second) for second in (0, 1, 3, 7, 15, 31, 63)]
    with queue(exercise_db, *[AWAY] * 7) as it:
        it.db.execute("delete from notification")
        it.put("a", 4)
        it.send()
        for before, at in pairwise(times):
            it.wait((at - before).total_seconds())
        assert it.row["attempt_times"] == times[-6:], "in no minute it was tried more often"


def test_an_address_that_takes_nothing_starves_nobody(exercise_db: str) -> None:
    """20 reds for a mailbox that is full, 18 a minute, for half an hour: at last one try a minute; then all arrive."""
    with queue(exercise_db, per_minute=18) as it:
        it.sender.most_bytes, it.sender.dead = 1, frozenset({"full"})
        for number in range(20):
            it.put(f"k{number}", 4, "full")
        it.send()
        tries = [it.wait(10.0) for _ in range(180)]
        assert max(tries) <= 18
        assert sum(tries[-60:]) <= 10, "ten minutes"
        it.put("fresh", 4, "healthy")
        assert it.send() == 1
        assert it.sender.sent[-1] == "fresh"
        tried = {key: it.sender.sent.count(key) for key in set(it.sender.sent) - {"fresh"}}
        assert (len(tried), min(tried.values())) == (20, 2), "each in its turn"
        it.sender.dead = frozenset()
        for _ in range(12):
            it.wait(10.0)
        assert {row["state"] for row in messages(it.db)} == {"accepted"}


def test_a_clock_that_is_set_back_makes_no_wait_longer_than_a_service_may_ask(exercise_db: str) -> None:
    with queue(exercise_db, AWAY) as it:
        it.put("a", 4)
        it.send()
        it.clock = FakeClock(START - timedelta(days=1))
        it.restart()
        assert [it.wait(0.0), it.wait(599.0), it.wait(1.0)] == [0, 0, 1]


def test_a_message_that_fails_for_days_is_tried_every_minute(exercise_db: str) -> None:
    with queue(exercise_db, AWAY, AWAY) as it:
        it.put("a", 4)
        it.db.execute("update notification set failures = 5000")
        assert [it.send(), it.wait(59.0), it.wait(1.0)] == [1, 0, 1]


def test_red_goes_at_once_past_a_limit_that_yellow_has_used_up(exercise_db: str) -> None:
    """Of 6 a minute one is kept: five yellow ones went, two wait; a red one finds a send, the next the limit."""
    with queue(exercise_db, per_minute=6) as it:
        for number in range(5):
            it.put(f"yellow-{number}", 2, f"address-{number}")
        assert it.send() == 5
        for number in range(2):
            it.put(f"late-{number}", 2, f"late-{number}")
        assert it.wait(1.0) == 0
        it.put("red", 4, "address-0")
        assert it.send() == 1
        assert it.sender.sent[-1] == "red"
        it.put("second", 4, "address-1")
        assert it.send() == 0
        assert it.wait(59.0) > 0
        assert it.sender.sent[6] == "second"


def test_a_robot_is_told_of_every_basin_whole(exercise_db: str) -> None:
    """21 long red texts and 5 short ones for a robot that takes 2,048 bytes, 18 a minute: what does not fit waits."""
    with opened(exercise_db) as db, service(lambda _: (200, {"errcode": 0})) as robot:
        it = Queue(db)
        it.channel = Channel("hook", WeCom(robot.url, 30.0), Limiter(18), it.clock)
        for number in range(26):
            it.put(f"k{number}", 4, "@all", f"【红色】{number:02}" + "水" * (600 if number < 21 else 40))
        while it.channel.step(db):
            pass
        assert [len(robot.received), sum(row["state"] == "queued" for row in messages(db))] == [18, 3]
        it.clock.advance(timedelta(seconds=60))
        while it.channel.step(db):
            pass
        texts = [sent["text"]["content"] for sent in robot.received]
        assert max(len(text.encode()) for text in texts) <= 2048
        assert all(any(row["body"] in text for text in texts) for row in messages(db))
        assert {row["state"] for row in messages(db)} == {"accepted"}


def test_a_robot_of_feishu_gets_no_more_than_its_second_and_the_rest_merges(exercise_db: str) -> None:
    """A storm of 12 oranges and 3 reds for a robot of 5 a second: 4 go at once, reds first; the others share sends."""
    with opened(exercise_db) as db, service(lambda _: (200, {"code": 0})) as robot:
        it = Queue(db)
        it.channel = Channel("hook", Feishu(robot.url, "secret", 30.0, lambda: 0.0), Limiter(90, 4), it.clock)
        for number in range(15):
            it.put(
                f"k{number}", 4 if number >= 12 else 3, f"p{number % 3}" if number < 12 else "chief", f"text {number};"
            )

        def sent() -> int:
            before = len(robot.received)
            while it.channel.step(db):
                pass
            return len(robot.received) - before

        assert sent() == 3, "one red with the two others of its address, two oranges; one of the second is kept for red"
        assert "text 12;" in robot.received[0]["content"]["text"]
        assert sent() == 0
        it.put("late", 4, "chief", "text late;")
        assert sent() == 1, "a red finds its own"
        for _ in range(12):
            it.clock.advance(timedelta(seconds=1))
            assert sent() <= 4
        texts = "".join(found["content"]["text"] for found in robot.received)
        assert all(texts.count(row["body"]) == 1 for row in messages(db))
        assert {row["state"] for row in messages(db)} == {"accepted"}


def long_text(incident: str) -> str:
    return f"【红色】{incident}\n时间 time 2026-07-02 00:12:00  事件 incident {incident}\n" + "水" * 590


def test_what_is_told_again_gives_way_and_a_backlog_ends(exercise_db: str) -> None:
    """25 long reds for three people: 75 texts every 3 minutes for a robot of 54. All are told again, a new one first.

    A repeat beside others takes two lines, some 80 bytes, so a send of 2,048 carries a dozen.
    """
    with queue(exercise_db, per_minute=18) as it:
        it.sender.most_bytes = 2048
        people, waiting = ("li", "wu", "chen"), list[int]()
        for minute in range(22):
            for number in range(25) if minute % 3 == 0 else ():
                for person in people:
                    reason = "repeat" if minute else "first"
                    name = f"basin-{number:02}"
                    it.put(f"{name}#{minute}@{person}", 4, person, long_text(name), reason)
            if minute == 16:
                it.put("new#1", 4, "li", long_text("new"))
                assert it.send() > 0
                assert it.db.execute("select state from notification where key = 'new#1'").fetchall() == [
                    {"state": "accepted"}
                ]
            it.wait(60.0)
            waiting.append(sum(row["state"] in {"queued", "sending"} for row in messages(it.db)))
        rows = messages(it.db)
        firsts = [row["settled_at"] for row in rows if row["reason"] == "first"]
        assert max(firsts[:-1]) <= START + timedelta(minutes=5), "75 at 18 a minute"
        assert waiting[-1] == 0
        assert {row["state"] for row in rows} == {"accepted"}
        late = [row["settled_at"] - row["queued_at"] for row in rows if row["reason"] == "repeat"]
        assert max(late) <= timedelta(minutes=4)


def test_who_was_not_told_of_an_incident_before_gets_the_full_words(exercise_db: str) -> None:
    """Beside others a repeat is cut for who had its incident in full: not for a new shift, nor for a new face there."""
    with queue(exercise_db, per_minute=2) as it:

        def told(name: str, person: str, reason: str = "repeat") -> None:
            it.put(name, 4, "duty-room", long_text(name), reason)
            it.db.execute("update notification set person_id = %s where key = %s", (person, name))

        told("known", "li", "first")
        assert it.send() == 1
        it.sender.plan = [AWAY]
        told("known again", "li")
        told("new", "li")
        it.put("lost", 4, "duty-room", "lost", "first")
        it.put("lost again", 4, "duty-room", long_text("lost again"), "repeat")
        told("face", "wu")
        it.db.execute("update notification set incident_id = case when key ~ '^known|face' then 'known' else key end")
        it.db.execute("update notification set incident_id = 'lost', state = 'queued' where key like 'lost%'")
        it.db.execute("update notification set state = 'failed', settled_at = queued_at where key = 'lost'")
        it.wait(60.0)
        it.wait(60.0)
        first, again = it.sender.texts[1:]
        full = {name: "水" * 590 in part for part in first.split("――――――") for name in [part.split()[0][4:]]}
        assert full == {"known": False, "new": True, "lost": True, "face": True}
        assert first == again, "an attempt that is repeated is the same text"


def test_an_end_takes_the_place_of_the_repeats_before_it(exercise_db: str) -> None:
    """A robot that was away: of three repeats the end is told alone; what was begun, or carries others, stays."""
    with queue(exercise_db, AWAY) as it:
        it.put("i1#1", 4)
        for number in (2, 3, 4):
            it.put(f"i1#{number}", 4, reason="repeat")
        it.put("i1#5", 4, reason="all_clear")
        it.put("i1#6", 4, "wu", reason="repeat")
        it.put("i2#1", 4, reason="repeat")
        it.send()
        assert it.wait(60.0) == 1
        assert it.sender.sent == ["i1#1", "i1#5", "i1#6", "i2#1", "i1#1"]
        told = {row["key"]: (row["merged_into"], row["gave_way"], row["state"]) for row in messages(it.db)}
        end = next(row["notification_id"] for row in messages(it.db) if row["key"] == "i1#5")
        assert [told[f"i1#{number}"] for number in (2, 3, 4)] == [(end, True, "accepted")] * 3


def test_many_dead_addresses_with_red_let_an_orange_to_a_living_one_through(exercise_db: str) -> None:
    """30 dead mailboxes, each with two reds, would have all 18 sends of every minute; each orange is out within one."""
    with queue(exercise_db, per_minute=18) as it:
        it.sender.dead = frozenset(f"dead-{number}" for number in range(30))
        for address in sorted(it.sender.dead):
            it.put(f"{address}/1", 4, address)
            it.put(f"{address}/2", 4, address)
        for _ in range(120):
            it.wait(5.0)
        assert len(it.sender.sent) >= 170, "with nothing else to send every send of ten minutes is theirs"
        for minute in range(5):
            for number in range(3):
                it.put(f"orange-{minute}-{number}", 3, f"live-{number}")
            for _ in range(12):
                it.wait(5.0)
            assert {f"orange-{minute}-{number}" for number in range(3)} <= set(it.sender.sent)
        tried = sum(key.startswith("dead") for key in it.sender.sent[-60:])
        assert tried >= 30, "the dead are tried on"


def test_a_single_send_a_minute_is_shared_too(exercise_db: str) -> None:
    with queue(exercise_db, per_minute=1) as it:
        it.sender.dead = frozenset({"dead"})
        it.put("red", 4, "dead")
        for _ in range(10):
            it.wait(60.0)
        it.put("a", 3, "live")
        it.put("b", 3, "other")
        it.put("c", 3, "third")
        before = len(it.sender.sent)
        for _ in range(5):
            it.wait(60.0)
        assert it.sender.sent[before:] == ["a", "b", "red", "c", "red"]


def test_a_red_for_an_address_that_failed_finds_the_sends_kept_for_red_while_orange_waits_for_the_limit(
    exercise_db: str,
) -> None:
    """Three of 18 are kept: 14 oranges and two failures went, two are left; no orange may have them."""
    with queue(exercise_db, per_minute=18) as it:
        for number in range(40):
            it.put(f"orange-{number}", 3, f"address-{number}")
        it.sender.dead = frozenset({"full"})
        it.put("red", 4, "full")
        assert (it.send(), it.wait(1.0)) == (15, 1)
        it.sender.dead = frozenset()
        it.put("fresh", 4, "full")
        assert it.wait(1.0) == 1
        assert it.sender.sent[-1] == "fresh"
