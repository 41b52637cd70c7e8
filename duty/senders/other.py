"""Every service that Apprise knows. It tells only whether it took the message, so nothing is recorded as delivered."""

from __future__ import annotations

from dataclasses import dataclass

import apprise

from duty.senders.base import HandedOver, Outcome, Outgoing, Permanent, Temporary

TRIES = 5
TITLE_ROOM_BYTES = 300
"""What a title may take where a service has none of its own and Apprise puts it before the text."""


@dataclass(frozen=True, slots=True)
class Other:
    """A URL of Apprise in which ``{address}`` stands for the address."""

    url: str

    @property
    def most_bytes(self) -> int | None:
        """How long a body the service takes: as many bytes as Apprise says characters, so never too many."""
        service = apprise.Apprise.instantiate(self.url.replace("{address}", "address"))
        return None if service is None else max(service.body_maxlen - TITLE_ROOM_BYTES, 1)

    def send(self, message: Outgoing) -> Outcome:
        """Hand the message over."""
        service = apprise.Apprise()
        if not service.add(self.url.replace("{address}", message.address)):
            return Permanent("Apprise does not understand the channel's URL")
        kind = apprise.NotifyType.FAILURE if message.severity >= 4 else apprise.NotifyType.WARNING
        if service.notify(body=message.body, title=message.title, notify_type=kind):
            return HandedOver("taken by Apprise")
        return Temporary("Apprise reports a failure", most=TRIES)
