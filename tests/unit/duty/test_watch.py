"""The dead-man: who is silent, told once and again after five minutes, and told when back."""

from __future__ import annotations

from datetime import datetime, timedelta

from duty.model import Reach
from duty.senders.base import Accepted, Outcome, Outgoing, Permanent, Temporary
from duty.watch import Watch
from duty.watch_outbox import Notice, Outbox, message
from tests.unit.duty.kit import START


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def beats(engine: float, duty: float, ingest: float) -> dict[str, datetime | None]:
    return {"engine": after(engine), "duty": after(duty), "ingest": after(ingest)}


def test_silence_is_told_once_then_every_five_minutes_and_its_end() -> None:
    watch = Watch()
    assert watch.look(beats(0, 0, 0), after(20)) == []
    assert watch.look(beats(0, 20, 0), after(21)) == [("engine", "silent")]
    assert watch.look(beats(0, 22, 0), after(30)) == []
    assert watch.look(beats(0, 321, 320), after(321)) == [("engine", "silent")]
    assert watch.look(beats(322, 322, 320), after(323)) == [("engine", "back")]
    assert watch.look(beats(322, 322, 320), after(324)) == []


def test_each_part_has_its_own_patience() -> None:
    assert Watch().look(beats(179, 179, 0), after(180)) == []
    assert Watch().look(beats(0, 0, 0), after(181)) == [("engine", "silent"), ("duty", "silent"), ("ingest", "silent")]
    assert Watch().look({"engine": None, "duty": after(0), "ingest": after(0)}, after(1)) == [("engine", "silent")]


def test_a_database_that_does_not_answer_is_what_is_told() -> None:
    watch = Watch()
    assert watch.look(None, after(0)) == [("database", "silent")]
    assert watch.look(None, after(100)) == []
    assert watch.look(beats(100, 100, 100), after(101)) == [("database", "back")]


def test_each_silence_has_its_own_key() -> None:
    one = message("engine", "silent", after(0), "li")
    assert "无响应" in one.title
    assert one.key != message("engine", "silent", after(300), "li").key
    assert one.key == message("engine", "silent", after(0), "li").key


class Service:
    """A channel that answers by plan, then takes everything; it remembers what it was sent."""

    def __init__(self, *plan: Outcome) -> None:
        self.plan, self.sent = list(plan), list[str]()

    def send(self, message: Outgoing) -> Outcome:
        self.sent.append(message.title.rsplit(maxsplit=1)[-1])
        return self.plan.pop(0) if self.plan else Accepted("")


def test_a_silence_that_was_not_taken_is_told_before_the_return() -> None:
    """Tried at 0, 2 and 6 s; the other address is told at once, and the repeat of an untold silence is not added."""
    bad, good = Service(Temporary("HTTP 500"), Temporary("HTTP 500")), Service()
    outbox = Outbox({"bad": bad, "good": good}, (Reach("bad", "a"), Reach("good", "b")))
    outbox.add(Notice("engine", "silent", after(0)))
    assert [outbox.deliver(at_s) for at_s in (0.0, 1.9, 2.0)] == [1, 0, 0]
    outbox.add(Notice("engine", "silent", after(3)))
    outbox.add(Notice("engine", "back", after(4)))
    assert [outbox.deliver(at_s) for at_s in (5.9, 6.0, 100.0)] == [2, 2, 0]
    assert bad.sent == ["SILENT", "SILENT", "SILENT", "back"]
    assert good.sent == ["SILENT", "SILENT", "back"]


def test_what_is_refused_for_good_does_not_hold_up_the_next() -> None:
    refuses = Service(Permanent("HTTP 404"), Temporary("news to us", most=1))
    outbox = Outbox({"hook": refuses}, (Reach("hook", "a"), Reach("gone", "b")))
    for part in ("engine", "duty", "ingest"):
        outbox.add(Notice(part, "silent", after(0)))
    assert outbox.deliver(0.0) == 1
    assert len(refuses.sent) == 3
