"""How long to wait before a restart."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from undercroft.stack.process import restart_delay_s

FAILURES = st.integers(1, 10_000)
JITTERS = st.floats(0.0, 1.0)


def test_doubles_up_to_the_cap() -> None:
    # 0.2 s doubled: 0.2 0.4 0.8 1.6 3.2 6.4 12.8 25.6, then 30 instead of 51.2.
    delays = [restart_delay_s(failures, 0.0) for failures in range(1, 11)]
    assert delays == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]


@given(FAILURES, JITTERS)
def test_jitter_takes_at_most_half(failures: int, jitter: float) -> None:
    longest = restart_delay_s(failures, 0.0)
    assert longest / 2 <= restart_delay_s(failures, jitter) <= longest <= 30.0


@given(FAILURES)
def test_never_shrinks_with_failures(failures: int) -> None:
    assert restart_delay_s(failures, 0.0) <= restart_delay_s(failures + 1, 0.0)
