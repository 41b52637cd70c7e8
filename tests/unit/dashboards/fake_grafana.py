"""A stand-in for Grafana's HTTP interface, in memory; it says that it is one. No Grafana can be installed with pip."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "token-of-the-test"


class FakeGrafana(ThreadingHTTPServer):
    """Folders and dashboards by uid."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folders: dict[str, str] = {}
        self.dashboards: dict[str, dict[str, Any]] = {}
        self.refuse = False
        self.says: str | None = None
        """What something else answers to everything, in place of Grafana, with this status."""
        self.says_status = 200
        self.absent_status = 404
        """What a dashboard that is not there answers; to an Editor 9.4 says 403."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: FakeGrafana

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Stay silent."""

    def do_GET(self) -> None:
        if not self._allowed():
            return
        if self.path.startswith("/api/folders"):
            self._answer(200, [{"uid": uid, "title": title} for uid, title in self.server.folders.items()])
        elif self.path.startswith("/api/search"):
            found = self.server.dashboards.values()
            self._answer(200, [{"uid": each["uid"], "title": each["title"]} for each in found])
        elif self.path.startswith("/api/dashboards/uid/"):
            found_one = self.server.dashboards.get(self.path.rsplit("/", 1)[1])
            if found_one is None:
                self._answer(self.server.absent_status, {"message": "Dashboard not found"})
            else:
                self._answer(200, {"dashboard": found_one, "meta": {}})
        else:
            self._answer(200, {"version": "fake", "database": "ok"})

    def do_POST(self) -> None:
        if not self._allowed():
            return
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.startswith("/api/folders"):
            if body["title"] in self.server.folders.values():  # as Grafana does
                self._answer(
                    409, {"message": "a folder or dashboard in the general folder with the same name already exists"}
                )
                return
            self.server.folders[body["uid"]] = body["title"]
            self._answer(200, body)
        elif body["folderUid"] not in self.server.folders:
            self._answer(412, {"message": "folder not found"})
        else:
            document = body["dashboard"]
            version = self.server.dashboards.get(document["uid"], {}).get("version", 0) + 1
            self.server.dashboards[document["uid"]] = document | {"id": 7, "version": version, "schemaVersion": 41}
            self._answer(200, {"uid": document["uid"], "status": "success"})

    def _allowed(self) -> bool:
        if self.server.says is not None:
            kind = "text/html" if self.server.says.startswith("<") else "application/json"
            self._send(self.server.says_status, self.server.says.encode(), kind)
            return False
        if self.server.refuse or self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._answer(401, {"message": "Unauthorized"})
            return False
        return True

    def _answer(self, status: int, body: object) -> None:
        self._send(status, json.dumps(body).encode(), "application/json")

    def _send(self, status: int, text: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Server", "undercroft-fake-grafana")
        self.end_headers()
        self.wfile.write(text)


@contextmanager
def running_fake() -> Iterator[FakeGrafana]:
    """Serve until the block ends."""
    with FakeGrafana() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
