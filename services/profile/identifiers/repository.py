from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from services.profile.identifiers.domain import Unmasking
from shared.tokens import Token

Place = tuple[str, str]
"""A customer and a kind: how far a walk over all identifiers came."""


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


async def list_under_other_keys(
    connection: asyncpg.Connection, mark: bytes, *, after: Place, limit: int
) -> list[tuple[str, Sealed]]:
    """Lock identifiers that do not begin with a mark, beyond a place; those in use are left out."""
    rows = await connection.fetch(
        """SELECT customer_id, kind, sealed, digest FROM identifier
           WHERE (customer_id, kind) > ($1, $2)
             AND substring(sealed FOR octet_length($3::bytea)) <> $3
           ORDER BY customer_id, kind LIMIT $4 FOR UPDATE SKIP LOCKED""",
        *after,
        mark,
        limit,
    )
    return [(row["customer_id"], Sealed(row["kind"], row["sealed"], row["digest"])) for row in rows]


async def count_under_other_keys(connection: asyncpg.Connection, table: str, mark: bytes) -> int:
    """Return how many sealed values of a table do not begin with a mark."""
    count: int | None = await connection.fetchval(
        f"""SELECT count(*) FROM {table}
            WHERE substring(sealed FOR octet_length($1::bytea)) <> $1""",  # noqa: S608 - our tables
        mark,
    )
    return count or 0


async def replace(connection: asyncpg.Connection, given: Sequence[tuple[str, Sealed]]) -> None:
    """Store identifiers anew that the caller has locked."""
    await connection.execute(
        """UPDATE identifier AS i SET sealed = g.sealed, digest = g.digest
           FROM unnest($1::text[], $2::text[], $3::bytea[], $4::bytea[])
               AS g (customer_id, kind, sealed, digest)
           WHERE (i.customer_id, i.kind) = (g.customer_id, g.kind)""",
        [customer_id for customer_id, _ in given],
        [sealed.kind for _, sealed in given],
        [sealed.body for _, sealed in given],
        [sealed.digest for _, sealed in given],
    )


async def remove(connection: asyncpg.Connection, customer_id: str, kinds: Sequence[str]) -> bool:
    """Forget identifiers of these kinds; tell whether there was one."""
    status = await connection.execute(
        "DELETE FROM identifier WHERE customer_id = $1 AND kind = ANY ($2::text[])",
        customer_id,
        kinds,
    )
    return status != "DELETE 0"


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


async def list_of_kinds(
    connection: asyncpg.Connection, customer_ids: Sequence[str], kinds: Sequence[str]
) -> list[tuple[str, Sealed]]:
    """Return the identifiers of these kinds of customers, each with its customer."""
    rows = await connection.fetch(
        """SELECT customer_id, kind, sealed, digest FROM identifier
           WHERE customer_id = ANY ($1::text[]) AND kind = ANY ($2::text[])
           ORDER BY customer_id, kind""",
        customer_ids,
        kinds,
    )
    return [(row["customer_id"], Sealed(row["kind"], row["sealed"], row["digest"])) for row in rows]


async def put_search_keys(
    connection: asyncpg.Connection, tokens: Mapping[str, Collection[int]], scheme: int
) -> None:
    """State the tokens by which customers are found."""
    await connection.execute(
        """INSERT INTO search_key (customer_id, tokens, scheme)
           SELECT customer_id, string_to_array(tokens, ',')::bigint[], $3
           FROM unnest($1::text[], $2::text[]) AS g (customer_id, tokens) ORDER BY customer_id
           ON CONFLICT (customer_id) DO UPDATE
           SET tokens = excluded.tokens, scheme = excluded.scheme""",
        list(tokens),
        [",".join(map(str, sorted(each))) for each in tokens.values()],
        scheme,
    )


async def list_unsearchable(
    connection: asyncpg.Connection, scheme: int, kinds: Sequence[str], *, after: str, limit: int
) -> list[str]:
    """Return customers beyond an id who bear identifiers of these kinds without such tokens."""
    rows = await connection.fetch(
        """SELECT DISTINCT i.customer_id FROM identifier AS i
           LEFT JOIN search_key AS k ON k.customer_id = i.customer_id AND k.scheme = $1
           WHERE i.customer_id > $2 AND i.kind = ANY ($3::text[]) AND k.customer_id IS NULL
           ORDER BY i.customer_id LIMIT $4""",
        scheme,
        after,
        kinds,
        limit,
    )
    return [row["customer_id"] for row in rows]


async def note_unmaskings(connection: asyncpg.Connection, unmaskings: Sequence[Unmasking]) -> None:
    """Record that identifiers were read in plain text."""
    await connection.copy_records_to_table(
        "unmasking",
        records=[
            (
                *(each.customer_id, each.unmasking_id, each.at, each.actor, each.client_id),
                *(each.purpose, ",".join(each.fields)),
            )
            for each in unmaskings
        ],
        columns=["customer_id", "unmasking_id", "at", "actor", "client_id", "purpose", "fields"],
    )


async def list_unmaskings(
    connection: asyncpg.Connection,
    *,
    token: Token,
    customer_id: str | None,
    actor: str | None,
    after: tuple[datetime, str] | None,
    limit: int,
) -> list[Unmasking]:
    """Return who read identifiers of customers the token sees, latest first."""
    rows = await connection.fetch(
        """SELECT unmasking_id, u.customer_id, at, actor, client_id, purpose, fields
           FROM unmasking AS u LEFT JOIN customer AS c ON c.customer_id = u.customer_id
           WHERE ($1::text IS NULL OR u.customer_id = $1) AND ($2::text IS NULL OR actor = $2)
             AND ($3::timestamptz IS NULL OR (at, unmasking_id) < ($3, $4))
             AND ($5::text IS NULL OR u.customer_id = $5)
             AND ($6::text IS NULL OR org_path = $6 OR starts_with(org_path, $6 || '/'))
             AND ($7::text IS NULL OR rm_id = $7)
           ORDER BY at DESC, unmasking_id DESC LIMIT $8""",
        customer_id,
        actor,
        *(after or (None, None)),
        *(token.customer, token.org, token.rm),
        limit,
    )
    return [_to_unmasking(row) for row in rows]


def _to_unmasking(row: asyncpg.Record) -> Unmasking:
    columns: dict[str, Any] = dict(row)
    columns["fields"] = tuple(row["fields"].split(","))
    return Unmasking(**columns)
