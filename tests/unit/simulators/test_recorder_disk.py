"""A recording on a disk that takes no more."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from simulators.recording.lines import Recorded
from simulators.recording.recorder import RecordingFile
from undercroft.clock import FakeClock
from undercroft.errors import StackFailed

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="no device that is always full")
@pytest.mark.parametrize("payload_bytes", [1, 100_000])
def test_a_full_disk_is_one_line_that_names_the_file(payload_bytes: int) -> None:
    """Whether a line is refused at once or with the sync; and once more when the file is closed."""
    recording = RecordingFile(FULL, FULL.open("wb"), FakeClock(NOON))

    def write() -> None:
        recording.add(Recorded(NOON, "a/b", 1, False, b"x" * payload_bytes))
        recording.sync()

    with pytest.raises(StackFailed, match=r"^/dev/full: cannot be written: No space left on device") as told:
        write()
    assert "\n" not in str(told.value)
    with pytest.raises(StackFailed, match=r"^/dev/full: cannot be written"):
        recording.close()
    assert recording.file.closed
