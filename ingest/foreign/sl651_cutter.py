"""Cut SL 651 frames from a stream in which anything may stand between them, and in which a length may be garbled. Pure.

A frame whose length was garbled on its way would swallow all that follows, up to 4 KiB. So every place that can begin a
frame is watched, inside another too, and of all of them the frame that is whole first, its check sum right, is taken;
what began before it and is not whole was none. Each byte costs the same, however many frames it may belong to: the
remainder of a part follows from those at its two ends, since the check sum is linear.
"""

from __future__ import annotations

from collections import deque

from ingest.foreign.sl651_frame import CRC_TABLE, HEAD_BYTES, MAX_FRAME_BYTES, START, frame_lengths

_FIRST = 0xFFFF


class FrameCutter:
    """Cuts whole frames from a stream; what is no frame is skipped and counted."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._begin = 0
        """Where `_rest` begins in the stream, as all places are. [bytes]"""
        self._remainders = [0]
        """Of the stream up to each byte of `_rest`, from a remainder of 0."""
        self._open: deque[tuple[int, int]] = deque()
        """Where a frame may have begun and must have ended, in order of the first."""
        self._ending: dict[int, list[int]] = {}
        """By where they may end: where they began, in order."""
        self.skipped_bytes = 0
        self.broken_frames = 0

    @property
    def waiting_bytes(self) -> int:
        """Bytes of a frame that has not arrived whole."""
        return len(self._rest)

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take bytes and return the whole frames among them, their check sums right."""
        found: list[bytes] = []
        rest, remainders, end = self._rest, self._remainders, self._begin + len(self._rest)
        remainder = remainders[-1]
        for byte in chunk:
            rest.append(byte)
            end += 1
            remainder = (remainder >> 8) ^ CRC_TABLE[(remainder ^ byte) & 0xFF]
            remainders.append(remainder)
            start = end - HEAD_BYTES
            if start >= self._begin and rest.startswith(START, start - self._begin):
                self._watch(start)
            if end in self._ending:
                self._end(end, found)
        self._skip_to(self._lead(end))
        return found

    def _lead(self, end: int) -> int:
        """Return where the first frame may begin that has not come whole; the end if there is none."""
        if self._open:
            return self._open[0][0]
        tail = max(self._begin, end - HEAD_BYTES + 1)
        place = self._rest.find(START[:1], tail - self._begin)
        while place >= 0 and not START.startswith(self._rest[place : place + 2]):
            place = self._rest.find(START[:1], place + 1)
        return end if place < 0 else self._begin + place

    def _skip_to(self, place: int) -> None:
        self.skipped_bytes += place - self._begin
        self._cut(place)

    def _cut(self, place: int) -> None:
        del self._rest[: place - self._begin], self._remainders[: place - self._begin]
        self._begin = place

    def _watch(self, start: int) -> None:
        lengths = frame_lengths(bytes(self._rest[start - self._begin : start - self._begin + HEAD_BYTES]))
        if lengths:
            self._open.append((start, start + max(lengths)))
            for length in lengths:
                self._ending.setdefault(start + length, []).append(start)

    def _end(self, end: int, found: list[bytes]) -> None:
        """Take the frame that is whole here, if there is one; give up those that had to be."""
        starts = self._ending.pop(end)
        start = next((start for start in starts if self._is_sound(start, end)), None)
        if start is not None:
            self.broken_frames += self._open[0][0] < start
            found.append(bytes(self._rest[start - self._begin : end - self._begin]))
            self._open.clear()
            self._ending.clear()
            self._skip_to(start)
            self._cut(end)
        while self._open and self._open[0][1] <= end:
            self._open.popleft()
            self.broken_frames += 1

    def _is_sound(self, start: int, end: int) -> bool:
        """Tell whether the bytes between end in their check sum."""
        checked = end - 2 - self._begin
        from_first = _advanced(_FIRST ^ self._remainders[start - self._begin], end - 2 - start)
        return from_first ^ self._remainders[checked] == int.from_bytes(self._rest[checked : checked + 2])


def _doubled(step: tuple[int, ...]) -> tuple[int, ...]:
    """Return what twice as many zero bytes make of each bit."""
    return tuple(_apply(step, bit) for bit in step)


def _apply(step: tuple[int, ...], remainder: int) -> int:
    result = 0
    for place, bit in enumerate(step):
        if remainder >> place & 1:
            result ^= bit
    return result


def _steps() -> tuple[tuple[int, ...], ...]:
    step = tuple((1 << place >> 8) ^ CRC_TABLE[1 << place & 0xFF] for place in range(16))
    steps = []
    for _ in range(MAX_FRAME_BYTES.bit_length()):
        steps.append(step)
        step = _doubled(step)
    return tuple(steps)


_STEPS = _steps()
"""What 1, 2, 4, ... zero bytes make of each bit of a remainder."""


def _advanced(remainder: int, zeros: int) -> int:
    """Return the remainder after so many zero bytes."""
    for power, step in enumerate(_STEPS):
        if zeros >> power & 1:
            remainder = _apply(step, remainder)
    return remainder
