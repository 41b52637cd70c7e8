"""E-mail by SMTP: the server's code tells temporary (4xx) from permanent (5xx), its last line is the receipt."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP

from duty.senders.base import Accepted, Outcome, Outgoing, Permanent, Temporary


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail server; the address is a mailbox. Passwords go over TLS only."""

    host: str
    port: int
    sender: str
    user: str
    password: str
    security: str
    timeout_s: float

    def send(self, message: Outgoing) -> Outcome:
        """Send one mail; its Message-ID is the idempotency key."""
        try:
            return self._send(message)
        except smtplib.SMTPResponseException as error:
            return _refused(error.smtp_code, error.smtp_error)
        except (OSError, smtplib.SMTPException) as error:
            return Temporary(type(error).__name__)

    def _send(self, message: Outgoing) -> Outcome:
        with self._connected() as server:
            server.ehlo_or_helo_if_needed()
            if self.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if self.user:
                if self.security == "none":
                    return Permanent("a user without TLS: the password is not sent")
                server.login(self.user, self.password)
            for code, answer in (server.mail(self.sender), server.rcpt(message.address)):
                if code >= 300:
                    return _refused(code, answer)
            code, answer = server.data(self._written(message).as_bytes(policy=SMTP))
        return Accepted(f"{code} {answer.decode(errors='replace')}"[:200]) if code < 300 else _refused(code, answer)

    def _connected(self) -> smtplib.SMTP:
        if self.security == "tls":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout_s, context=context)
        return smtplib.SMTP(self.host, self.port, timeout=self.timeout_s)

    def _written(self, message: Outgoing) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"] = self.sender, message.address
        mail["Subject"] = message.title.replace("\n", " ")
        mail["Message-ID"] = f"<{message.key}@undercroft>"
        mail["X-Priority"] = "1" if message.severity >= 4 else "3"
        mail.set_content(message.body)
        return mail


def _refused(code: int, answer: bytes | str) -> Outcome:
    words = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    error = f"SMTP {code} {words[:200]}"
    return Permanent(error) if code >= 500 else Temporary(error)
