"""Stands for a service: answers its health checks and notes when it starts and stops."""

import os
import signal
import socket
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import FrameType

NAME, JOURNAL, PORT, DATABASE_URL_FILE = sys.argv[1:5]  # a worker's alive file stands for a port


class Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path.startswith("/health/") else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def note(what: str) -> None:
    database = Path(DATABASE_URL_FILE)
    answers = "-"
    if database.exists():
        port = int(database.read_text().split(":")[-1].split("/")[0])
        with socket.socket() as probe:
            answers = "yes" if probe.connect_ex(("127.0.0.1", port)) == 0 else "no"
    with Path(JOURNAL).open("a") as journal:
        journal.write(f"{what} {NAME} {answers}\n")


def stop(_number: int, _frame: FrameType | None) -> None:
    note("stopped")
    os._exit(0)


signal.signal(signal.SIGTERM, stop)
note("started")
if not PORT.isdigit():
    Path(PORT).touch()
    signal.pause()
HTTPServer(("127.0.0.1", int(PORT)), Health).serve_forever()
