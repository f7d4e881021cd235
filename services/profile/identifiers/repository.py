from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg


@dataclass(frozen=True, slots=True)
class Sealed:
    """An identifier as it is stored."""

    kind: str
    body: bytes
    digest: bytes


async def put(connection: asyncpg.Connection, given: Sequence[tuple[str, Sealed]]) -> set[str]:
    """Store identifiers; return the customers for whom something changed."""
    rows = await connection.fetch(
        """INSERT INTO identifier AS i (customer_id, kind, sealed, digest)
           SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bytea[])
           ON CONFLICT (customer_id, kind) DO UPDATE
           SET sealed = excluded.sealed, digest = excluded.digest
           WHERE i.digest <> excluded.digest
           RETURNING customer_id""",
        [customer_id for customer_id, _ in given],
        [sealed.kind for _, sealed in given],
        [sealed.body for _, sealed in given],
        [sealed.digest for _, sealed in given],
    )
    return {row["customer_id"] for row in rows}


async def remove(connection: asyncpg.Connection, customer_id: str, kinds: Sequence[str]) -> None:
    await connection.execute(
        "DELETE FROM identifier WHERE customer_id = $1 AND kind = ANY ($2::text[])",
        customer_id,
        kinds,
    )


async def list_of(
    connection: asyncpg.Connection, customer_ids: Sequence[str]
) -> list[tuple[str, Sealed]]:
    """Return the identifiers of customers, each with its customer."""
    rows = await connection.fetch(
        """SELECT customer_id, kind, sealed, digest FROM identifier
           WHERE customer_id = ANY ($1::text[]) ORDER BY customer_id, kind""",
        customer_ids,
    )
    return [(row["customer_id"], Sealed(row["kind"], row["sealed"], row["digest"])) for row in rows]


async def find(
    connection: asyncpg.Connection, digests: Mapping[str, bytes], *, limit: int
) -> list[str]:
    """Return the customers who bear all of these digests."""
    rows = await connection.fetch(
        """SELECT customer_id FROM identifier
           WHERE (kind, digest) IN (SELECT * FROM unnest($1::text[], $2::bytea[]))
           GROUP BY customer_id HAVING count(*) = cardinality($1::text[])
           ORDER BY customer_id LIMIT $3""",
        list(digests),
        list(digests.values()),
        limit,
    )
    return [row["customer_id"] for row in rows]


async def note_unmasking(
    connection: asyncpg.Connection,
    customer_id: str,
    *,
    at: datetime,
    actor: str,
    client_id: str,
    purpose: str,
    fields: str,
) -> None:
    await connection.execute(
        """INSERT INTO unmasking (customer_id, at, actor, client_id, purpose, fields)
           VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING""",
        customer_id,
        at,
        actor,
        client_id,
        purpose,
        fields,
    )
