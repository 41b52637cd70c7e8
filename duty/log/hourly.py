"""Signs the duty log every hour, in a thread of its own with its own connection: the telling waits for no log."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime

import structlog

from undercroft.errors import BadInput, StoreRejected, StoreUnavailable
from undercroft.store.connection import Connection, connect

log = structlog.get_logger(__name__)

SIGN_EVERY_S = 3600.0
AGAIN_AFTER_S = 1.0
ANSWER_WITHIN_S = 30.0
ENDS_WITHIN_S = 2.0

KeepSigned = Callable[[Connection, datetime], object]
"""Signs the duty log as it stands; the key is not in the database."""


@contextmanager
def signing_hourly(
    url: str, keep_signed: KeepSigned, now: Callable[[], datetime], on_fault: Callable[[str], None]
) -> Iterator[None]:
    """Sign at once and every hour, until the block ends.

    Parameters
    ----------
    on_fault : callable
        Is told of a fault of ours, which ends the signing.
    """
    end = threading.Event()

    def run() -> None:
        try:
            while not end.is_set():
                end.wait(SIGN_EVERY_S if _signed(url, keep_signed, now) else AGAIN_AFTER_S)
        except BaseException as error:
            on_fault(f"signing of the duty log: {type(error).__name__}: {error}")
            raise

    thread = threading.Thread(target=run, name="duty-log-signer", daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join(ENDS_WITHIN_S)


def _signed(url: str, keep_signed: KeepSigned, now: Callable[[], datetime]) -> bool:
    """Sign once; False where the database did not answer."""
    try:
        with closing(
            connect(url, application_name="undercroft-duty-signer", autocommit=True, answer_within_s=ANSWER_WITHIN_S)
        ) as connection:
            keep_signed(connection, now())
    except (BadInput, StoreRejected) as error:  # neither a broken chain nor a missing right may stop the telling
        log.exception("duty_log_not_signed", error=str(error))
    except StoreUnavailable as error:
        log.warning("database_gone", error=str(error))
        return False
    return True
