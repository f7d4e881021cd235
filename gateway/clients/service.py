"""Registering clients, rotating their secrets, disabling them, and the shipped ones."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.clients import domain, repository
from gateway.clients.domain import Client, ClientExists
from gateway.clients.secrets import hash_secret
from gateway.keys.service import encryption_key
from gateway.settings import Settings
from shared.logging import log


async def register(
    session: AsyncSession, wanted: Client, settings: Settings, *, now: datetime
) -> tuple[Client, str]:
    """Add a client and return it with its secret, which is never shown again.

    Raises:
        ClientExists: if the id is taken.
    """
    if not await repository.add(session, wanted, now=now):
        raise ClientExists(wanted.client_id)
    secret = domain.new_secret()
    await _set_secret(session, wanted.client_id, secret, settings, now=now)
    log.info("client_registered", client_id=wanted.client_id)
    return wanted, secret


async def rotate_secret(
    session: AsyncSession, client_id: str, settings: Settings, *, now: datetime
) -> tuple[Client, str]:
    """Give a client a new secret; the present one stays valid for the overlap.

    Raises:
        UnknownClient: if there is none.
    """
    client = await repository.get(session, client_id)
    secret = domain.new_secret()
    await _set_secret(session, client_id, secret, settings, now=now)
    log.info("client_secret_rotated", client_id=client_id)
    return client, secret


async def set_disabled(session: AsyncSession, client_id: str, at: datetime | None) -> Client:
    """Disable a client (its tokens are refused from now on), or enable it again.

    Raises:
        UnknownClient: if there is none.
    """
    await repository.get(session, client_id)
    await repository.set_disabled(session, client_id, at)
    log.info("client_disabled" if at else "client_enabled", client_id=client_id)
    session.expire_all()
    return await repository.get(session, client_id)


async def ship(
    session: AsyncSession,
    entries: Sequence[Mapping[str, Any]],
    settings: Settings,
    *,
    now: datetime,
) -> None:
    """Bring the catalogue's clients up to date; a changed secret file is a rotation."""
    for entry in entries:
        client = _shipped(entry)
        await repository.upsert(session, client, now=now)
        secret = _secret_of(client.client_id, settings.secrets_dir)
        digest = domain.fingerprint(secret, encryption_key(settings))
        stored = await repository.get(session, client.client_id)
        if secret and not domain.is_known(digest, stored.secrets):
            await _set_secret(session, client.client_id, secret, settings, now=now)


def _shipped(entry: Mapping[str, Any]) -> Client:
    return Client(
        client_id=entry["client_id"],
        label_zh=entry["zh"],
        label_en=entry["en"],
        scopes=frozenset(entry["scopes"]),
        bind_customer=entry.get("bind_customer", False),
        act_for_staff=entry.get("act_for_staff", False),
        rate_limit=entry.get("rate_limit", Client.rate_limit),
        is_shipped=True,
    )


def _secret_of(client_id: str, folder: Path | None) -> str:
    path = folder / client_id if folder else None
    return path.read_text().strip() if path and path.is_file() else ""


async def _set_secret(
    session: AsyncSession, client_id: str, secret: str, settings: Settings, *, now: datetime
) -> None:
    hashed = await hash_secret(secret, domain.fingerprint(secret, encryption_key(settings)))
    await repository.replace_secret(
        session, client_id, hashed, now=now, old_until=now + settings.secret_overlap
    )
