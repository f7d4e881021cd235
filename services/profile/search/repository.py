from collections.abc import Iterator, Mapping, Sequence

import asyncpg

from services.profile.customers.repository import scope_of, seen
from services.profile.search.domain import Conditions
from shared.tokens import Token

_BEARERS = """(SELECT coalesce(c.merged_into, c.customer_id)
    FROM {table} AS x JOIN customer AS c USING (customer_id) WHERE {condition})"""
_SURVIVOR_OF_BOUND = """coalesce(
    (SELECT b.merged_into FROM customer AS b WHERE b.customer_id = $bound::text), $bound::text)"""
_BORNE = """x.kind = $tag::text AND x.ended_at IS NULL
    AND (x.until IS NULL OR x.until > $moment::timestamptz)"""
# '0' is what follows '/': the unit and all below, by the index
_IN_ORG = """(t.org_path = $place::text OR (t.org_path ~>=~ ($place::text || '/')
    AND t.org_path ~<~ ($place::text || '0')))"""


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

    asked = list(_asked(wanted))
    if bound is not None:
        asked.append((f"t.customer_id = {_SURVIVOR_OF_BOUND}", {"bound": bound}))
    if among is not None:
        asked.append(("t.customer_id = ANY ($among::text[])", {"among": among}))
    for condition, values in asked:
        for name, value in values.items():
            given.append(value)
            condition = condition.replace(f"${name}", f"${len(given)}")  # noqa: PLW2901 - numbered step by step
        conditions.append(condition)
    rows = await connection.fetch(
        f"""SELECT t.customer_id FROM customer AS t WHERE {" AND ".join(conditions)}
            ORDER BY t.customer_id LIMIT $5::int""",  # noqa: S608 - text of ours
        *given,
    )
    return [row["customer_id"] for row in rows]


def _asked(wanted: Conditions) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield conditions on a customer `t`, and the values that they name."""
    for kind, digest in wanted.digests.items():
        of_kind = f"x.kind = '{kind}' AND x.digest = $digest::bytea"
        yield f"t.customer_id IN {_bearers('identifier', of_kind)}", {"digest": digest}
    for choice in wanted.tokens:
        one_of = "x.tokens && $choice::bigint[]"
        yield f"t.customer_id IN {_bearers('search_key', one_of)}", {"choice": choice}
    if wanted.tag is not None:
        borne = {"tag": wanted.tag, "moment": wanted.now}
        yield f"t.customer_id IN {_bearers('tag', _BORNE)}", borne
    if wanted.rm_id is not None:
        yield "t.rm_id = $place::text", {"place": wanted.rm_id}
    if wanted.org_path is not None:
        yield _IN_ORG, {"place": wanted.org_path}


def _bearers(table: str, condition: str) -> str:
    return _BEARERS.format(table=table, condition=condition)
