"""Slow hashes of secrets, off the event loop, and a short memory of those already checked."""

import secrets
import time
from collections import OrderedDict
from datetime import datetime, timedelta

import anyio.to_thread
from anyio import CapacityLimiter
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from gateway.clients.domain import Client, Secret, fingerprint
from shared.ids import new_id

CHECKED_AT_ONCE = 2  # each takes a core and 64 MiB for a moment
REMEMBERED = 1024

_argon2 = PasswordHash((Argon2Hasher(),))


async def hash_secret(secret: str, digest: bytes) -> Secret:
    """Hash a new secret."""
    hashed = await anyio.to_thread.run_sync(_argon2.hash, secret)
    return Secret(id=new_id(), hash=hashed, fingerprint=digest)


class SecretChecker:
    """Checks secrets by argon2 and remembers good ones for a while.

    What it remembers is a keyed digest that only this process can make, together with the id of
    the stored secret it matched: a secret rotated out or expired is refused at once.
    """

    def __init__(self, remember: timedelta) -> None:
        self._remember_seconds = remember.total_seconds()
        self._pepper = secrets.token_bytes(32)
        self._good: OrderedDict[bytes, tuple[str, float]] = OrderedDict()
        self._turn = CapacityLimiter(CHECKED_AT_ONCE)
        self._decoy = _argon2.hash(secrets.token_urlsafe())

    def remembers(self, client: Client, secret: str, *, now: datetime) -> bool:
        """Tell whether this pair was checked a short while ago and is still valid."""
        known = self._good.get(self._digest(client, secret))
        if known is None or known[1] < time.monotonic():
            return False
        return any(each.id == known[0] for each in client.valid_secrets(now))

    async def check(self, client: Client | None, secret: str, *, now: datetime) -> bool:
        """Compare a secret with those stored; an unknown client takes as long as a wrong secret."""
        if client is None or not client.valid_secrets(now):
            await self._verify(secret, self._decoy)
            return False
        for each in client.valid_secrets(now):
            if await self._verify(secret, each.hash):
                self._remember(self._digest(client, secret), each)
                return True
        return False

    async def _verify(self, secret: str, hashed: str) -> bool:
        return await anyio.to_thread.run_sync(_argon2.verify, secret, hashed, limiter=self._turn)

    def _remember(self, digest: bytes, secret: Secret) -> None:
        self._good[digest] = (secret.id, time.monotonic() + self._remember_seconds)
        while len(self._good) > REMEMBERED:
            self._good.popitem(last=False)

    def _digest(self, client: Client, secret: str) -> bytes:
        return fingerprint(f"{client.client_id}\0{secret}", self._pepper)
