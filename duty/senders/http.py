"""One POST of JSON with a limit on its whole duration and on the answer's size.

The exchange is a coroutine of its own, run to its end here: only so one limit ends all of it, connecting, a head that
comes byte by byte, a body that never ends.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from functools import cache

import httpx

from duty.senders.answer import MOST_ANSWER_BYTES, Answer, read, wait_s
from duty.senders.base import Permanent, Temporary

UNKNOWN_CODE_TRIES = 5


def post(
    url: str, body: bytes, headers: Mapping[str, str], timeout_s: float, *, reads_400: bool = False
) -> Answer | Temporary | Permanent:  # fmt: skip
    """Post and read the answer. Errors never name the URL, for it holds the key of the channel.

    A hanging service, one that trickles, 408, 425, 429 and 5xx are temporary; every other refusal is permanent.
    With ``reads_400`` a 400 is returned as an answer: some services say there that too much was sent.
    """
    try:
        answer = _exchange(url, body, {"Content-Type": "application/json", **headers}, timeout_s, reads_400)
        return asyncio.run(answer)
    except (TimeoutError, httpx.TimeoutException):
        return Temporary(f"no whole answer within {timeout_s:g} s")
    except httpx.TransportError as error:
        return Temporary(type(error).__name__)
    except httpx.DecodingError:
        return Temporary("the answer cannot be unpacked", most=UNKNOWN_CODE_TRIES)
    except httpx.InvalidURL:
        return Permanent("the channel's URL is not a URL")


@cache
def _trusted() -> ssl.SSLContext:
    """Whom TLS trusts, read once: reading it for each message took most of a send's work."""
    return httpx.create_ssl_context(trust_env=False)


async def _exchange(
    url: str, body: bytes, headers: Mapping[str, str], timeout_s: float, reads_400: bool
) -> Answer | Temporary | Permanent:
    async with (
        asyncio.timeout(timeout_s),
        httpx.AsyncClient(timeout=timeout_s, follow_redirects=False, trust_env=False, verify=_trusted()) as client,
        client.stream("POST", url, content=body, headers=headers) as answer,
    ):
        content = b""
        async for chunk in answer.aiter_bytes():
            content += chunk
            if len(content) > MOST_ANSWER_BYTES:
                break
        return _judged(answer, content, reads_400)


def _judged(answer: httpx.Response, content: bytes, reads_400: bool) -> Answer | Temporary | Permanent:
    status = answer.status_code
    if status in {408, 425, 429} or status >= 500:
        wait = wait_s(answer.headers.get("Retry-After", ""), answer.headers.get("Date", ""))
        return Temporary(f"HTTP {status}", wait)
    if status >= 300 and not (reads_400 and status == 400):
        return Permanent(f"HTTP {status}")
    return read(status, content)


def unreadable(answer: Answer) -> Temporary:
    """Return what becomes of a message whose answer cannot be read: nobody knows, so it is tried a few times more."""
    return Temporary(f"HTTP {answer.status}, the answer cannot be read: {answer.unread}", most=UNKNOWN_CODE_TRIES)


def refused(
    code: object, words: object, temporary: Mapping[int, float], permanent: frozenset[int]
) -> Temporary | Permanent:
    """Return what an error code inside a 200 means; an unknown one is tried a few times more.

    Parameters
    ----------
    temporary : mapping of int to float
        Code -> seconds to wait.
    """
    error = f"error code {code}: {str(words)[:200]}"
    if not isinstance(code, int) or isinstance(code, bool):
        return Permanent(error)
    if code in temporary:
        return Temporary(error, temporary[code])
    return Permanent(error) if code in permanent else Temporary(error, most=UNKNOWN_CODE_TRIES)
