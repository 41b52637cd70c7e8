"""Messages that may say no time, and what is asked of the store for them (`undercroft.store.receipts`). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.batch import Message
from ingest.run_clock import RunClock
from ingest.sensors import Directory
from undercroft.store.receipts import Arrival, digest_of


def arrivals_of(messages: Sequence[Message], directory: Directory, run_clock: RunClock | None) -> dict[int, Arrival]:
    """Return, by position, how those came whose decoder reads times that are relative to the receipt."""
    if not any(decoder.may_say_no_time for decoder in directory.decoders):
        return {}
    arrivals = {}
    for index, message in enumerate(messages):
        decoder = directory.route(message.topic).decoder
        if decoder is not None and decoder.may_say_no_time:
            base_us = message.received_us if run_clock is None else run_clock.now_us
            digest = digest_of(message.topic, message.payload)
            arrivals[index] = Arrival(message.mid, message.is_again, digest, message.received_us, base_us)
    return arrivals
