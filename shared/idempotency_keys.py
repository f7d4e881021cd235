"""Where the answers to keyed requests are kept, and for how long; see `shared.idempotency`."""

from datetime import timedelta

import asyncpg
from sqlalchemy import Column, DateTime, LargeBinary, MetaData, SmallInteger, Table, Text, func
from sqlalchemy.dialects.postgresql import JSONB

KEPT = timedelta(hours=48)


def idempotency_table(metadata: MetaData) -> Table:
    """Add the table of keys to a service's metadata (for its migrations)."""
    return Table(
        "idempotency_key",
        metadata,
        Column("client_id", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("fingerprint", LargeBinary, nullable=False),
        Column("status", SmallInteger),
        Column("headers", JSONB),
        Column("body", LargeBinary),
        Column(
            "at", DateTime(timezone=True), nullable=False, server_default=func.now(), index=True
        ),
    )


async def forget_old_keys(connection: asyncpg.Connection) -> None:
    """Drop keys older than what is kept (a worker's timer)."""
    await connection.execute("DELETE FROM idempotency_key WHERE at < now() - $1::interval", KEPT)
