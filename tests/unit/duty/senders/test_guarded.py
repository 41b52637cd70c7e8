"""What a service answers is kept, whatever it holds."""

from __future__ import annotations

import pytest

from duty.senders.base import Accepted, HandedOver, Outcome, Outgoing, Permanent, Temporary
from duty.senders.guarded import send_guarded


class Says:
    """A sender that answers what it was made with."""

    most_bytes = None

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome

    def send(self, message: Outgoing) -> Outcome:
        del message
        return self.outcome


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (Accepted("a\0b"), Accepted("a\ufffdb")),
        (HandedOver("x\0"), HandedOver("x\ufffd")),
        (Permanent("no \ud800 half"), Permanent("no ? half")),
        (Temporary("later\0", 3.0, 5), Temporary("later\ufffd", 3.0, 5)),
        (Accepted("好 ok"), Accepted("好 ok")),
    ],
)
def test_words_that_no_database_keeps_are_mended(said: Outcome, kept: Outcome) -> None:
    assert send_guarded(Says(said), Outgoing("k", "li", "t", "b", 4), "hook") == kept
