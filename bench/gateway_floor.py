"""What the gateway adds: the same requests straight to a bare service and through the gateway.

`python -m bench.gateway_floor` takes about ten seconds. Both servers are processes of their own;
the CPU per request is what the operating system counted for the gateway's process.
"""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import aiohttp
import orjson
import psutil
import yaml

from shared.paths import ROOT
from shared.postgres import EmbeddedPostgres

CALLERS = 8
ROUNDS = 2
SECONDS = 2.0
SECRET = "floor-secret"
ANSWER = b'{"customer_id":"c-1","items":[]}'
TEMPLATE = "/v1/customers/{customer_id}/recommendations"
PATH = "/v1/customers/c-1/recommendations?channel=app&limit=3"


async def peer(scope, receive, send) -> None:  # pyright: ignore  # noqa: ANN001
    """Answer every request with the same few bytes."""
    if scope["type"] == "http":
        headers = [(b"content-type", b"application/json"), (b"content-length", b"32")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": ANSWER})
