from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple, dataclass, fields
from typing import Any

import asyncpg

from services.profile.assignments.domain import (
    Assignment,
    Count,
    Group,
    Load,
    NoSuchAssignment,
    Planned,
    Share,
    State,
    Why,
)
from services.profile.features.domain import FEATURES
from services.profile.features.repository.declared import shown
from services.profile.ownership_rules.domain import Values, rule_of
from shared.tokens import Token

_STORED = [each.name for each in fields(Assignment)]
_CHANGING = [
    "state",
    "decided_by",
    "decided_at",
    "after",
    "counts",
    "no_rule",
    "applied",
    "skipped",
]
_COLUMNS = ", ".join(_STORED)
_PUT = f"""
INSERT INTO assignment ({_COLUMNS}) VALUES ({", ".join(f"${n}" for n in range(1, 14))})
ON CONFLICT (assignment_id) DO UPDATE
SET ({", ".join(_CHANGING)}) = ({", ".join(f"excluded.{name}" for name in _CHANGING)})
"""  # noqa: S608 - names of ours
_SEEN = """($1::text IS NULL OR org = $1 OR starts_with(org, $1 || '/')) AND $2::text IS NULL"""
# Without a manager is too whose manager is not registered, or not active; whom a substitute has is
# still the absent manager's.
_IS_FREE = """c.merged_into IS NULL
  AND NOT EXISTS (SELECT FROM manager AS m WHERE m.rm_id = c.rm_id AND m.is_active)
  AND NOT EXISTS (
      SELECT FROM handed_customer AS h JOIN manager AS m ON m.rm_id = h.from_rm AND m.is_active
      WHERE h.customer_id = c.customer_id AND h.to_rm = c.rm_id)"""
# The customers of a group in order of their ids: the first so many go to its first share.
_SETTLE = """
WITH share AS (
    SELECT rule, org_path, array_agg(since ORDER BY since) AS sinces,
           array_agg(rm_id ORDER BY since) AS rm_ids, array_agg(why ORDER BY since) AS whys
    FROM unnest($2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[])
        AS g (rule, org_path, since, rm_id, why)
    GROUP BY rule, org_path
), numbered AS (
    SELECT customer_id, rule, org_path,
           row_number() OVER (PARTITION BY rule, org_path ORDER BY customer_id) AS place
    FROM planned_customer WHERE assignment_id = $1 AND rule IS NOT NULL
), settled AS (
    SELECT n.customer_id, s.rm_ids[i] AS rm_id, s.whys[i] AS why
    FROM numbered AS n JOIN share AS s USING (rule, org_path)
    CROSS JOIN LATERAL width_bucket(n.place, s.sinces) AS i
)
UPDATE planned_customer AS p SET rm_id = s.rm_id, why = s.why FROM settled AS s
WHERE p.customer_id = s.customer_id AND p.assignment_id = $1
"""
_PLANNED = [each.name for each in fields(Planned)]
_LOAD = [each.name for each in fields(Load)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Free:
    """A customer without a manager, and what rules ask of them."""

    customer_id: str
    org_path: str
    rm_id: str | None
    values: Values


async def put(connection: asyncpg.Connection, assignment: Assignment) -> None:
    """Store an assignment as it stands."""
    values = {name: getattr(assignment, name) for name in _STORED}
    values["rules"] = [asdict(each) for each in assignment.rules]
    values["counts"] = [asdict(each) for each in assignment.counts]
    await connection.execute(_PUT, *values.values())


async def find(connection: asyncpg.Connection, assignment_id: str) -> Assignment | None:
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM assignment WHERE assignment_id = $1",  # noqa: S608 - our columns
        assignment_id,
    )
    return None if row is None else _to_assignment(row)


async def get(connection: asyncpg.Connection, assignment_id: str, token: Token) -> Assignment:
    """Return an assignment that the token sees.

    Raises:
        NoSuchAssignment: there is none, or it is not the token's to see.
    """
    return await _get(connection, assignment_id, token, "")


async def hold(connection: asyncpg.Connection, assignment_id: str, token: Token) -> Assignment:
    """Return an assignment that the token sees, locked.

    Raises:
        NoSuchAssignment: there is none, or it is not the token's to see.
    """
    return await _get(connection, assignment_id, token, "FOR UPDATE")


async def _get(
    connection: asyncpg.Connection, assignment_id: str, token: Token, lock: str
) -> Assignment:
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM assignment WHERE {_SEEN} AND assignment_id = $3 {lock}",  # noqa: S608 - our columns
        *(token.org, token.rm, assignment_id),
    )
    if row is None:
        raise NoSuchAssignment(f"No assignment {assignment_id}")
    return _to_assignment(row)


async def list_of(
    connection: asyncpg.Connection, token: Token, *, after: str, limit: int
) -> list[Assignment]:
    """Return assignments that the token sees, by id."""
    rows = await connection.fetch(
        f"""SELECT {_COLUMNS} FROM assignment WHERE {_SEEN} AND assignment_id > $3
            ORDER BY assignment_id LIMIT $4""",  # noqa: S608 - our columns
        *(token.org, token.rm, after, limit),
    )
    return [_to_assignment(row) for row in rows]


async def find_due(connection: asyncpg.Connection) -> Assignment | None:
    """Return, locked, the oldest assignment that is being planned or applied."""
    row = await connection.fetchrow(
        f"""SELECT {_COLUMNS} FROM assignment WHERE state IN ('planning', 'accepted')
            ORDER BY proposed_at, assignment_id LIMIT 1 FOR UPDATE SKIP LOCKED"""  # noqa: S608 - our columns
    )
    return None if row is None else _to_assignment(row)


