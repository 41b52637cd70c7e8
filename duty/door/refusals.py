"""Why an act is refused: a class for each thing that whoever acts can do about it.

::

    BadInput
    └── Refused
        ├── NotAuthorised
        │   ├── TokenUnknown     the token is nobody's                  401
        │   └── RoleTooLow       somebody's, who may not do this        403
        └── ActRefused
            ├── SubjectUnknown   there is no such thing                 404
            ├── NotPossibleNow   as things stand it cannot be done      409
            │   └── TakenAlready     somebody was faster                409
            ├── KeyReused        the key was used for another act       422
            └── ActInvalid       what was said cannot be used           422
"""

from __future__ import annotations

from undercroft.errors import BadInput


class Refused(BadInput):
    """The act was not done."""


class NotAuthorised(Refused):
    """Whoever asks may not act."""


class TokenUnknown(NotAuthorised):
    """The token belongs to nobody who may act."""


class RoleTooLow(NotAuthorised):
    """The act needs a higher role."""


class ActRefused(Refused):
    """The act is not possible."""


class SubjectUnknown(ActRefused):
    """There is no such subject."""


class NotPossibleNow(ActRefused):
    """As things stand the act cannot be done."""


class TakenAlready(NotPossibleNow):
    """Somebody was faster: has said "mine" of the alarm before."""

    def __init__(self, text: str, by: str) -> None:
        super().__init__(text)
        self.by = by


class KeyReused(ActRefused):
    """The idempotency key was used for another act."""


class ActInvalid(ActRefused):
    """What was said cannot be used."""
