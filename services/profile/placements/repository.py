from collections.abc import Sequence

import asyncpg

from services.profile.placements.domain import Placement


async def put(connection: asyncpg.Connection, placements: Sequence[Placement]) -> list[str]:
    """Keep placements unless newer ones are here; return whose are others than before."""
    rows = await connection.fetch(
        """INSERT INTO placement AS p (customer_id, as_of, levels, segments)
           SELECT g.customer_id, g.as_of, g.levels,
                  coalesce(string_to_array(nullif(g.segments, ''), ','), '{}')
           FROM unnest($1::text[], $2::timestamptz[], $3::jsonb[], $4::text[])
               AS g (customer_id, as_of, levels, segments)
           ORDER BY g.customer_id
           ON CONFLICT (customer_id) DO UPDATE
           SET (as_of, levels, segments) = (excluded.as_of, excluded.levels, excluded.segments)
           WHERE p.as_of <= excluded.as_of
           RETURNING customer_id""",
        [each.customer_id for each in placements],
        [each.as_of for each in placements],
        [dict(each.levels) for each in placements],
        [",".join(each.segments) for each in placements],
    )
    return [row["customer_id"] for row in rows]
