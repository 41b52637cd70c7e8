"""From messages to rows: every reading and every part of a message gets exactly one place. Pure.

In an exercise the time of receipt is the run clock's, so the same messages give the same rows however they are cut
into batches.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from traceback import extract_tb
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.decode_native import decode_native, decode_status
from ingest.quality import clock_lost, flags, outside_range
from ingest.reading import Fault
from ingest.reasons import Reason
from ingest.run_clock import RunClock, decode_run_clock
from ingest.sensors import ONLINE, DeviceEntry, Directory, Route
from ingest.topics import Kind
from undercroft.errors import PayloadInvalid
from undercroft.model import Mode, Reading
from undercroft.quality import Quality
from undercroft.store.dead_letters import MAX_DETAIL_LENGTH, DeadLetter
from undercroft.store.observations import NO_SERIAL, Rows
from undercroft.store.receipts import Receipt
from undercroft.store.stamped import Stamped
from undercroft.store.states import Delivery


class Message(NamedTuple):
    """What the broker delivered."""

    topic: bytes
    payload: bytes
    mid: int
    """Packet identifier, to acknowledge; 0 at QoS 0."""
    qos: int
    retain: bool
    received_us: int
    """Time of receipt. [µs since 1970, UTC]"""
    is_again: bool = False
    """The broker says that it may have delivered it before (DUP)."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a batch will write. ``*_of`` give the position of the message that each entry came from."""

    messages: int
    rows: Rows
    row_of: NDArray[np.int64]
    stamped: tuple[Stamped, ...]
    stamped_of: tuple[int, ...]
    letters: tuple[DeadLetter, ...]
    letter_of: tuple[int, ...]
    run_clock: RunClock | None
    """The new run clock that closes this batch."""
    stale_clocks: tuple[tuple[int, RunClock], ...]
    """Run clocks that should have been heard before, each with the position of its message."""
    receipts: tuple[Receipt, ...] = ()
    """Of messages that say no time, or an impossible one, and were not known."""
    passed: int = 0
    """Messages that another lane takes."""


@dataclass(slots=True)
class _Gathered:
    rows: list[tuple[int, int, float, int, int, int]] = field(default_factory=list)
    """Position of the sensor, time [µs], value, time of receipt [µs], serial number, position of the message."""
    stamped: list[Stamped] = field(default_factory=list)
    stamped_of: list[int] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    letter_of: list[int] = field(default_factory=list)
    stale_clocks: list[tuple[int, RunClock]] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    passed: int = 0

    def take_back(self, index: int) -> None:
        """Forget what came of the last message."""
        while self.rows and self.rows[-1][-1] == index:
            self.rows.pop()
        while self.stamped_of and self.stamped_of[-1] == index:
            self.stamped_of.pop()
            self.stamped.pop()
        while self.letter_of and self.letter_of[-1] == index:
            self.letter_of.pop()
            self.letters.pop()


