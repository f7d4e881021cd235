from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A reference as it is kept; `key` is what it is found by."""

    system: str
    key: str
    sealed: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is known of the parties of one question, each row with the place of its party."""

    identifiers: Sequence[tuple[int, str, bytes]]
    names: Sequence[tuple[int, str, bytes]]
    references: Sequence[tuple[int, str, str]]


async def find_bearers(
    connection: asyncpg.Connection, wanted: Wanted
) -> list[tuple[int, str, str]]:
    """Return (place, what is borne, customer); a name is asked of those found otherwise only."""
    rows = await connection.fetch(
        """WITH found AS MATERIALIZED (
               SELECT place, kind AS name, customer_id
               FROM unnest($1::int[], $2::text[], $3::bytea[]) AS g (place, kind, digest)
               JOIN identifier USING (kind, digest)
               UNION ALL
               SELECT place, system, customer_id
               FROM unnest($4::int[], $5::text[], $6::text[]) AS g (place, system, reference)
               JOIN source_reference USING (system, reference))
           SELECT place, name, customer_id FROM found
           UNION
           SELECT place, kind, customer_id
           FROM unnest($7::int[], $8::text[], $9::bytea[]) AS g (place, kind, digest)
           JOIN found USING (place) JOIN identifier USING (customer_id, kind, digest)""",
        *_columns(wanted.identifiers),
        *_columns(wanted.references),
        *_columns(wanted.names),
    )
    return [(row["place"], row["name"], row["customer_id"]) for row in rows]


async def list_of(connection: asyncpg.Connection, customer_id: str) -> list[Stored]:
    """Return a customer's references by system."""
    rows = await connection.fetch(
        """SELECT system, reference AS key, sealed FROM source_reference
           WHERE customer_id = $1 ORDER BY system, reference""",
        customer_id,
    )
    return [Stored(**row) for row in rows]


async def replace(
    connection: asyncpg.Connection, customer_id: str, wanted: Sequence[Stored]
) -> set[tuple[str, str]]:
    """State a customer's references anew; return those it bears now as (system, key).

    What another customer bears is not taken.
    """
    systems, keys = [each.system for each in wanted], [each.key for each in wanted]
    await connection.execute(
        """DELETE FROM source_reference WHERE customer_id = $1
           AND (system, reference) NOT IN (SELECT * FROM unnest($2::text[], $3::text[]))""",
        customer_id,
        systems,
        keys,
    )
    await connection.execute(
        """INSERT INTO source_reference (customer_id, system, reference, sealed)
           SELECT $1, * FROM unnest($2::text[], $3::text[], $4::bytea[]) ON CONFLICT DO NOTHING""",
        customer_id,
        systems,
        keys,
        [each.sealed for each in wanted],
    )
    return {(each.system, each.key) for each in await list_of(connection, customer_id)}


def _columns(rows: Sequence[tuple[int, str, object]]) -> list[list[object]]:
    return [[row[place] for row in rows] for place in range(3)]
