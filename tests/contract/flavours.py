"""Which databases a contract is tried on in every run, and which in the slow half as well."""

from __future__ import annotations

import pytest

slow_on_timescale = pytest.mark.parametrize("flavour", ["plain", pytest.param("timescale", marks=pytest.mark.slow)])
"""On TimescaleDB in the slow half alone: tests beside it try the same tables there in every run."""
