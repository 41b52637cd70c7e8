"""No attempt is waited for longer than it may take, whatever it hangs in, and none is begun twice."""

from __future__ import annotations

import socket
import threading
from dataclasses import replace
from typing import Any

import pytest

from duty.file import Channel, sender_of
from duty.senders.base import Accepted, Outcome, Outgoing, Temporary
from duty.senders.limited import GIVEN_UP_AFTER_S, MOST_HANGING, Limited

MESSAGE = Outgoing("k1", "li", "t", "b", 4)
SOON_S = 0.02


class Hangs:
    """A sender that does not end until it is let go."""

    most_bytes = 7

    def __init__(self) -> None:
        self.let_go, self.keys, self.raises = threading.Event(), list[str](), False

    def send(self, message: Outgoing) -> Outcome:
        self.keys.append(message.key)
        self.let_go.wait()
        if self.raises:
            raise LookupError("a fault of its own")
        return Accepted(message.key)


def settled(limited: Limited, message: Outgoing) -> Outcome:
    """Ask as the next tries do until the attempt that was left has ended."""
    left = limited._left[message.key]
    assert left.ended.wait(10.0)
    return limited.send(message)


def test_what_hangs_is_left_and_its_end_is_that_of_the_next_try() -> None:
    sender = Hangs()
    limited = Limited(sender, SOON_S)
    assert limited.most_bytes == 7
    assert limited.send(MESSAGE) == Temporary("no end within 0.02 s")
    assert isinstance(limited.send(MESSAGE), Temporary)
    sender.let_go.set()
    assert settled(limited, MESSAGE) == Accepted("k1")
    assert sender.keys == ["k1"], "it is not begun twice"


def test_what_it_raises_is_raised() -> None:
    sender = Hangs()
    sender.raises = True
    sender.let_go.set()
    with pytest.raises(LookupError):
        Limited(sender, 10.0).send(MESSAGE)


def test_so_many_may_hang_and_after_a_time_they_are_given_up() -> None:
    sender, now_s = Hangs(), [0.0]
    limited = Limited(sender, SOON_S, lambda: now_s[0])
    for number in range(MOST_HANGING + 1):
        limited.send(replace(MESSAGE, key=f"k{number}"))
    assert len(sender.keys) == MOST_HANGING
    now_s[0] = GIVEN_UP_AFTER_S
    limited.send(replace(MESSAGE, key="k0"))
    assert sender.keys[-1] == "k0"
    sender.let_go.set()
    assert settled(limited, replace(MESSAGE, key="k0")) == Accepted("k0")


@pytest.mark.filterwarnings("ignore:.imghdr. is deprecated:DeprecationWarning")  # by a plugin of Apprise
@pytest.mark.parametrize("kind", ["webhook", "smtp", "apprise"])
def test_a_name_that_is_not_resolved_holds_up_no_channel(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's resolver has no limit of ours; the test's own hangs until it is let go."""
    let_go = threading.Event()

    def hangs(*_: Any, **__: Any) -> Any:
        let_go.wait(30.0)
        raise socket.gaierror("nobody knows")

    scheme = "json" if kind == "apprise" else "http"
    channel = Channel.model_validate({
        "id": "c", "kind": kind, "timeout_s": 0.1, "host": "no.invalid", "security": "none", "url_env": "URL",
        "secret_env": "SECRET",
    })  # fmt: skip
    sender = sender_of(channel, {"URL": f"{scheme}://no.invalid/", "SECRET": "s"}, lambda: 0.0)
    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    try:
        assert isinstance(sender.send(MESSAGE), Temporary)
        assert not let_go.is_set()
    finally:
        let_go.set()
