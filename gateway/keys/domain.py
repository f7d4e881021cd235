"""Signing keys: one signs, one is announced, old ones stay published until their tokens expire."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc.jwk import ECKey

from shared.errors import Conflict

_NONCE_BYTES = 12


class KeyState(StrEnum):
    NEXT = "next"
    CURRENT = "current"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """An ES256 key pair and its place in the ring."""

    kid: str
    state: KeyState
    key: ECKey
    created_at: datetime
    retired_at: datetime | None = None


class NextKeyTooYoung(Conflict):
    """The next key has not been published long enough for every service to know it."""

    code = "next_key_too_young"


class KeyUnreadable(Exception):
    """A stored signing key was sealed under another key-encryption key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """What a rotation changes: the key that retires, the one that signs, and its successor."""

    retire: SigningKey
    promote: SigningKey
    announce: SigningKey


def generate(state: KeyState, now: datetime) -> SigningKey:
    """Make a new key pair on the curve P-256."""
    kid = secrets.token_urlsafe(12)
    key = ECKey.generate_key("P-256", {"kid": kid, "use": "sig", "alg": "ES256"})
    return SigningKey(kid=kid, state=state, key=key, created_at=now)


def current(ring: Sequence[SigningKey]) -> SigningKey:
    """Return the key that signs now."""
    return next(each for each in ring if each.state is KeyState.CURRENT)


def rotate(ring: Sequence[SigningKey], *, now: datetime, notice: timedelta) -> Rotation:
    """Let the announced key sign, and announce another.

    Raises:
        NextKeyTooYoung: if the announced key was published less than `notice` ago.
    """
    promoted = next(each for each in ring if each.state is KeyState.NEXT)
    if promoted.created_at + notice > now:
        left = (promoted.created_at + notice - now).total_seconds()
        raise NextKeyTooYoung(f"The next key was published too recently; rotate in {left:.0f} s")
    return Rotation(retire=current(ring), promote=promoted, announce=generate(KeyState.NEXT, now))


def published(ring: Sequence[SigningKey], *, now: datetime, grace: timedelta) -> list[SigningKey]:
    """The keys that tokens may be verified by: a retired one until its last token has expired.

    Args:
        ring: all keys.
        now: real time.
        grace: lifetime of a token, with some for clocks that differ.
    """
    return [each for each in ring if each.retired_at is None or each.retired_at + grace > now]


def public_document(keys: Sequence[SigningKey]) -> dict[str, Any]:
    """Return the JWKS document of RFC 7517: public halves only."""
    return {"keys": [each.key.as_dict(private=False) for each in keys]}


def seal(key: ECKey, kid: str, encryption_key: bytes) -> bytes:
    """Encrypt a private key by AES-GCM, bound to its kid.

    Args:
        key: the pair.
        kid: authenticated beside it, so that sealed keys cannot be exchanged.
        encryption_key: 32 bytes.
    """
    nonce = secrets.token_bytes(_NONCE_BYTES)
    pem = key.as_pem(private=True)
    return nonce + AESGCM(encryption_key).encrypt(nonce, pem, kid.encode())


def unseal(sealed: bytes, kid: str, encryption_key: bytes) -> ECKey:
    """Decrypt a private key.

    Raises:
        KeyUnreadable: if it was sealed under another key or kid.
    """
    nonce, text = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        pem = AESGCM(encryption_key).decrypt(nonce, text, kid.encode())
    except InvalidTag as error:
        raise KeyUnreadable(
            f"Signing key {kid} was sealed under another BIHUAN_GATEWAY_KEY_ENCRYPTION_KEY; set "
            "the former one, or delete the rows of signing_key to begin with new keys"
        ) from error
    return ECKey.import_key(pem, {"kid": kid, "use": "sig", "alg": "ES256"})
