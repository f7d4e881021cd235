from collections.abc import Sequence

import asyncpg

from services.profile.customers.repository import scope_of, seen
from services.profile.search.domain import Conditions
from shared.tokens import Token

_BEARERS = """(SELECT coalesce(c.merged_into, c.customer_id)
    FROM {table} AS x JOIN customer AS c USING (customer_id) WHERE {condition})"""
_SURVIVOR_OF_BOUND = """coalesce(
    (SELECT b.merged_into FROM customer AS b WHERE b.customer_id = ${n}::text), ${n}::text)"""


async def find(
    connection: asyncpg.Connection,
    wanted: Conditions,
    token: Token,
    *,
    among: Sequence[str] | None,
    after: str,
    limit: int,
) -> list[str]:
    """Return the customers for whom all conditions hold and whom the token sees, by id.

    A condition holds for a customer if it holds for any of its records.

    Args:
        connection: any.
        wanted: the conditions.
        token: of the caller.
        among: none but these; None: everybody.
        after: beyond this id.
        limit: how many at most.
    """
    org, rm, bound = scope_of(token)
    given: list[object] = [org, rm, None, after, limit]
    conditions = [seen("t", 1), "t.merged_into IS NULL", "t.customer_id > $4::text"]

    def needs(condition: str, value: object) -> None:
        given.append(value)
        conditions.append(condition.replace("$n", f"${len(given)}"))

    if bound is not None:
        needs(f"t.customer_id = {_SURVIVOR_OF_BOUND.replace('${n}', '$n')}", bound)
    if among is not None:
        needs("t.customer_id = ANY ($n::text[])", among)
    for kind, digest in wanted.digests.items():
        of_kind = f"x.kind = '{kind}' AND x.digest = $n::bytea"
        needs(f"t.customer_id IN {_bearers('identifier', of_kind)}", digest)
    for choice in wanted.tokens:
        one_of = "x.tokens && $n::bigint[]"
        needs(f"t.customer_id IN {_bearers('search_key', one_of)}", choice)
    if wanted.tag is not None:
        given.append(wanted.now)
        until = f"(x.until IS NULL OR x.until > ${len(given)}::timestamptz)"
        borne = f"x.kind = $n::text AND x.ended_at IS NULL AND {until}"
        needs(f"t.customer_id IN {_bearers('tag', borne)}", wanted.tag)
    if wanted.rm_id is not None:
        needs("t.rm_id = $n::text", wanted.rm_id)
    if wanted.org_path is not None:  # '0' is what follows '/': all below, by the index
        needs(
            "(t.org_path = $n::text OR t.org_path ~>=~ ($n::text || '/')"
            " AND t.org_path ~<~ ($n::text || '0'))",
            wanted.org_path,
        )
    rows = await connection.fetch(
        f"""SELECT t.customer_id FROM customer AS t WHERE {" AND ".join(conditions)}
            ORDER BY t.customer_id LIMIT $5::int""",  # noqa: S608 - text of ours
        *given,
    )
    return [row["customer_id"] for row in rows]


def _bearers(table: str, condition: str) -> str:
    return _BEARERS.format(table=table, condition=condition)
