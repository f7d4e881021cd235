"""A bank's own program as the documents tell it to be: same id, same key, until there is a word."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from random import Random
from typing import Any

import httpx

from tests.faults.ledger import Fate, Ledger

TIMEOUT_SECONDS = 5.0
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 0.5
RENEW_SECONDS = 200.0
TRY_AGAIN = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
SURPRISES = {HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.UNAUTHORIZED}
TRY_AGAIN_CODES = {"idempotency_in_flight", "consent_unknown"}


@dataclass(frozen=True)
class Answer:
    """The last word on a request; `tries` is how often it was sent."""

    fate: Fate
    status: int = 0
    body: Mapping[str, Any] = field(default_factory=dict[str, Any])
    tries: int = 1

    @property
    def is_acknowledged(self) -> bool:
        return self.fate is Fate.ACKNOWLEDGED

    @property
    def code(self) -> str:
        return self.body.get("code", "")


class Crm:
    """One OAuth client with patience."""

    def __init__(self, url: str, client_id: str, secret: Path, ledger: Ledger, dice: Random):
        self._http = httpx.AsyncClient(base_url=url, timeout=TIMEOUT_SECONDS)
        self._credentials = (client_id, secret.read_text().strip())
        self._ledger = ledger
        self._dice = dice
        self._token, self._renew_at = "", 0.0
        self.deadline = float("inf")

    async def aclose(self) -> None:
        await self._http.aclose()

    async def call(
        self, method: str, path: str, body: Any = None, *, tries: int | None = None, **headers: str
    ) -> Answer:
        """Send a request until it is answered for good.

        Args:
            method: HTTP method.
            path: below the gateway.
            body: sent as JSON.
            tries: give up after so many without a word; None: not before the deadline.
            headers: with `_` for `-`.
        """
        pause, sent = SHORTEST_PAUSE_SECONDS, 0
        while True:
            sent += 1
            response = await self._send(method, path, body, headers)
            if response is not None and not self._is_open(method, path, response):
                fate = Fate.ACKNOWLEDGED if response.is_success else Fate.REFUSED
                return Answer(fate, response.status_code, _body(response), sent)
            if sent == tries or time.monotonic() > self.deadline:
                return Answer(Fate.UNKNOWN, tries=sent)
            await asyncio.sleep(self._dice.uniform(0.5, 1) * pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _is_open(self, method: str, path: str, response: httpx.Response) -> bool:
        """Tell whether to ask again; what no client should ever be told is noted."""
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            self._renew_at = 0.0
        if response.status_code in SURPRISES:
            self._ledger.surprises.append(
                f"{method} {path}: {response.status_code} {response.text[:300]}"
            )
            return True
        code = "" if response.is_success else _body(response).get("code")
        return response.status_code in TRY_AGAIN or code in TRY_AGAIN_CODES

    async def _send(
        self, method: str, path: str, body: Any, headers: Mapping[str, str]
    ) -> httpx.Response | None:
        """Send once; None: no answer, and nobody knows what became of it."""
        with suppress(httpx.TransportError):
            if time.monotonic() > self._renew_at and not await self._has_renewed():
                return None
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            sent["Authorization"] = f"Bearer {self._token}"
            return await self._http.request(method, path, json=body, headers=sent)
        return None

    async def _has_renewed(self) -> bool:
        form = {"grant_type": "client_credentials"}
        answer = await self._http.post("/oauth/token", data=form, auth=self._credentials)
        if self._is_open("POST", "/oauth/token", answer):
            return False
        self._token = answer.json()["access_token"]
        self._renew_at = time.monotonic() + RENEW_SECONDS
        return True


def _body(response: httpx.Response) -> dict[str, Any]:
    is_json = "json" in response.headers.get("content-type", "")
    return response.json() if is_json and response.content else {}
