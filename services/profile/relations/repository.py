from collections.abc import Iterable, Mapping, Sequence
from datetime import date

import asyncpg

from services.profile.customers.repository import scope_of, seen
from services.profile.relations.domain.relations import Graph, Key, Node, NoSuchRelation, Relation
from services.profile.vocabulary import RelationKind
from shared.tokens import Token

_COLUMNS = (
    "relation_id, kind, from_party AS from_id, to_party AS to_id, role, since, until, share, "
    "source, confidence, recorded_at"
)
_ACYCLIC_LOCK = 0x_B1_40_02  # any number that all servers and workers of profile agree on
_TYPES = {
    "customer_id": "text",
    "relation_id": "text",
    "kind": "text",
    "to_id": "text",
    "role": "text",
    "since": "date",
    "until": "date",
    "share": "float8",
    "source": "text",
    "confidence": "float8",
    "recorded_at": "timestamptz",
}
_STATED = ("role", "since", "until", "share", "source", "confidence")


async def hold_chains(connection: asyncpg.Connection) -> None:
    """Let nobody else lengthen a chain before the transaction ends: two links could close it."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", _ACYCLIC_LOCK)


async def bearing_on(
    connection: asyncpg.Connection,
    keys: Iterable[Key],
    parties: Iterable[str],
    kinds: Mapping[str, RelationKind],
) -> list[Relation]:
    """Return what an `Admission` must know of before relations between these parties are taken."""
    keys, party_ids = list(keys), list(parties)
    rows = await connection.fetch(
        f"""WITH RECURSIVE above AS (
                SELECT * FROM relation WHERE to_party = ANY ($3::text[]) AND kind = ANY ($6::text[])
                UNION
                SELECT r.* FROM above AS a
                JOIN relation AS r ON r.to_party = a.from_party AND r.kind = a.kind)
            SELECT {_COLUMNS} FROM relation WHERE (from_party, relation_id) IN (
                SELECT * FROM unnest($1::text[], $2::text[]))
            UNION SELECT {_COLUMNS} FROM relation
            WHERE from_party = ANY ($3::text[]) AND kind = ANY ($4::text[])
            UNION SELECT {_COLUMNS} FROM relation
            WHERE to_party = ANY ($3::text[]) AND kind = ANY ($5::text[])
            UNION SELECT {_COLUMNS} FROM above""",  # noqa: S608 - names of ours
        [from_id for from_id, _ in keys],
        [relation_id for _, relation_id in keys],
        party_ids,
        [kind.key for kind in kinds.values() if kind.one == "from"],
        [kind.key for kind in kinds.values() if kind.one == "to"],
        [kind.key for kind in kinds.values() if kind.acyclic],
    )
    return [Relation(**dict(row)) for row in rows]


async def put_many(connection: asyncpg.Connection, given: Sequence[Relation]) -> set[Key]:
    """Write relations, only those that differ from what is there; return the keys of those.

    One that was told of a record that has been merged since stays where it was told of.
    """
    arrays = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(_TYPES.values(), 1))
    names = ["from_id" if name == "customer_id" else name for name in _TYPES]
    others = ", ".join(f"g.{name}" for name in _TYPES if name not in {"customer_id", "to_id"})
    rows = await connection.fetch(
        f"""INSERT INTO relation AS r (customer_id, to_id, from_party, to_party,
                {others.replace("g.", "")})
            SELECT coalesce(known.customer_id, g.customer_id), coalesce(known.to_id, g.to_id),
                   g.customer_id, g.to_id, {others}
            FROM unnest({arrays}) AS g ({", ".join(_TYPES)})
            LEFT JOIN LATERAL (
                SELECT k.customer_id, k.to_id FROM relation AS k
                WHERE k.from_party = g.customer_id AND k.relation_id = g.relation_id
                ORDER BY k.customer_id <> g.customer_id, k.customer_id LIMIT 1) AS known ON true
            ORDER BY 1, g.relation_id
            ON CONFLICT (customer_id, relation_id) DO UPDATE
            SET recorded_at = excluded.recorded_at,
                {", ".join(f"{name} = excluded.{name}" for name in _STATED)}
            WHERE ({", ".join(f"r.{name}" for name in _STATED)})
               IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in _STATED)})
            RETURNING from_party, relation_id""",  # noqa: S608 - names of ours
        *[[getattr(relation, name) for relation in given] for name in names],
    )
    return {(row["from_party"], row["relation_id"]) for row in rows}


async def follow(connection: asyncpg.Connection, records: Sequence[str]) -> None:
    """Have relations lead to the customers whom these records are part of now."""
    for end, party in (("customer_id", "from_party"), ("to_id", "to_party")):
        await connection.execute(
            f"""UPDATE relation AS r SET {party} = coalesce(c.merged_into, c.customer_id)
                FROM customer AS c WHERE c.customer_id = r.{end}
                  AND r.{end} = ANY ($1::text[])""",  # noqa: S608 - names of ours
            records,
        )


async def get(connection: asyncpg.Connection, from_id: str, relation_id: str) -> Relation:
    """Return a relation of the party that it begins with.

    Raises:
        NoSuchRelation: the party has none of this id.
    """
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM relation"  # noqa: S608 - names of ours
        " WHERE from_party = $1 AND relation_id = $2 ORDER BY customer_id <> $1, customer_id",
        from_id,
        relation_id,
    )
    if row is None:
        raise NoSuchRelation(f"No relation {relation_id} begins with {from_id}")
    return Relation(**dict(row))


async def remove(connection: asyncpg.Connection, relation: Relation) -> None:
    """Delete a relation.

    Raises:
        NoSuchRelation: it is not there any more.
    """
    status = await connection.execute(
        "DELETE FROM relation WHERE from_party = $1 AND relation_id = $2 AND to_party = $3",
        relation.from_id,
        relation.relation_id,
        relation.to_id,
    )
    if status == "DELETE 0":
        raise NoSuchRelation(f"No relation {relation.relation_id} begins with {relation.from_id}")


async def related_to(connection: asyncpg.Connection, records: Sequence[str]) -> list[str]:
    """Return the customers, others than these, whom relations of these records lead to."""
    rows = await connection.fetch(
        """SELECT to_party AS other FROM relation WHERE customer_id = ANY ($1::text[])
           UNION SELECT from_party FROM relation WHERE to_party = ANY ($1::text[])
           EXCEPT SELECT unnest($1::text[]) ORDER BY 1""",
        records,
    )
    return [row["other"] for row in rows]


async def forget(connection: asyncpg.Connection, records: Sequence[str]) -> int:
    """Delete the relations that begin or end with these records; return how many."""
    status = await connection.execute(
        """DELETE FROM relation
           WHERE customer_id = ANY ($1::text[]) OR to_party = ANY ($1::text[])""",
        records,
    )
    return int(status.split()[-1])


async def list_of(
    connection: asyncpg.Connection,
    customer_id: str,
    token: Token,
    *,
    after: tuple[str, str],
    limit: int,
) -> list[Relation]:
    """Return a party's relations, begun on either side, by id, from beyond `after`.

    Args:
        connection: any.
        customer_id: whose.
        token: those that lead to a party it does not see are left out.
        after: id of the last relation of the page before, and the party that it begins with.
        limit: how many at most.
    """
    rows = await connection.fetch(
        f"""SELECT r.* FROM ({_ENDS}) AS r JOIN customer AS o ON o.customer_id = r.other_id
            WHERE {seen("o", 2)} AND (relation_id, from_id) > ($5, $6)
            ORDER BY relation_id, from_id LIMIT $7""",  # noqa: S608 - names of ours
        customer_id,
        *scope_of(token),
        *after,
        limit,
    )
    return [Relation(**{k: v for k, v in row.items() if k != "other_id"}) for row in rows]


async def count_hidden(connection: asyncpg.Connection, customer_id: str, token: Token) -> int:
    """Return how many relations of a party lead to one that the token does not see."""
    if token.org is None and token.rm is None and token.customer is None:
        return 0
    found = await connection.fetchval(
        f"""SELECT count(*) FROM ({_ENDS}) AS r
            LEFT JOIN customer AS o ON o.customer_id = r.other_id AND {seen("o", 2)}
            WHERE o.customer_id IS NULL""",  # noqa: S608 - names of ours
        customer_id,
        *scope_of(token),
    )
    return int(found or 0)


_ENDS = f"""
SELECT {_COLUMNS}, to_party AS other_id FROM relation WHERE from_party = $1 AND to_party <> $1
UNION ALL SELECT {_COLUMNS}, from_party FROM relation WHERE to_party = $1 AND from_party <> $1
"""  # noqa: S608 - names of ours

_CURRENT = """kind = ANY ($4::text[]) AND coalesce(since, '-infinity') <= $5::date
    AND coalesce(until, 'infinity') > $5::date"""

# Each turn of the recursion is one step of the breadth-first walk: `frontier` are the parties that
# were found last, `visited` all of them; what was visited is never found again. A party's first
# $3 relations on either side are looked at.
_WALK = f"""
WITH RECURSIVE walk AS (
    SELECT 0 AS depth, ARRAY[$1::text] AS frontier, ARRAY[$1::text] AS visited,
           '{{}}'::text[] AS hidden, false AS is_cut
    UNION ALL
    SELECT walk.depth + 1, found.kept, walk.visited || found.kept, walk.hidden || found.hidden,
           walk.is_cut OR found.is_cut
    FROM walk CROSS JOIN LATERAL (
        SELECT seen[:$3 - cardinality(walk.visited)] AS kept, hidden,
               is_long OR cardinality(seen) > $3 - cardinality(walk.visited) AS is_cut
        FROM (
            SELECT coalesce(array_agg(DISTINCT o.customer_id) FILTER (WHERE is_seen), '{{}}')
                       AS seen,
                   coalesce(array_agg(DISTINCT o.customer_id) FILTER (WHERE NOT is_seen), '{{}}')
                       AS hidden,
                   coalesce(bool_or(near.place > $3), false) AS is_long
            FROM unnest(walk.frontier) AS f (customer_id)
            CROSS JOIN LATERAL (
                (SELECT to_party AS other_id, row_number() OVER () AS place FROM relation
                 WHERE from_party = f.customer_id AND {_CURRENT}
                 ORDER BY relation_id LIMIT $3 + 1)
                UNION ALL
                (SELECT from_party, row_number() OVER () FROM relation
                 WHERE to_party = f.customer_id AND {_CURRENT}
                 ORDER BY from_party, relation_id LIMIT $3 + 1)
            ) AS near
            JOIN customer AS o ON o.customer_id = near.other_id
            CROSS JOIN LATERAL (SELECT {seen("o", 6)} AS is_seen) AS s
            WHERE o.customer_id <> ALL (walk.visited)
        ) AS around
    ) AS found
    WHERE walk.depth < $2 AND cardinality(walk.frontier) > 0
)
SELECT n.customer_id, n.party_type, w.depth, last.hidden, last.is_cut
FROM walk AS w CROSS JOIN LATERAL unnest(w.frontier) AS f (customer_id)
JOIN customer AS n ON n.customer_id = f.customer_id
CROSS JOIN (
    SELECT (SELECT count(DISTINCT h) FROM unnest(hidden) AS h) AS hidden, is_cut
    FROM walk ORDER BY depth DESC LIMIT 1
) AS last
ORDER BY w.depth, n.customer_id
"""  # noqa: S608 - names of ours


async def walk(
    connection: asyncpg.Connection,
    customer_id: str,
    token: Token,
    *,
    kinds: Sequence[str],
    depth: int,
    limit: int,
    day: date,
) -> Graph:
    """Return the parties around a customer, nearest first, and what they are to each other.

    Cycles do no harm: nobody is visited twice. Nobody is reached through a party that the token
    does not see.

    Args:
        connection: inside a transaction.
        customer_id: where to begin.
        token: of the caller.
        kinds: of the relations to follow.
        depth: how many relations away at most.
        limit: how many parties at most, the customer included.
        day: on which the relations hold.
    """
    rows = await connection.fetch(_WALK, customer_id, depth, limit, kinds, day, *scope_of(token))
    nodes = [Node(**{name: row[name] for name in _NODE}) for row in rows]
    relations = await connection.fetch(
        f"""SELECT {_COLUMNS} FROM relation
            WHERE from_party = ANY ($1::text[]) AND to_party = ANY ($1::text[])
              AND from_party <> to_party AND kind = ANY ($2::text[])
              AND coalesce(since, '-infinity') <= $3::date
              AND coalesce(until, 'infinity') > $3::date
            ORDER BY from_party, relation_id LIMIT $4""",  # noqa: S608 - names of ours
        [node.customer_id for node in nodes],
        kinds,
        day,
        limit * RELATIONS_A_NODE,
    )
    is_cut = any(row["is_cut"] for row in rows) or len(relations) == limit * RELATIONS_A_NODE
    return Graph(
        nodes=nodes,
        relations=[Relation(**dict(row)) for row in relations],
        hidden=max((row["hidden"] for row in rows), default=0),
        is_cut=is_cut,
    )


RELATIONS_A_NODE = 20
_NODE = ("customer_id", "party_type", "depth")
