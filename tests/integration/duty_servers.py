"""Real servers on loopback that answer as notification services do on a bad day."""

from __future__ import annotations

import json
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Plan = Callable[[int], tuple[int, Any]]
"""Number of the request, from 1 -> status and JSON body, or its bytes; status 0 hangs until the server stops."""


@dataclass(slots=True)
class Service:
    """An HTTP service that remembers what it was sent."""

    url: str = ""
    received: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    released: threading.Event = field(default_factory=threading.Event)

    def wait_for(self, count: int, timeout_s: float = 20.0) -> None:
        """Wait until so many requests came."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.received) >= count, timeout_s), len(self.received)


@contextmanager
def service(plan: Plan) -> Iterator[Service]:
    """Run a service that answers by plan."""
    it = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            with it.changed:
                it.raw.append(raw)
                it.received.append(json.loads(raw))
                it.keys.append(self.headers["Idempotency-Key"])
                it.headers.append(dict(self.headers))
                it.paths.append(self.path)
                number = len(it.received)
                it.changed.notify_all()
            status, answer = plan(number)
            if status == 0:
                it.released.wait()
                return
            body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(status)
            if status == 429:
                self.send_header("Retry-After", "0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the library
            return

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            return  # a client that gave up waiting

    server = Server(("127.0.0.1", 0), Handler)
    it.url = f"http://127.0.0.1:{server.server_address[1]}/send?key=k"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield it
    finally:
        it.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def trickling(head: bytes, answer: bytes) -> Iterator[int]:
    """Run a server that says its first line byte by byte, one each twentieth of a second, then answers each line.

    Nothing between two bytes takes long; the whole takes seconds, and ends well. Yields its port.
    """
    pause = threading.Event()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            for position in range(len(head)):
                self.wfile.write(head[position : position + 1])
                if pause.wait(0.05):
                    return
            for _ in self.rfile:
                self.wfile.write(answer)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            return  # a client that gave up waiting

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        pause.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(slots=True)
class MailServer:
    """An SMTP server that remembers the mails."""

    port: int = 0
    mails: list[str] = field(default_factory=list)


@contextmanager
def mail_server(
    refuse: dict[str, str] | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[MailServer]:  # fmt: skip
    """Run an SMTP server; ``refuse`` gives the answer to a command, such as ``{"RCPT": "550 no such user"}``.

    An empty one hangs up. With ``tls`` it takes mail after STARTTLS only, and wants to be greeted again after it, as
    RFC 3207 (4.2) has it.
    """
    it, answers = MailServer(), refuse or {}

    class Handler(socketserver.StreamRequestHandler):
        def say(self, text: str) -> None:
            self.wfile.write(text.encode() + b"\r\n")

        def handle(self) -> None:
            self.say("220 test")
            self.converse(greeted=tls is None)

        def converse(self, *, greeted: bool) -> None:
            for line in self.rfile:
                verb = line.split()[0].decode().upper() if line.split() else ""
                if verb == "EHLO" and tls is not None:
                    greeted = isinstance(self.connection, ssl.SSLSocket)
                    self.say("250 ok" if greeted else "250-test\r\n250 STARTTLS")
                elif verb == "STARTTLS" and tls is not None:
                    self.say("220 go on")
                    with tls.wrap_socket(self.connection, server_side=True) as self.connection:
                        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
                        self.converse(greeted=False)
                    return
                elif verb == "MAIL" and not greeted:
                    self.say("503 5.5.2 Send hello first")
                elif verb in answers:
                    if not answers[verb]:
                        return
                    self.say(answers[verb])
                elif verb == "DATA":
                    self.say("354 go on")
                    lines = []
                    for text in self.rfile:
                        if text == b".\r\n":
                            break
                        lines.append(text)
                    it.mails.append(b"".join(lines).decode())
                    self.say(f"250 queued as {len(it.mails)}")
                elif verb == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 ok")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    it.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield it
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
