"""Every service that Apprise knows. It tells only whether it took the message, so nothing is recorded as delivered."""

from __future__ import annotations

from dataclasses import dataclass

import apprise

from duty.senders.base import HandedOver, Outcome, Outgoing, Permanent, Temporary

TRIES = 5


@dataclass(frozen=True, slots=True)
class Other:
    """A URL of Apprise in which ``{address}`` stands for the address."""

    url: str

    def send(self, message: Outgoing) -> Outcome:
        """Hand the message over."""
        service = apprise.Apprise()
        if not service.add(self.url.replace("{address}", message.address)):
            return Permanent("Apprise does not understand the channel's URL")
        kind = apprise.NotifyType.FAILURE if message.severity >= 4 else apprise.NotifyType.WARNING
        if service.notify(body=message.body, title=message.title, notify_type=kind):
            return HandedOver("taken by Apprise")
        return Temporary("Apprise reports a failure", most=TRIES)
