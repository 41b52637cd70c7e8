"""E-mail by SMTP: the server's code tells temporary (4xx) from permanent (5xx), its last line is the receipt.

A mail is delivered when the server has taken its text; what becomes of the good-bye after that changes nothing.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate

from duty.senders.base import Accepted, Outcome, Outgoing, Permanent, Temporary
from duty.senders.deadline import Deadline


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail server; the address is a mailbox. Passwords go over TLS only. ``now`` gives seconds since 1970."""

    host: str
    port: int
    sender: str
    user: str
    password: str
    security: str
    timeout_s: float
    now: Callable[[], float]
    most_bytes: int | None = None

    def send(self, message: Outgoing) -> Outcome:
        """Send one mail; its Message-ID is the idempotency key."""
        with Deadline(self.timeout_s) as deadline:
            try:
                server = self._connected(deadline)
                try:
                    return self._said(server, message)
                finally:
                    _left(server)
            except smtplib.SMTPResponseException as error:
                return _refused(error.smtp_code, error.smtp_error)
            except (OSError, smtplib.SMTPException) as error:
                late = f"no whole answer within {self.timeout_s:g} s"
                return Temporary(late if deadline.is_over else type(error).__name__)

    def _said(self, server: smtplib.SMTP, message: Outgoing) -> Outcome:
        server.ehlo_or_helo_if_needed()
        if self.security == "starttls":
            server.starttls(context=ssl.create_default_context())
            server.ehlo_or_helo_if_needed()  # what was said before TLS counts for nothing after it
        if self.user:
            if self.security == "none":
                return Permanent("a user without TLS: the password is not sent")
            server.login(self.user, self.password)
        for code, answer in (server.mail(self.sender), server.rcpt(message.address)):
            if code >= 300:
                return _refused(code, answer)
        code, answer = server.data(self._written(message).as_bytes(policy=SMTP))
        return Accepted(f"{code} {answer.decode(errors='replace')}"[:200]) if code < 300 else _refused(code, answer)

    def _connected(self, deadline: Deadline) -> smtplib.SMTP:
        if self.security == "tls":
            return _Secure(deadline, self.host, self.port, self.timeout_s)
        return _Plain(deadline, self.host, self.port, self.timeout_s)

    def _written(self, message: Outgoing) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"] = self.sender, message.address
        mail["Subject"] = message.title.replace("\n", " ")
        mail["Date"] = formatdate(self.now())
        mail["Message-ID"] = f"<{message.key}@undercroft>"
        mail["X-Priority"] = "1" if message.severity >= 4 else "3"
        mail.set_content(message.body, cte="base64")  # 8bit would need a server that announces 8BITMIME
        return mail


class _Plain(smtplib.SMTP):
    """Connects under a deadline."""

    def __init__(self, deadline: Deadline, host: str, port: int, timeout_s: float) -> None:
        self._deadline = deadline
        super().__init__(host, port, timeout=timeout_s)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return _held(self._deadline, host, port, timeout)


class _Secure(smtplib.SMTP_SSL):
    """Connects under a deadline, and speaks TLS from the first byte."""

    def __init__(self, deadline: Deadline, host: str, port: int, timeout_s: float) -> None:
        self._deadline, self._tls = deadline, ssl.create_default_context()
        super().__init__(host, port, timeout=timeout_s, context=self._tls)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._tls.wrap_socket(_held(self._deadline, host, port, timeout), server_hostname=host)


def _held(deadline: Deadline, host: str, port: int, timeout_s: float) -> socket.socket:
    connection = socket.create_connection((host, port), timeout_s)
    deadline.hold(connection)
    return connection


def _left(server: smtplib.SMTP) -> None:
    """Say good-bye and go, whether or not it is answered."""
    with suppress(OSError, smtplib.SMTPException):
        server.quit()
    server.close()


def _refused(code: int, answer: bytes | str) -> Outcome:
    words = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    error = f"SMTP {code} {words[:200]}"
    return Permanent(error) if code >= 500 else Temporary(error)
