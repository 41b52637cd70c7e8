"""The heads beside the key: cut anywhere, no head before the cut is lost, and signing goes on."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from duty.log.dutylog import FIRST_LINK, Chained, Entry, Head, link, sign_head
from duty.log.headfile import LogOf, keep, kept_heads, torn_path
from tests.unit.duty.kit import at
from undercroft.model import Mode

LIVE = LogOf(Mode.LIVE, "a", "7/16384")


def heads(count: int) -> list[Head]:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    entries = [Entry(number, at(number), "note", "li", "-", {"text": "一"}) for number in range(1, count + 1)]
    return [
        sign_head(Chained(entry, FIRST_LINK, link(FIRST_LINK, entry)), at(9), "交班", key) for entry in entries
    ]  # fmt: skip


def test_a_last_line_cut_at_any_byte_is_named_set_aside_and_costs_no_other(tmp_path: Path) -> None:
    first, second, third, fourth = heads(4)
    path = tmp_path / "log.key.heads"
    keep(path, LIVE, [first, second, third])
    whole = path.read_bytes()
    begins = len(whole) - len(whole.splitlines(keepends=True)[-1])
    for cut in range(begins, len(whole) + 1):
        path.write_bytes(whole[:cut])
        torn_path(path).unlink(missing_ok=True)
        left = [first, second, third] if cut >= len(whole) - 1 else [first, second]  # the line's end alone is no loss
        tail = whole[begins:cut] if len(left) == 2 else b""
        kept = kept_heads(path, LIVE)
        assert list(kept.heads) == left
        assert ("line 3 was not written whole" in kept.torn) == bool(tail)
        keep(path, LIVE, [fourth])
        after = kept_heads(path, LIVE)
        assert (list(after.heads), after.torn) == ([*left, fourth], "")
        set_aside = torn_path(path).read_bytes() if torn_path(path).exists() else b""
        assert set_aside == (tail + b"\n" if tail else b"")


def test_a_live_log_stays_one_whatever_its_database_calls_itself(tmp_path: Path) -> None:
    (head,) = heads(1)
    path = tmp_path / "log.key.heads"
    keep(path, LIVE, [head])
    for renamed in (
        LogOf(Mode.EXERCISE, "a", "7/16384"), LogOf(Mode.EXERCISE, "b", "7/16384"), LogOf(Mode.EXERCISE, "a", "9/1"),
    ):  # fmt: skip
        kept = kept_heads(path, renamed)
        assert kept.heads == (head,)
        assert kept.problems == ("head 1 was signed of a log of mode live; this database says exercise now",)
    restored = kept_heads(path, LogOf(Mode.LIVE, "a", "9/1"))
    assert (restored.heads, restored.problems) == ((head,), ())
    assert kept_heads(path, LogOf(Mode.EXERCISE, "b", "7/9")).heads == ()  # a drill, in a database of its own
