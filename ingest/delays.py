"""How old readings are when they come: what waits at the broker, or in the network, is seen by what it is late.

The broker tells nobody how long a message waited there. But messages of a session come in order, so what comes now has
waited as long as anything can have; and a device says when it measured. One clock may be wrong: the median of the
devices that spoke last counts. What a buffer brings late counts where it is the newest of its device in its message.

A message has waited at the broker no longer than since the broker was last seen to hold nothing. Once it holds nothing
again that wait is over, and only what it does not explain goes on to count: the network, or the clocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

import numpy as np

from ingest.batch import Draft, Message
from ingest.sensors import Directory
from undercroft.store.observations import Rows

WITHIN_US = 600_000_000
"""Devices that spoke within so long; the longest dry interval is as long. [µs]"""
MOST_DEVICES = 15
LEAST_DEVICES = 3
"""With fewer devices a clock that is wrong could not be told from a message that is late."""


def first_deliveries(draft: Draft, messages: Sequence[Message]) -> Rows:
    """Return the rows of messages that come for the first time: what is delivered again says nothing of its device."""
    again = [index for index, message in enumerate(messages) if message.is_again or message.retain]
    return draft.rows.take(np.flatnonzero(~np.isin(draft.row_of, again))) if again else draft.rows


class Delays:
    """When devices were heard, and how late. Written by the writer of a lane, read by any thread."""

    def __init__(self) -> None:
        self._directory: Directory | None = None
        self._heard_us = np.zeros(0, dtype=np.int64)
        self._delay_us = np.zeros(0, dtype=np.int64)
        self._elsewhere_us = np.zeros(0, dtype=np.int64)
        """The part of each delay that was certainly not at the broker."""
        self.drained_us: int | None = None
        """When the broker was last seen to hold nothing before what is noted next. [µs since 1970]"""

    def note(self, rows: Rows, directory: Directory) -> None:
        """Take in what is committed, known before or not, in order of arrival; only rows with a possible time.

        Of the rows of one receipt, the newest reading of a device counts, wherever it stands in its message.
        """
        if directory is not self._directory:
            self._take_site(directory)
        order = np.lexsort((rows.observed_us, rows.received_us))
        devices = directory.device_of[rows.sensor_ids[order]]
        received_us = rows.received_us[order]
        delay_us = received_us - rows.observed_us[order]
        self._delay_us[devices] = delay_us
        self._elsewhere_us[devices] = np.maximum(0, delay_us - (received_us - (self.drained_us or 0)))
        self._heard_us[devices] = received_us

    def _take_site(self, directory: Directory) -> None:
        """Begin with the devices of another site version; what is known of those of before stays theirs."""
        before = {} if self._directory is None else {name: n for n, name in enumerate(self._directory.devices)}
        stay = [(now, before[name]) for now, name in enumerate(directory.devices) if name in before]
        to, come = np.array(stay, dtype=np.intp).reshape(-1, 2).T
        known = (self._delay_us, self._elsewhere_us, self._heard_us)
        anew = tuple(np.zeros(len(directory.devices), dtype=np.int64) for _ in known)
        for column, old in zip(anew, known, strict=True):
            column[to] = old[come]
        self._directory = directory
        self._delay_us, self._elsewhere_us, self._heard_us = anew

    def heard_us(self) -> dict[str, int]:
        """Return when each device was heard, whether it said anything new or not. [µs since 1970]"""
        directory, heard_us = self._directory, self._heard_us
        if directory is None or heard_us.size != len(directory.devices):
            return {}
        return {
            device_id: at_us for device_id, at_us in zip(directory.devices, heard_us.tolist(), strict=True) if at_us
        }

    def typical_s(self, now_us: int, drained_us: int | None = None) -> float:
        """Return the median age, at its receipt, of the newest reading of the devices that spoke last. [s]

        NaN where fewer than `LEAST_DEVICES` spoke within `WITHIN_US`. ``drained_us``: when the broker held nothing.
        """
        heard_us, delay_us = self._heard_us, self._delay_us
        if drained_us is not None and heard_us.size == delay_us.size == self._elsewhere_us.size:
            delay_us = np.where(heard_us <= drained_us, self._elsewhere_us, delay_us)
        recent = np.flatnonzero(heard_us > now_us - WITHIN_US)
        if recent.size < LEAST_DEVICES or heard_us.size != delay_us.size:
            return nan
        newest = recent[np.argsort(heard_us[recent], kind="stable")[-MOST_DEVICES:]]
        return max(0.0, float(np.median(delay_us[newest])) / 1e6)
