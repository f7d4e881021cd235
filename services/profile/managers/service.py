"""The register of managers: who may be given customers, and how many they have."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from services.profile.customers.domain import Owner
from services.profile.managers import domain, repository
from services.profile.managers.domain import Entry, Manager, NoSuchManager
from services.profile.vocabulary import ownership
from shared.errors import Forbidden
from shared.etag import check_match
from shared.tokens import Token


async def get(connection: asyncpg.Connection, rm_id: str, token: Token) -> Entry:
    """Return a manager.

    Raises:
        NoSuchManager: there is none, or they are not the token's to see.
    """
    found = await repository.find(connection, rm_id)
    if found is None or not _is_seen(found.manager, token):
        raise NoSuchManager(f"No manager {rm_id}; GET /v1/managers lists those of your part")
    return found


async def put(
    connection: asyncpg.Connection, wanted: Manager, *, if_match: str, token: Token, now: datetime
) -> Entry:
    """Enter a manager, or write the next version.

    Raises:
        UnknownManagerKind: see `domain.check`.
        Forbidden: they sit, or would sit, outside the token's part of the bank.
        Stale: `if_match` names another version than the current one.
    """
    domain.check(wanted.serves, ownership().kinds)
    await repository.lock(connection, wanted.rm_id)
    current = await repository.find(connection, wanted.rm_id)
    for each in (wanted, current and current.manager):
        if each is not None and (token.rm is not None or not _is_seen(each, token)):
            raise Forbidden("Managers are entered by those who see their part of the bank")
    check_match(if_match, current and current.version)
    if current is not None and current.manager == wanted:
        return current
    entry = Entry(
        manager=wanted,
        version=current.version + 1 if current else 1,
        author=token.author,
        updated_at=now,
    )
    await repository.put(connection, entry)
    return await get(connection, wanted.rm_id, token)


async def list_active(connection: asyncpg.Connection) -> list[Entry]:
    """Return all active managers by id."""
    return await repository.list_active(connection)


async def hold(connection: asyncpg.Connection, rm_ids: Sequence[str]) -> list[Entry]:
    """Return, locked, those of these managers who are active."""
    return await repository.hold(connection, rm_ids)


def _is_seen(manager: Manager, token: Token) -> bool:
    return Owner(org_path=manager.org_path, rm_id=manager.rm_id).is_under(token.org, token.rm)
