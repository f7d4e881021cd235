from collections.abc import Sequence
from datetime import datetime

import asyncpg

from services.profile.alerts.domain import NoSuchAlert, Wanted
from services.profile.customers.repository import scope_of, seen
from services.profile.watch.domain import Alert
from services.profile.watch.repository import COLUMNS
from shared.tokens import Token

# '0' is what follows '/': the unit and all below, by the index
_IN_ORG = """(t.org_path = {org}::text OR (t.org_path ~>=~ ({org}::text || '/')
        AND t.org_path ~<~ ({org}::text || '0')))"""


_OF_ALL = """alert AS a JOIN customer AS r ON r.customer_id = a.customer_id
    JOIN customer AS t ON t.customer_id = coalesce(r.merged_into, r.customer_id)"""
_OF_FEW = """customer AS t JOIN alert AS a ON a.customer_id = ANY (ARRAY[t.customer_id] || ARRAY(
    SELECT m.customer_id FROM customer AS m WHERE m.merged_into = t.customer_id))"""
"""Beginning with customers: those of one manager are found by the index."""


async def list_of(
    connection: asyncpg.Connection,
    records: Sequence[str],
    *,
    is_open: bool,
    before: str | None,
    limit: int,
) -> list[Alert]:
    """Return alerts of a customer's records from beyond `before`, latest first."""
    rows = await connection.fetch(
        f"""SELECT {COLUMNS} FROM alert AS a
            WHERE a.customer_id = ANY ($1::text[]) AND (NOT $2 OR a.cleared_at IS NULL)
              AND ($3::text IS NULL OR a.alert_id < $3)
            ORDER BY a.alert_id DESC LIMIT $4""",  # noqa: S608 - names of ours
        records,
        is_open,
        before,
        limit,
    )
    return [Alert(**row) for row in rows]


async def list_wanted(
    connection: asyncpg.Connection,
    wanted: Wanted,
    token: Token,
    *,
    before: tuple[datetime, str] | None,
    limit: int,
) -> list[Alert]:
    """Return alerts on customers whom the token sees from beyond `before`, latest first."""
    given: list[object] = [*scope_of(token), limit]
    conditions = [seen("t", 1)]

    def needs(condition: str, *values: object) -> None:
        places = [f"${len(given) + n}" for n in range(1, len(values) + 1)]
        given.extend(values)
        conditions.append(condition.format(*places, org=places[0] if places else ""))

    if wanted.state == "open":
        needs("a.cleared_at IS NULL")
    rm_id = wanted.rm_id or token.rm
    named = {
        "t.rm_id": rm_id,
        "a.severity": wanted.severity,
        "a.kind": wanted.kind,
        "a.run_id": wanted.run_id,
    }
    for column, value in named.items():
        if value is not None:
            needs(f"{column} = {{0}}::text", value)
    if wanted.org_path is not None:
        needs(_IN_ORG, wanted.org_path)
    if before is not None:
        needs("(a.raised_at, a.alert_id) < ({0}::timestamptz, {1}::text)", *before)
    source = _OF_FEW if rm_id is not None else _OF_ALL
    rows = await connection.fetch(
        f"""SELECT {COLUMNS} FROM {source}
            WHERE t.merged_into IS NULL AND {" AND ".join(conditions)}
            ORDER BY a.raised_at DESC, a.alert_id DESC LIMIT $4::int""",  # noqa: S608 - text of ours
        *given,
    )
    return [Alert(**row) for row in rows]


async def acknowledge(
    connection: asyncpg.Connection,
    records: Sequence[str],
    alert_id: str,
    *,
    reason: str,
    by: str,
    at: datetime,
) -> Alert:
    """Note who acknowledged an alert first, and why; return it.

    Raises:
        NoSuchAlert: these records have none of this id.
    """
    row = await connection.fetchrow(
        f"""UPDATE alert AS a SET acknowledged_at = coalesce(a.acknowledged_at, $3),
                acknowledged_by = coalesce(a.acknowledged_by, $4),
                acknowledgement = coalesce(a.acknowledgement, $5)
            WHERE a.customer_id = ANY ($1::text[]) AND a.alert_id = $2
            RETURNING {COLUMNS}""",  # noqa: S608 - names of ours
        records,
        alert_id,
        at,
        by,
        reason,
    )
    if row is None:
        raise NoSuchAlert(f"No alert {alert_id} on this customer")
    return Alert(**row)
