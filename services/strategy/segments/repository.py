"""Queries of segments' rules."""

from collections.abc import Sequence

import asyncpg

_PUT = """
INSERT INTO segment_rule (key, rule, version)
SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[]) AS n (key, rule, version) ORDER BY key
ON CONFLICT (key) DO UPDATE SET rule = excluded.rule, version = excluded.version
"""


async def put(connection: asyncpg.Connection, rules: Sequence[tuple[str, str | None, int]]) -> None:
    """Take over rules: (segment, rule or None where it is out of use, version)."""
    await connection.execute(_PUT, *map(list, zip(*rules, strict=True)))


async def head(connection: asyncpg.Connection) -> int:
    """Return a number that every change of a rule makes greater."""
    changes = "SELECT coalesce(sum(version + 1), 0)::bigint FROM segment_rule"
    return await connection.fetchval(changes) or 0


async def list_rules(connection: asyncpg.Connection) -> dict[str, str | None]:
    """Return the rule of every segment; None: it is out of use."""
    rows = await connection.fetch("SELECT key, rule FROM segment_rule ORDER BY key")
    return {row["key"]: row["rule"] for row in rows}