async def list_free(
    connection: asyncpg.Connection, assignment: Assignment, reads: Iterable[str], *, limit: int
) -> list[Free]:
    """Return the next customers without a manager, by id."""
    names = sorted(FEATURES.keys() & set(reads))
    rows = await connection.fetch(
        f"""SELECT {", ".join(["c.customer_id", "c.org_path", "c.rm_id", "p.levels"])},
                   {shown("f")} AS declared{"".join(f", f.{name}" for name in names)}
            FROM customer AS c LEFT JOIN feature AS f ON f.customer_id = c.customer_id
            LEFT JOIN placement AS p ON p.customer_id = c.customer_id
            WHERE c.customer_id > $1
              AND ($2::text IS NULL OR c.org_path = $2 OR starts_with(c.org_path, $2 || '/'))
              AND {_IS_FREE}
            ORDER BY c.customer_id LIMIT $3""",  # noqa: S608 - names of ours
        *(assignment.after, assignment.org, limit),
    )
    return [
        Free(
            customer_id=row["customer_id"],
            org_path=row["org_path"],
            rm_id=row["rm_id"],
            values={
                **(row["declared"] or {}),
                **{name: row[name] for name in names},
                **(row["levels"] or {}),
            },
        )
        for row in rows
    ]


async def list_free_among(connection: asyncpg.Connection, customer_ids: Sequence[str]) -> set[str]:
    """Return those of these customers who are without a manager."""
    rows = await connection.fetch(
        f"""SELECT c.customer_id FROM customer AS c
            WHERE c.customer_id = ANY ($1::text[]) AND {_IS_FREE}""",  # noqa: S608 - our own words
        customer_ids,
    )
    return {row["customer_id"] for row in rows}


async def add_planned(
    connection: asyncpg.Connection, assignment: Assignment, planned: Iterable[Planned]
) -> None:
    await connection.copy_records_to_table(
        "planned_customer",
        records=[(assignment.assignment_id, *astuple(each)) for each in planned],
        columns=["assignment_id", *_PLANNED],
    )


async def count_groups(
    connection: asyncpg.Connection, assignment: Assignment
) -> tuple[dict[Group, int], int]:
    """Return how many customers each group has, and for how many no rule held."""
    rows = await connection.fetch(
        """SELECT rule, org_path, count(*) AS customers FROM planned_customer
           WHERE assignment_id = $1 GROUP BY rule, org_path""",
        assignment.assignment_id,
    )
    without = sum(row["customers"] for row in rows if row["rule"] is None)
    return {
        Group(row["rule"], row["org_path"]): row["customers"]
        for row in rows
        if row["rule"] is not None
    }, without


async def settle(
    connection: asyncpg.Connection, assignment: Assignment, shares: Sequence[Share]
) -> None:
    """Write which customers go to whom; the shares of a group stand next to each other."""
    sinces: list[int] = []
    for place, each in enumerate(shares):
        follows = place > 0 and shares[place - 1].group == each.group
        sinces.append(sinces[-1] + shares[place - 1].count if follows else 1)
    await connection.execute(
        _SETTLE,
        assignment.assignment_id,
        [each.group.rule for each in shares],
        [each.group.org_path for each in shares],
        sinces,
        [each.rm_id for each in shares],
        [each.why for each in shares],
    )


async def add_loads(
    connection: asyncpg.Connection, assignment: Assignment, loads: Iterable[Load]
) -> None:
    await connection.copy_records_to_table(
        "assignment_load",
        records=[(assignment.assignment_id, *astuple(each)) for each in loads],
        columns=["assignment_id", *_LOAD],
    )


async def list_loads(
    connection: asyncpg.Connection, assignment_id: str, *, after: str, limit: int
) -> list[Load]:
    """Return what managers have before and get, by manager."""
    rows = await connection.fetch(
        f"""SELECT {", ".join(_LOAD)} FROM assignment_load
            WHERE assignment_id = $1 AND rm_id > $2 ORDER BY rm_id LIMIT $3""",  # noqa: S608 - our columns
        *(assignment_id, after, limit),
    )
    return [Load(**dict(row)) for row in rows]


async def list_planned(
    connection: asyncpg.Connection, assignment_id: str, *, after: str, limit: int
) -> list[Planned]:
    """Return what is planned for customers, by customer."""
    return await _planned(connection, "true", assignment_id, after, limit)


async def list_to_give(
    connection: asyncpg.Connection, assignment: Assignment, *, limit: int
) -> list[Planned]:
    """Return the next customers who are to get a manager."""
    return await _planned(
        connection, "rm_id IS NOT NULL", assignment.assignment_id, assignment.after, limit
    )


async def _planned(
    connection: asyncpg.Connection, condition: str, assignment_id: str, after: str, limit: int
) -> list[Planned]:
    rows = await connection.fetch(
        f"""SELECT {", ".join(_PLANNED)} FROM planned_customer
            WHERE assignment_id = $1 AND customer_id > $2 AND {condition}
            ORDER BY customer_id LIMIT $3""",  # noqa: S608 - our own words
        *(assignment_id, after, limit),
    )
    return [_to_planned(row) for row in rows]


def _to_planned(row: asyncpg.Record) -> Planned:
    values: dict[str, Any] = dict(row)
    values["why"] = row["why"] and Why(row["why"])
    return Planned(**values)


def _to_assignment(row: asyncpg.Record) -> Assignment:
    values: dict[str, Any] = dict(row)
    values["state"] = State(row["state"])
    values["rules"] = tuple(map(rule_of, row["rules"]))
    values["counts"] = tuple(Count(**each) for each in row["counts"])
    return Assignment(**values)
