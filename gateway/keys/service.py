"""The ring of signing keys: its first keys, and rotation."""

import base64
import binascii
import hashlib
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.keys import domain, repository
from gateway.keys.domain import KeyState, SigningKey
from gateway.settings import Settings
from shared.settings import Environment


def encryption_key(settings: Settings) -> bytes:
    """The 32 bytes that seal signing keys.

    Outside production an absent one is derived from the database's address, so that a laptop needs
    no set-up and a restart finds its keys again; it protects nothing that the address does not.

    Raises:
        ValueError: if it is absent in production, or is not 32 bytes in base64.
    """
    text = settings.key_encryption_key.get_secret_value()
    if not text and settings.environment is not Environment.PRODUCTION:
        return hashlib.sha256(settings.database_url.get_secret_value().encode()).digest()
    try:
        key = base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4))
    except binascii.Error:
        key = b""
    if len(key) != 32:
        raise ValueError(
            "BIHUAN_GATEWAY_KEY_ENCRYPTION_KEY must be 32 bytes in base64 (openssl rand -base64 32)"
        )
    return key


async def ensure(session: AsyncSession, sealing: bytes, *, now: datetime) -> None:
    """Make the first two keys of an empty ring."""
    if not await repository.list_keys(session, sealing):
        for state in (KeyState.CURRENT, KeyState.NEXT):
            repository.add(session, domain.generate(state, now), sealing)


async def rotate(session: AsyncSession, settings: Settings, *, now: datetime) -> list[SigningKey]:
    """Rotate, and forget keys whose tokens have all expired; return the new ring.

    Raises:
        NextKeyTooYoung: if services may not know the next key yet.
    """
    sealing = encryption_key(settings)
    ring = await repository.list_keys(session, sealing)
    rotation = domain.rotate(ring, now=now, notice=settings.key_notice)
    await repository.change_state(session, rotation.retire, KeyState.RETIRED, retired_at=now)
    await repository.change_state(session, rotation.promote, KeyState.CURRENT)
    repository.add(session, rotation.announce, sealing)
    await repository.delete_retired(session, before=now - settings.key_grace)
    await session.flush()
    return await repository.list_keys(session, sealing)
