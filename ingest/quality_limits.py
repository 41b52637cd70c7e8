"""Limits of the quality tests; `ingest.quality_checks` says what each test is."""

from __future__ import annotations

MINUTE_US = 60_000_000
RATE_M_MIN = 0.5
SPIKE_M = 0.10
SPIKE_BACK_M = 0.05
SPIKE_SPAN_US = 60 * MINUTE_US
WET_M = 0.02
FLAT_US = 30 * MINUTE_US
FLAT_READINGS = 6
CROSS_M = 0.15
CROSS_US = 2 * MINUTE_US
INSIDE_WET_M = 0.05
"""Over the floor: inflow counts as confirmed from here (garage ramp and metro entrance, trigger table)."""
INSIDE_RISE_M = 0.03
"""Over what was read before: more than one step of a sensor that resolves 2 cm."""
INSIDE_RISE_US = 10 * MINUTE_US
FLOAT_M = 0.10
GAP_INTERVALS = 3.0
SKEW_US = MINUTE_US
BUFFERED_US = 10 * MINUTE_US
