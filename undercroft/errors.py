"""Errors a caller can act upon. The docstring of a class is its message when none is given.

::

    UndercroftError
    ├── BadInput            a file, option or payload the user can mend      -> exit code 2
    │   ├── SiteInvalid         site.toml
    │   └── ScenarioInvalid     scenario or recording
    ├── PayloadInvalid      one message cannot be read                       -> dead letter
    ├── StoreUnavailable    temporary: keep the batch and try again
    ├── StoreRejected       permanent: this row can never be stored
    └── StackFailed         an embedded server or a process did not start
"""

from __future__ import annotations


class UndercroftError(Exception):
    """Undercroft could not do what was asked."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").split("\n", maxsplit=1)[0])


class BadInput(UndercroftError):
    """The input cannot be used as it is."""


class SiteInvalid(BadInput):
    """The site file cannot be used as it is."""


class ScenarioInvalid(BadInput):
    """The scenario or recording cannot be used as it is."""


class StoreUnavailable(UndercroftError):
    """The database cannot be reached or cannot take writes now; the same request may succeed later."""


class StoreRejected(UndercroftError):
    """The database refused this value, and will refuse it again."""

    def __init__(self, message: str | None = None, sqlstate: str | None = None) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


class StackFailed(UndercroftError):
    """An embedded server or a supervised process did not start."""


class PayloadInvalid(UndercroftError):
    """A message cannot be read; ``reason`` is the dead letter's code."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
