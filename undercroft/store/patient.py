"""A connection for those who only watch: when the database goes away they wait for it and connect again."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

from undercroft.errors import StoreUnavailable
from undercroft.store.connection import Connection, connect

Answer = TypeVar("Answer")
RETRY_S = 0.2


class PatientConnection:
    """Asks questions of a database, again after it came back; in autocommit, opened at the first question.

    Parameters
    ----------
    url
        The database.
    application_name
        As the server shows it.
    patience_s
        How long one question waits for a database that is away. [s]
    """

    def __init__(self, url: str, application_name: str, patience_s: float) -> None:
        self._url = url
        self._application_name = application_name
        self._patience_s = patience_s
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def ask(self, question: Callable[[Connection], Answer]) -> Answer:
        """Return the answer to a question that only reads, so that it may be asked again.

        Raises
        ------
        StoreUnavailable
            If the database stays away longer than the patience.
        """
        give_up_s = time.monotonic() + self._patience_s
        while True:
            try:
                if self._connection is None:
                    self._connection = connect(self._url, application_name=self._application_name, autocommit=True)
                return question(self._connection)
            except StoreUnavailable:
                self.close()
                if time.monotonic() > give_up_s:
                    raise
                time.sleep(RETRY_S)

    def close(self) -> None:
        """Close the connection; the next question opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