class _Builder:
    """One pass over the messages of a batch."""

    def __init__(
        self,
        directory: Directory,
        run_clock: RunClock | None,
        session: str,
        receipts: Mapping[int, Receipt],
        passes: Set[Kind],
    ) -> None:
        self.directory = directory
        self.receipts = receipts
        self.passes = passes
        self.session = session
        self.known_clock = run_clock
        self.new_clock: RunClock | None = None
        self.gathered = _Gathered()

    def add(self, index: int, message: Message) -> None:
        if self.new_clock is not None:
            raise ValueError("a batch ends at its run clock")
        try:
            self._place(index, message)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a payload does to a decoder ends in a letter, not the lane
            self.gathered.take_back(index)
            self._bury(index, message, [Fault(Reason.DECODER_FAILED, failure(error))], is_named=False)

    def _place(self, index: int, message: Message) -> None:
        route = self.directory.route(message.topic)
        if route.kind in self.passes:
            self.gathered.passed += 1
            return
        if route.kind is Kind.STATUS and not message.payload:
            return  # how a retained message is taken from its broker (MQTT 3.1.1, 3.3.1.3): it says nothing of a device
        received_us = message.received_us
        if self.directory.mode is Mode.EXERCISE:
            if self.known_clock is not None:
                received_us = self.known_clock.now_us
            elif route.kind is not None:
                self._bury(index, message, [Fault(Reason.NO_RUN_CLOCK, "before the first run clock")])
                return
        try:
            if route.fault is not None:
                self._bury(index, message, [route.fault], receipt=self._keep_receipt(index, route))
            elif route.decoder is not None:
                self._add_foreign(index, message, route, received_us)
            elif route.device is None:
                self._hear_clock(index, message)
            elif route.kind is Kind.STATUS:
                receipt = self.receipts.get(index)  # of a letter of before, when the site had no place for it
                if receipt is not None and receipt.is_known:
                    received_us = receipt.read_us
                self._add_status(index, message, route.device, received_us)
            else:
                self._add_readings(index, message, route.device, received_us)
        except PayloadInvalid as error:
            fault = Fault(Reason(error.reason), error.detail)
            self._bury(index, message, [fault], receipt=self._keep_receipt(index, route))

    def _keep_receipt(self, index: int, route: Route) -> Receipt | None:
        """Return the receipt of a state that has no place, and have it kept."""
        receipt = self.receipts.get(index) if route.kind is Kind.STATUS else None
        if receipt is not None and not receipt.is_known:
            self.gathered.receipts.append(receipt)
        return receipt

    def _add_readings(self, index: int, message: Message, device: DeviceEntry, received_us: int) -> None:
        readings, faults = decode_native(message.payload, device.periods_s)
        self._add_decoded(index, device, readings, received_us, faults)
        if faults:
            self._bury(index, message, faults)

    def _add_foreign(self, index: int, message: Message, route: Route, received_us: int) -> None:
        assert route.decoder is not None  # noqa: S101 - the caller looked
        receipt = self.receipts.get(index)
        if receipt is not None:
            received_us = receipt.read_us
        told, faults, by_receipt = route.decoder.decode(route.foreign_topic, message.payload, received_us)
        if by_receipt and message.retain:
            raise PayloadInvalid(
                Reason.BAD_TIMESTAMP, "retained, and its time is relative to its receipt: when it was is lost"
            )
        if by_receipt and receipt is not None and not receipt.is_known:
            self.gathered.receipts.append(receipt)
        for device_id, reading in told:
            device = self.directory.devices.get(device_id)
            if device is None:
                faults.append(Fault(Reason.UNKNOWN_DEVICE, f"no device {device_id[:40]!r} in the site data"))
            else:
                self._add_decoded(index, device, (reading,), received_us, faults)
        if faults:
            self._bury(index, message, faults, receipt=receipt if by_receipt else None)

    def _add_decoded(
        self, index: int, device: DeviceEntry, readings: Iterable[Reading], received_us: int, faults: list[Fault]
    ) -> None:
        sensors, rows = device.sensors, self.gathered.rows
        for reading in readings:
            observed_us, at, quantity, value, seq = reading
            position = sensors.get((at, quantity))
            if position is None:
                position = device.position(reading)
                if position is None:
                    faults.append(device.missing(reading))
                    continue
            rows.append((position, observed_us, value, received_us, NO_SERIAL if seq is None else seq, index))

    def _add_status(self, index: int, message: Message, device: DeviceEntry, received_us: int) -> None:
        online, faults = decode_status(message.payload)
        position = device.position(Reading(0, "", ONLINE, float(online), None))
        if position is None:
            raise PayloadInvalid(Reason.UNKNOWN_SENSOR, f"{device.device_id} has no sensor for its own state")
        sensor_id = int(self.directory.sensor_ids[position])
        way = Delivery(self.session, message.mid, message.is_again, message.received_us) if message.mid else None
        self.gathered.stamped.append(Stamped(sensor_id, float(online), Quality.GOOD, 0, received_us, None, way))
        self.gathered.stamped_of.append(index)
        if faults:
            self._bury(index, message, faults)

    def _hear_clock(self, index: int, message: Message) -> None:
        heard = decode_run_clock(message.payload)
        if self.known_clock is not None and heard.seq <= self.known_clock.seq:
            self.gathered.stale_clocks.append((index, heard))
            return
        if self.known_clock is not None and heard.now_us < self.known_clock.now_us:
            raise PayloadInvalid(Reason.BAD_RUN_CLOCK, "the run clock went back")
        self.known_clock = self.new_clock = heard

    def _bury(
        self,
        index: int,
        message: Message,
        faults: list[Fault],
        *,
        is_named: bool = True,
        receipt: Receipt | None = None,
    ) -> None:
        """Make a dead letter for each reason, with the devices that topic or payload name.

        With a receipt that of a message without a time of its own, to be read at that receipt when it is tried again.
        """
        received_us = message.received_us if self.known_clock is None else self.known_clock.now_us
        said_us = 0 if receipt is None else receipt.read_us
        device_id: str | None = None
        names: tuple[str, ...] = ()
        if is_named:
            device_id, names = self.directory.names(message.topic, message.payload, message.received_us)
        details: dict[Reason, dict[str, None]] = {}  # once each, in their order; a message may have 30,000
        for fault in faults:
            details.setdefault(fault.reason, {})[fault.detail] = None
        for reason, texts in details.items():
            self.gathered.letters.append(
                DeadLetter(
                    message.topic,
                    message.payload,
                    reason.value,
                    "; ".join(texts)[:MAX_DETAIL_LENGTH],
                    device_id,
                    message.qos,
                    message.retain,
                    said_us or received_us,
                    names,
                    said_us,
                )
            )
            self.gathered.letter_of.append(index)


