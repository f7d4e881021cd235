"""Signing keys in and out of the table."""

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.keys.domain import KeyState, SigningKey, seal, unseal
from gateway.keys.tables import SigningKeyRow


async def list_keys(session: AsyncSession, encryption_key: bytes) -> list[SigningKey]:
    """All keys, oldest first; a ring holds a handful."""
    rows = await session.scalars(
        select(SigningKeyRow).order_by(SigningKeyRow.created_at).limit(100)
    )
    return [
        SigningKey(
            kid=row.kid,
            state=KeyState(row.state),
            key=unseal(row.sealed, row.kid, encryption_key),
            created_at=row.created_at,
            retired_at=row.retired_at,
        )
        for row in rows
    ]


def add(session: AsyncSession, key: SigningKey, encryption_key: bytes) -> None:
    session.add(
        SigningKeyRow(
            kid=key.kid,
            state=key.state,
            sealed=seal(key.key, key.kid, encryption_key),
            created_at=key.created_at,
        )
    )


async def change_state(
    session: AsyncSession, key: SigningKey, state: KeyState, *, retired_at: datetime | None = None
) -> None:
    await session.execute(
        update(SigningKeyRow)
        .where(SigningKeyRow.kid == key.kid)
        .values(state=state, retired_at=retired_at)
    )


async def delete_retired(session: AsyncSession, *, before: datetime) -> None:
    """Forget keys whose last token has expired."""
    await session.execute(delete(SigningKeyRow).where(SigningKeyRow.retired_at < before))
