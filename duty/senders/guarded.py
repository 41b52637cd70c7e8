"""A sender's own fault is that of its channel alone: it becomes an outcome, and an error in the log."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from traceback import extract_tb

import structlog

from duty.senders.base import Accepted, HandedOver, Outcome, Outgoing, Permanent, Sender, Temporary
from duty.senders.http import UNKNOWN_CODE_TRIES

log = structlog.get_logger(__name__)


def send_guarded(sender: Sender, message: Outgoing, channel: str) -> Outcome:
    """Send; what a sender raises against its promise is worth a few more tries, then the message has failed.

    Neither log nor outcome repeats the exception's text, which may hold the channel's URL and with it its key.
    """
    try:
        return _storable(sender.send(message))
    except Exception as error:  # noqa: BLE001 - whatever it is, the other channels go on
        kind, last = type(error).__name__, extract_tb(error.__traceback__)[-1]
        where = f"{Path(last.filename).name}:{last.lineno}"
        log.error("sender_fault", channel=channel, key=message.key, error=kind, where=where)  # noqa: TRY400 - its text
        return Temporary(f"the channel's sender broke: {kind} at {where}", most=UNKNOWN_CODE_TRIES)


def _storable(outcome: Outcome) -> Outcome:
    match outcome:
        case Accepted(receipt):
            return Accepted(_kept(receipt))
        case HandedOver(receipt):
            return HandedOver(_kept(receipt))
        case Permanent(error):
            return Permanent(_kept(error))
        case Temporary(error):
            return replace(outcome, error=_kept(error))


def _kept(words: str) -> str:
    """Take from a service's words what no PostgreSQL keeps: U+0000, and halves of a character."""
    return words.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
