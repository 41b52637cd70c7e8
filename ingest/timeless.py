"""Messages that may say no time, and what is asked of the store for them (`undercroft.store.receipts`). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.batch import Message
from ingest.run_clock import RunClock
from ingest.sensors import Directory
from ingest.topics import Kind
from undercroft.store.receipts import Arrival, digest_of

_OF_A_STATE = f"/{Kind.STATUS}".encode()


def arrivals_of(messages: Sequence[Message], directory: Directory, run_clock: RunClock | None) -> dict[int, Arrival]:
    """Return, by position, how those came that are to be read at their receipt, now or by a retry.

    They are those of decoders that read times relative to the receipt, and device states that the site has no place
    for: each is a letter of its own. A retained state says that nothing is new, so its letters are one.
    """
    asks_all = any(decoder.may_say_no_time for decoder in directory.decoders)
    arrivals = {}
    for index, message in enumerate(messages):
        if not (asks_all or message.topic.endswith(_OF_A_STATE)):
            continue
        route = directory.route(message.topic)
        is_placed = route.fault is None and route.has_state
        is_homeless = route.kind is Kind.STATUS and not message.retain and not is_placed
        if is_homeless or (route.decoder is not None and route.decoder.may_say_no_time):
            base_us = message.received_us if run_clock is None else run_clock.now_us
            digest = digest_of(message.topic, message.payload)
            arrivals[index] = Arrival(message.mid, message.is_again, digest, message.received_us, base_us)
    return arrivals
