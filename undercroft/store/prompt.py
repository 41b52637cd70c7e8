"""A connection that never waits longer than it was told to, whatever becomes of the server.

PostgreSQL's own limit (``statement_timeout``) is kept by a backend that runs. One that is frozen, or whose machine is
gone, ends nothing: so the limit is held here too, on this side, by a clock that never goes back.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any, ClassVar, TypeVar

import psycopg
from psycopg.rows import DictRow

Result = TypeVar("Result")


class PromptConnection(psycopg.Connection[DictRow]):
    """Gives up, and closes itself, when one exchange with the server takes longer than ``answer_within_s``."""

    answer_within_s: float = float("inf")
    clock_s: ClassVar = staticmethod(time.monotonic)

    def wait(self, gen: Generator[Any, Any, Result], *arguments: Any, **options: Any) -> Result:
        """Wait as psycopg does, but not for ever.

        Raises
        ------
        psycopg.OperationalError
            If there is no whole answer in time; the connection is of no more use then.
        """
        return super().wait(self._limited(gen), *arguments, **options)

    def _limited(self, gen: Generator[Any, Any, Result]) -> Generator[Any, Any, Result]:
        end_s = self.clock_s() + self.answer_within_s
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and self.clock_s() >= end_s:
                    self.pgconn.finish()
                    raise psycopg.OperationalError(f"no answer within {self.answer_within_s:g} s")
                wanted = gen.send(ready)
        except StopIteration as done:
            result: Result = done.value
            return result
