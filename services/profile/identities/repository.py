from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

Place = tuple[str, str, str]
"""A customer, a system and a stored reference: how far a walk over all references came."""


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
    """Return (place, what is borne, survivor); a name is asked of those found otherwise only."""
    rows = await connection.fetch(
        """WITH found AS MATERIALIZED (
               SELECT place, kind AS name, customer_id
               FROM unnest($1::int[], $2::text[], $3::bytea[]) AS g (place, kind, digest)
               JOIN identifier USING (kind, digest)
               UNION ALL
               SELECT place, system, customer_id
               FROM unnest($4::int[], $5::text[], $6::text[]) AS g (place, system, reference)
               JOIN source_reference USING (system, reference))
           SELECT DISTINCT place, name, coalesce(merged_into, customer_id) AS customer_id
           FROM (
               SELECT place, name, customer_id FROM found
               UNION ALL
               SELECT place, kind, customer_id
               FROM unnest($7::int[], $8::text[], $9::bytea[]) AS g (place, kind, digest)
               JOIN found USING (place) JOIN identifier USING (customer_id, kind, digest)
           ) AS borne JOIN customer USING (customer_id)""",
        *_columns(wanted.identifiers),
        *_columns(wanted.references),
        *_columns(wanted.names),
    )
    return [(row["place"], row["name"], row["customer_id"]) for row in rows]


async def list_of(
    connection: asyncpg.Connection, records: Sequence[str]
) -> list[tuple[str, Stored]]:
    """Return the references of a customer's records by system, each with its record."""
    rows = await connection.fetch(
        """SELECT customer_id, system, reference AS key, sealed FROM source_reference
           WHERE customer_id = ANY ($1::text[]) ORDER BY system, reference""",
        records,
    )
    return [
        (row["customer_id"], Stored(system=row["system"], key=row["key"], sealed=row["sealed"]))
        for row in rows
    ]


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
    return {(each.system, each.key) for _, each in await list_of(connection, [customer_id])}


async def bearers_of(
    connection: asyncpg.Connection, keys: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """Return the survivor who bears each reference, (system, stored form), that anybody bears."""
    rows = await connection.fetch(
        """SELECT system, reference, coalesce(merged_into, customer_id) AS survivor
           FROM unnest($1::text[], $2::text[]) AS g (system, reference)
           JOIN source_reference USING (system, reference) JOIN customer USING (customer_id)""",
        [system for system, _ in keys],
        [key for _, key in keys],
    )
    return {(row["system"], row["reference"]): row["survivor"] for row in rows}


async def add_many(connection: asyncpg.Connection, given: Sequence[tuple[str, Stored]]) -> int:
    """Add references of customers; return how many nobody bore."""
    done = await connection.execute(
        """INSERT INTO source_reference (customer_id, system, reference, sealed)
           SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[])
               AS g (customer_id, system, reference, sealed)
           ORDER BY customer_id, system, reference ON CONFLICT DO NOTHING""",
        [customer_id for customer_id, _ in given],
        [each.system for _, each in given],
        [each.key for _, each in given],
        [each.sealed for _, each in given],
    )
    return int(done.rsplit(" ", 1)[1])


async def list_under_other_keys(
    connection: asyncpg.Connection, mark: bytes, *, after: Place, limit: int
) -> list[tuple[str, Stored]]:
    """Lock sealed references that do not begin with a mark, beyond a place."""
    rows = await connection.fetch(
        """SELECT customer_id, system, reference, sealed FROM source_reference
           WHERE (customer_id, system, reference) > ($1, $2, $3)
             AND substring(sealed FOR octet_length($4::bytea)) <> $4
           ORDER BY customer_id, system, reference LIMIT $5 FOR UPDATE SKIP LOCKED""",
        *after,
        mark,
        limit,
    )
    return [
        (
            row["customer_id"],
            Stored(system=row["system"], key=row["reference"], sealed=row["sealed"]),
        )
        for row in rows
    ]


async def replace_sealed(
    connection: asyncpg.Connection, given: Sequence[tuple[str, Stored, Stored]]
) -> None:
    """Store references anew, (customer, before, after), that the caller has locked."""
    await connection.execute(
        """UPDATE source_reference AS r SET reference = g.key, sealed = g.sealed
           FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[])
               AS g (customer_id, system, old_key, key, sealed)
           WHERE (r.customer_id, r.system, r.reference) = (g.customer_id, g.system, g.old_key)""",
        [customer_id for customer_id, _, _ in given],
        [before.system for _, before, _ in given],
        [before.key for _, before, _ in given],
        [after.key for _, _, after in given],
        [after.sealed for _, _, after in given],
    )


def _columns(rows: Sequence[tuple[int, str, object]]) -> list[list[object]]:
    return [[row[place] for row in rows] for place in range(3)]
