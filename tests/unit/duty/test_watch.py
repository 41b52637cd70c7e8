"""The dead-man: who is silent, told once and again after five minutes, and told when back."""

from __future__ import annotations

from datetime import datetime, timedelta

from duty.watch import Watch, message
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