def failure(error: Exception) -> str:
    """Say what failed and where."""
    place = extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}: {error}"


def build_draft(
    messages: Sequence[Message],
    directory: Directory,
    run_clock: RunClock | None,
    session: str = "",
    receipts: Mapping[int, Receipt] | None = None,
    passes: Set[Kind] = frozenset(),
) -> Draft:
    """Turn messages, in order of arrival, into what the database shall hold.

    Parameters
    ----------
    messages : sequence of Message
        In an exercise a new run clock comes last.
    directory : Directory
        The site's sensors.
    run_clock : RunClock or None
        The last one that was committed; always None in live mode.
    session : str, optional
        Name of the session that the packet identifiers belong to.
    receipts : mapping, optional
        By position: what the relative times of a message refer to; else its own receipt.
    passes : set of Kind, optional
        What another lane takes.
    """
    builder = _Builder(directory, run_clock, session, receipts or {}, passes)
    for index, message in enumerate(messages):
        builder.add(index, message)
    gathered = builder.gathered
    columns = list(zip(*gathered.rows, strict=True)) or [()] * 6
    positions = np.array(columns[0], dtype=np.intp)
    observed_us = np.array(columns[1], dtype=np.int64)
    values = np.array(columns[2], dtype=np.float64)
    received_us = np.array(columns[3], dtype=np.int64)
    serials = np.array(columns[4], dtype=np.int64)
    row_of = np.array(columns[5], dtype=np.int64)
    is_lost = clock_lost(observed_us, received_us)
    is_outside = outside_range(values, directory.least[positions], directory.most[positions])
    quality, tests = flags(is_outside, is_lost)
    rows = Rows(directory.sensor_ids[positions], observed_us, values, quality, tests, received_us, serials)
    stamped, stamped_of = list(gathered.stamped), list(gathered.stamped_of)
    if is_lost.any():
        lost = np.flatnonzero(is_lost)
        of = row_of[lost].tolist()
        stamped += _stamp(rows.take(lost))
        stamped_of += of
        rows, row_of = rows.take(np.flatnonzero(~is_lost)), row_of[~is_lost]
    return Draft(
        len(messages),
        rows,
        row_of,
        tuple(stamped),
        tuple(stamped_of),
        tuple(gathered.letters),
        tuple(gathered.letter_of),
        builder.new_clock,
        tuple(gathered.stale_clocks),
        tuple(gathered.receipts),
        gathered.passed,
    )


def _stamp(lost: Rows) -> list[Stamped]:
    columns = (
        lost.sensor_ids.tolist(),
        lost.values.tolist(),
        lost.qualities.tolist(),
        lost.quality_tests.tolist(),
        lost.received_us.tolist(),
        lost.observed_us.tolist(),
    )
    serials = [NO_SERIAL] * len(lost) if lost.serials is None else lost.serials.tolist()
    return [
        replace(Stamped(*entry), serial=serial)
        for entry, serial in zip(zip(*columns, strict=True), serials, strict=True)
    ]
