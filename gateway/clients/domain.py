"""OAuth clients: programs that may ask for access tokens."""

import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.errors import Conflict, NotFound

SECRET_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """An argon2 hash of a client's secret; `fingerprint` recognises the same secret again."""

    id: str
    hash: str
    fingerprint: bytes
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A program, what it may do at most, and how it proves itself.

    `bind_customer`: may ask for tokens bound to one customer; `act_for_staff`: may name the person
    behind a request; `rate_limit`: such as "200/second"; `public_key`: a JWK for private_key_jwt.
    """

    client_id: str
    label_zh: str
    label_en: str
    scopes: frozenset[str]
    bind_customer: bool = False
    act_for_staff: bool = False
    rate_limit: str = "100/second"
    is_shipped: bool = False
    public_key: dict[str, Any] | None = None
    disabled_at: datetime | None = None
    secrets: tuple[Secret, ...] = ()

    def valid_secrets(self, now: datetime) -> list[Secret]:
        """The secrets accepted now: the newest, and a rotated one during its overlap."""
        return [each for each in self.secrets if each.expires_at is None or each.expires_at > now]


class UnknownClient(NotFound):
    code = "unknown_client"

    def __init__(self, client_id: str) -> None:
        super().__init__(f"No client {client_id}")


class ClientExists(Conflict):
    code = "client_exists"

    def __init__(self, client_id: str) -> None:
        super().__init__(f"There is a client {client_id} already")


def new_secret() -> str:
    """Return a secret of 256 random bits, safe in headers, forms and files."""
    return secrets.token_urlsafe(SECRET_BYTES)


def fingerprint(secret: str, key: bytes) -> bytes:
    """Return a keyed digest by which a stored secret is recognised without hashing it slowly."""
    return hmac.digest(key, secret.encode(), "sha256")


def is_known(digest: bytes, known: Collection[Secret]) -> bool:
    """Tell whether a secret with this fingerprint is among those stored."""
    return any(hmac.compare_digest(digest, each.fingerprint) for each in known)
