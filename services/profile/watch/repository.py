from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import asyncpg

from services.profile.watch.domain import Alert, Ending, Last, Tag

COLUMNS = ", ".join(f"a.{field.name}" for field in fields(Alert))
"""Of a row `a` of the alerts, in the order of `Alert`."""
TAG_COLUMNS = ", ".join(f"a.{field.name}" for field in fields(Tag))
"""Of a row `a` of the tags, in the order of `Tag`."""
_STANDING = """
SELECT t.customer_id, t.rm_id, p.levels, (SELECT scheme FROM rule_scheme) AS scheme, ARRAY(
    SELECT DISTINCT ON (a.customer_id, a.kind) (a.customer_id, a.kind, a.alert_id, a.cleared_at)
    FROM alert AS a WHERE a.customer_id = ANY (ARRAY[t.customer_id] || ARRAY(
        SELECT m.customer_id FROM customer AS m WHERE m.merged_into = t.customer_id))
    ORDER BY a.customer_id, a.kind, a.alert_id DESC) AS alerts, ARRAY(
    SELECT (a.customer_id, a.kind, a.tag_id, a.ended_at)
    FROM tag AS a WHERE a.source = 'rule' AND a.ended_at IS NULL
      AND a.customer_id = ANY (ARRAY[t.customer_id] || ARRAY(
        SELECT m.customer_id FROM customer AS m WHERE m.merged_into = t.customer_id))) AS tags
FROM customer AS t LEFT JOIN placement AS p ON p.customer_id = t.customer_id
WHERE t.customer_id = ANY ($1::text[]) ORDER BY t.customer_id
"""
_LAST = tuple(field.name for field in fields(Last))


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What follows for a customer from more than the features; `scheme` is of the rules.

    `alerts` are the last of each kind, `tags` the open ones that rules have set.
    """

    customer_id: str
    rm_id: str | None
    levels: dict[str, Any]
    scheme: str | None
    alerts: tuple[Last, ...]
    tags: tuple[Last, ...]


async def standings_of(
    connection: asyncpg.Connection, customer_ids: Sequence[str]
) -> list[Standing]:
    """Return how customers stand, by id."""
    return [
        Standing(
            customer_id=row["customer_id"],
            rm_id=row["rm_id"],
            levels=row["levels"] or {},
            scheme=row["scheme"],
            alerts=_lasts(row["alerts"]),
            tags=_lasts(row["tags"]),
        )
        for row in await connection.fetch(_STANDING, customer_ids)
    ]


def _lasts(rows: Sequence[Sequence[Any]]) -> tuple[Last, ...]:
    return tuple(Last(**dict(zip(_LAST, row, strict=True))) for row in rows)


async def scheme(connection: asyncpg.Connection) -> str | None:
    """Return which rules hold now; None: nothing was ever changed."""
    return await connection.fetchval("SELECT scheme FROM rule_scheme")


async def add(
    connection: asyncpg.Connection, alerts: Sequence[Alert], *, run_id: str | None
) -> None:
    if not alerts:
        return
    await connection.execute(
        """INSERT INTO alert
               (customer_id, alert_id, kind, severity, raised_at, evidence, rm_id, run_id)
           SELECT *, $8 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[],
               $5::timestamptz[], $6::jsonb[], $7::text[])""",
        [each.customer_id for each in alerts],
        [each.alert_id for each in alerts],
        [each.kind for each in alerts],
        [each.severity for each in alerts],
        [each.raised_at for each in alerts],
        [each.evidence for each in alerts],
        [each.rm_id for each in alerts],
        run_id,
    )


async def set_cleared(
    connection: asyncpg.Connection,
    alerts: Iterable[tuple[str, str]],
    *,
    at: datetime | None,
    run_id: str | None,
) -> list[Alert]:
    """Clear alerts (customer, alert), or with None as time have them go on; return them."""
    named = list(alerts)
    if not named:
        return []
    rows = await connection.fetch(
        f"""UPDATE alert AS a SET cleared_at = $3, run_id = $4
            FROM unnest($1::text[], $2::text[]) AS g (customer_id, alert_id)
            WHERE a.customer_id = g.customer_id AND a.alert_id = g.alert_id
            RETURNING {COLUMNS}""",  # noqa: S608 - names of ours
        [customer_id for customer_id, _ in named],
        [alert_id for _, alert_id in named],
        at,
        run_id,
    )
    return [Alert(**row) for row in rows]


async def list_open(connection: asyncpg.Connection, records: Sequence[str]) -> list[Alert]:
    """Return the open alerts on records, by record, the oldest first."""
    rows = await connection.fetch(
        f"""SELECT {COLUMNS} FROM alert AS a
            WHERE a.customer_id = ANY ($1::text[]) AND a.cleared_at IS NULL
            ORDER BY a.customer_id, a.alert_id""",  # noqa: S608 - names of ours
        records,
    )
    return [Alert(**row) for row in rows]


async def count_of_run(connection: asyncpg.Connection, run_id: str) -> tuple[int, int]:
    """Return how many alerts a run raised, or had go on, and how many it cleared."""
    row = await connection.fetchrow(
        """SELECT count(*) FILTER (WHERE cleared_at IS NULL) AS raised,
                  count(*) FILTER (WHERE cleared_at IS NOT NULL) AS cleared
           FROM alert WHERE run_id = $1""",
        run_id,
    )
    return (row["raised"], row["cleared"]) if row else (0, 0)


async def add_tags(connection: asyncpg.Connection, tags: Sequence[Tag]) -> None:
    """Keep tags that are set."""
    if not tags:
        return
    await connection.execute(
        """INSERT INTO tag (customer_id, tag_id, kind, value, source, since, until, set_by,
               reference, run_id)
           SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[],
               $6::timestamptz[], $7::timestamptz[], $8::text[], $9::text[], $10::text[])""",
        [each.customer_id for each in tags],
        [each.tag_id for each in tags],
        [each.kind for each in tags],
        [each.value for each in tags],
        [each.source for each in tags],
        [each.since for each in tags],
        [each.until for each in tags],
        [each.set_by for each in tags],
        [each.reference for each in tags],
        [each.run_id for each in tags],
    )


async def end_tags(
    connection: asyncpg.Connection,
    tags: Iterable[tuple[str, str]],
    ending: Ending,
    *,
    at: datetime,
    by: str | None,
) -> list[Tag]:
    """End open tags (customer, tag) and return them; one whose time was over has expired then."""
    named = list(tags)
    if not named:
        return []
    rows = await connection.fetch(
        f"""UPDATE tag AS a SET ended_at = least(a.until, $3),
                ending = CASE WHEN a.until <= $3 THEN 'expired' ELSE $4 END,
                ended_by = CASE WHEN a.until <= $3 THEN NULL ELSE $5 END
            FROM unnest($1::text[], $2::text[]) AS g (customer_id, tag_id)
            WHERE a.customer_id = g.customer_id AND a.tag_id = g.tag_id AND a.ended_at IS NULL
            RETURNING {TAG_COLUMNS}""",  # noqa: S608 - names of ours
        [customer_id for customer_id, _ in named],
        [tag_id for _, tag_id in named],
        at,
        ending,
        by,
    )
    return [to_tag(row) for row in rows]


async def list_due_tags(
    connection: asyncpg.Connection, *, now: datetime, limit: int
) -> list[tuple[str, str]]:
    """Lock and return open tags (customer, tag) whose time is over, those longest over first."""
    rows = await connection.fetch(
        """SELECT customer_id, tag_id FROM tag WHERE ended_at IS NULL AND until <= $1
           ORDER BY until LIMIT $2 FOR UPDATE SKIP LOCKED""",
        now,
        limit,
    )
    return [(row["customer_id"], row["tag_id"]) for row in rows]


async def list_open_tags(connection: asyncpg.Connection, records: Sequence[str]) -> list[Tag]:
    """Return the tags on records that nobody ended, by record, the oldest first."""
    rows = await connection.fetch(
        f"""SELECT {TAG_COLUMNS} FROM tag AS a
            WHERE a.customer_id = ANY ($1::text[]) AND a.ended_at IS NULL
            ORDER BY a.customer_id, a.tag_id""",  # noqa: S608 - names of ours
        records,
    )
    return [to_tag(row) for row in rows]


def to_tag(row: asyncpg.Record) -> Tag:
    """Return a tag of its row."""
    values: dict[str, Any] = {**row, "ending": row["ending"] and Ending(row["ending"])}
    return Tag(**values)
