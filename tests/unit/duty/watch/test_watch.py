"""The dead-man: who is silent, told once and again after five minutes, and told when back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from duty.model import Reach
from duty.senders.base import Accepted, Outcome, Outgoing, Permanent, Sender, Temporary
from duty.watch.outbox import Notice, Outbox, message
from duty.watch.watch import STARTING_S, Watch
from tests.unit.duty.kit import START
from undercroft.model import Mode

SHENZHEN = ZoneInfo("Asia/Shanghai")


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def signs(engine: int | None, duty: int | None, ingest: int | None) -> dict[str, str | None]:
    """Each part's sign of life: any text that is another one after it did something."""
    said = {"engine": engine, "duty": duty, "ingest": ingest}
    return {part: None if sign is None else str(sign) for part, sign in said.items()}


def begun() -> Watch:
    """A watcher at second 0, to which everybody has just shown a second sign of life."""
    watch = Watch()
    assert watch.look(signs(0, 0, 0), -1.0) == []
    assert watch.look(signs(1, 1, 1), 0.0) == []
    return watch


def test_silence_is_told_once_then_every_five_minutes_and_its_end() -> None:
    watch = begun()
    assert watch.look(signs(1, 2, 2), 20.0) == []
    assert watch.look(signs(1, 3, 2), 21.0) == [("engine", "silent")]
    assert watch.look(signs(1, 4, 2), 30.0) == []
    assert watch.look(signs(1, 5, 3), 321.0) == [("engine", "silent")]
    assert watch.look(signs(2, 6, 3), 323.0) == [("engine", "back")]
    assert watch.look(signs(2, 6, 3), 324.0) == []


def test_each_part_has_its_own_patience() -> None:
    assert begun().look(signs(1, 1, 1), 181.0) == [("engine", "silent"), ("duty", "silent"), ("ingest", "silent")]
    assert begun().look(signs(1, 2, 1), 180.0) == [("engine", "silent")]


def test_what_never_lived_is_silent_when_starting_is_over() -> None:
    """20 s of patience, and 10 s for starting."""
    watch = Watch()
    assert watch.look(signs(None, 0, 0), 0.0) == []
    assert watch.look(signs(None, 1, 0), 20.0 + STARTING_S) == []
    assert watch.look(signs(None, 2, 0), 31.0) == [("engine", "silent")]


def test_a_sign_that_goes_back_is_a_sign() -> None:
    """The notifier's sign is its time of day: a machine whose clock was set back, or forward by a year, still lives."""
    watch = begun()
    assert watch.look(signs(2, -3600, 2), 20.0) == []
    assert watch.look(signs(3, 31_536_000, 3), 40.0) == []
    assert watch.look(signs(4, 31_536_000, 4), 61.0) == [("duty", "silent")]


def test_a_database_that_does_not_answer_is_what_is_told() -> None:
    watch = begun()
    assert watch.look(None, 1.0) == [("database", "silent")]
    assert watch.look(None, 101.0) == []
    assert watch.look(signs(1, 1, 1), 102.0) == [("database", "back")]
    # 101 s without an answer count against nobody: the engine has had one second of its twenty.
    assert watch.look(signs(1, 2, 2), 121.0) == []
    assert watch.look(signs(1, 3, 3), 122.0) == [("engine", "silent")]


def test_a_database_that_is_gone_at_the_first_look_is_told_at_once() -> None:
    assert Watch().look(None, 0.0) == [("database", "silent")]


def test_each_silence_has_its_own_key_and_a_drill_its_mark() -> None:
    first, later = Notice("engine", "silent", after(0)), Notice("engine", "silent", after(300))
    one = message(first, "li", Mode.LIVE, SHENZHEN)
    assert "无响应" in one.title
    midnight = Notice("engine", "silent", datetime(2026, 7, 1, 16, 5, tzinfo=UTC))
    assert "时间 time 2026-07-02 00:05:00\n" in message(midnight, "li", Mode.LIVE, SHENZHEN).body
    assert one.key != message(later, "li", Mode.LIVE, SHENZHEN).key
    assert one.key == message(first, "li", Mode.LIVE, SHENZHEN).key
    assert message(first, "li", Mode.EXERCISE, SHENZHEN).body.startswith("【演练】【系统】")


def outbox_of(senders: Mapping[str, Sender], *reach: Reach) -> Outbox:
    return Outbox(lambda _: senders, reach, Mode.LIVE, SHENZHEN)


class Service:
    """A channel that answers by plan, then takes everything; it remembers what it was sent."""

    most_bytes = None

    def __init__(self, *plan: Outcome) -> None:
        self.plan, self.sent = list(plan), list[str]()

    def send(self, message: Outgoing) -> Outcome:
        self.sent.append(message.title.rsplit(maxsplit=1)[-1])
        return self.plan.pop(0) if self.plan else Accepted("")


def test_a_silence_that_was_not_taken_is_told_before_the_return() -> None:
    """Tried at 0, 2 and 6 s; the other address is told at once, and the repeat of an untold silence is not added."""
    bad, good = Service(Temporary("HTTP 500"), Temporary("HTTP 500")), Service()
    outbox = outbox_of({"bad": bad, "good": good}, Reach("bad", "a"), Reach("good", "b"))
    outbox.add(Notice("engine", "silent", after(0)))
    assert [outbox.deliver(at_s) for at_s in (0.0, 1.9, 2.0)] == [1, 0, 0]
    outbox.add(Notice("engine", "silent", after(3)))
    outbox.add(Notice("engine", "back", after(4)))
    assert [outbox.deliver(at_s) for at_s in (5.9, 6.0, 100.0)] == [2, 2, 0]
    assert bad.sent == ["SILENT", "SILENT", "SILENT", "back"]
    assert good.sent == ["SILENT", "SILENT", "back"]


def test_what_is_refused_for_good_does_not_hold_up_the_next() -> None:
    refuses = Service(Permanent("HTTP 404"), Temporary("news to us", most=1))
    outbox = outbox_of({"hook": refuses}, Reach("hook", "a"), Reach("gone", "b"))
    for part in ("engine", "duty", "ingest"):
        outbox.add(Notice(part, "silent", after(0)))
    assert outbox.deliver(0.0) == 1
    assert len(refuses.sent) == 3


def test_an_outage_before_an_odd_answer_costs_it_no_try() -> None:
    """Five odd answers are the end of it; the ten refused connections before them are not counted."""
    odd = Temporary("news to us", most=5)
    service = Service(*[Temporary("ConnectError")] * 10, *[odd] * 4, Temporary("HTTP 500"), *[odd] * 5)
    outbox = outbox_of({"hook": service}, Reach("hook", "a"))
    outbox.add(Notice("engine", "silent", after(0)))
    for minute in range(30):
        assert outbox.deliver(minute * 60.0) == 0
    assert len(service.sent) == 20


def test_the_channels_are_those_of_the_mode_that_the_database_says() -> None:
    live, drill = Service(), Service()
    outbox = Outbox(
        lambda mode: {"hook": live if mode is Mode.LIVE else drill}, (Reach("hook", "a"),), Mode.LIVE, SHENZHEN
    )
    for mode, part in ((Mode.LIVE, "engine"), (Mode.EXERCISE, "duty"), (Mode.EXERCISE, "ingest")):
        outbox.be(mode)
        outbox.add(Notice(part, "silent", after(0)))
        outbox.deliver(0.0)
    assert (len(live.sent), len(drill.sent)) == (1, 2)
