"""Answers what the commands ask a gateway for."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs


class FakeGateway(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if self.path == "/oauth/token":
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self.answer({"access_token": f"token of {form.get('customer')}", "expires_in": 300})
        elif self.path == "/v1/scoring-runs":
            self.answer({"run_id": "r1"})
        elif self.path == "/v1/feeds/segment/rebuild?source=profile":
            self.answer({"readers": 2})
        else:
            self.answer({"code": "unknown_path", "detail": "No such operation"}, 404)

    def do_GET(self) -> None:
        if self.path == "/v1/scoring-runs/r1":
            self.answer({"state": "completed", "done": 10, "total": 10, "changed": 4})
        else:
            self.answer({"path": self.path, "authorization": self.headers["Authorization"]})

    def answer(self, document: object, status: int = 200) -> None:
        kind = "application/json" if status < 400 else "application/problem+json"
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(json.dumps(document).encode())

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Generator[str]:
    server = HTTPServer(("127.0.0.1", 0), FakeGateway)
    thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.01))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
