"""OAuth clients in and out of their tables."""

from collections import defaultdict
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.clients.domain import Client, Secret, UnknownClient
from gateway.clients.tables import AssertionRow, ClientRow, SecretRow

MAX_CLIENTS = 10_000  # a bank has programs by the dozen; all are held in memory


async def list_clients(session: AsyncSession) -> list[Client]:
    """All clients with their secrets, by client_id."""
    rows = await session.scalars(select(ClientRow).order_by(ClientRow.client_id).limit(MAX_CLIENTS))
    secrets = await _secrets(session)
    return [_to_client(row, secrets[row.client_id]) for row in rows]


async def get(session: AsyncSession, client_id: str) -> Client:
    """Return one client, its row locked until the transaction ends.

    Raises:
        UnknownClient: if there is none.
    """
    row = await session.get(ClientRow, client_id, with_for_update=True)
    if row is None:
        raise UnknownClient(client_id)
    return _to_client(row, (await _secrets(session, client_id))[client_id])


async def add(session: AsyncSession, client: Client, *, now: datetime) -> bool:
    """Add a client; False if its id is taken."""
    statement = insert(ClientRow).values(_values(client) | {"updated_at": now})
    added = await session.scalar(statement.on_conflict_do_nothing().returning(ClientRow.client_id))
    return added is not None


async def upsert(session: AsyncSession, client: Client, *, now: datetime) -> None:
    """Add a shipped client or bring it up to date; a disabled one stays disabled."""
    values = _values(client) | {"updated_at": now}
    changing = {k: v for k, v in values.items() if k not in {"client_id", "disabled_at"}}
    await session.execute(
        insert(ClientRow)
        .values(values)
        .on_conflict_do_update(index_elements=[ClientRow.client_id], set_=changing)
    )


async def set_disabled(session: AsyncSession, client_id: str, at: datetime | None) -> None:
    await session.execute(
        update(ClientRow).where(ClientRow.client_id == client_id).values(disabled_at=at)
    )


async def replace_secret(
    session: AsyncSession, client_id: str, secret: Secret, *, now: datetime, old_until: datetime
) -> None:
    """Make this the newest secret; the one before ends at `old_until`, older ones are removed."""
    mine = SecretRow.client_id == client_id
    await session.execute(delete(SecretRow).where(mine, SecretRow.expires_at.is_not(None)))
    await session.execute(update(SecretRow).where(mine).values(expires_at=old_until))
    session.add(
        SecretRow(
            id=secret.id,
            client_id=client_id,
            hash=secret.hash,
            fingerprint=secret.fingerprint,
            created_at=now,
        )
    )


async def use_assertion(
    session: AsyncSession, client_id: str, jti: str, *, now: datetime, expires_at: datetime
) -> bool:
    """Note a signed assertion; False if it was used before."""
    await session.execute(delete(AssertionRow).where(AssertionRow.expires_at < now))
    statement = insert(AssertionRow).values(client_id=client_id, jti=jti, expires_at=expires_at)
    return (
        await session.scalar(statement.on_conflict_do_nothing().returning(AssertionRow.jti))
    ) is not None


async def _secrets(
    session: AsyncSession, client_id: str | None = None
) -> defaultdict[str, list[Secret]]:
    statement = select(SecretRow).order_by(SecretRow.created_at.desc()).limit(2 * MAX_CLIENTS)
    if client_id is not None:
        statement = statement.where(SecretRow.client_id == client_id)
    found: defaultdict[str, list[Secret]] = defaultdict(list)
    for row in await session.scalars(statement):
        found[row.client_id].append(
            Secret(id=row.id, hash=row.hash, fingerprint=row.fingerprint, expires_at=row.expires_at)
        )
    return found


def _to_client(row: ClientRow, secrets: list[Secret]) -> Client:
    return Client(
        client_id=row.client_id,
        label_zh=row.label_zh,
        label_en=row.label_en,
        scopes=frozenset(row.scopes),
        bind_customer=row.bind_customer,
        act_for_staff=row.act_for_staff,
        rate_limit=row.rate_limit,
        is_shipped=row.is_shipped,
        public_key=row.public_key,
        disabled_at=row.disabled_at,
        secrets=tuple(secrets),
    )


def _values(client: Client) -> dict[str, object]:
    return {
        "client_id": client.client_id,
        "label_zh": client.label_zh,
        "label_en": client.label_en,
        "scopes": sorted(client.scopes),
        "bind_customer": client.bind_customer,
        "act_for_staff": client.act_for_staff,
        "rate_limit": client.rate_limit,
        "is_shipped": client.is_shipped,
        "public_key": client.public_key,
        "disabled_at": client.disabled_at,
    }
