from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from services.profile.customers.repository import scope_of, seen
from services.profile.events.domain import Reason
from services.profile.quarantine.domain import (
    NoSuchQuarantined,
    Quarantined,
    QuarantineState,
    Wanted,
    event_of,
)
from shared.tokens import Token

_COLUMNS = "quarantine_id, event, reason, detail, received_at, state, decided_at, decided_by, note"
# Events of nobody the bank knows are shown to those who see everybody.
_VISIBLE = f"""
($1::text IS NULL AND $2::text IS NULL AND $3::text IS NULL OR EXISTS (
    SELECT FROM customer AS r
    JOIN customer AS t ON t.customer_id = coalesce(r.merged_into, r.customer_id)
    WHERE r.customer_id = q.customer_id AND {seen("t", 1)}))
"""


async def list_of(
    connection: asyncpg.Connection,
    wanted: Wanted,
    token: Token,
    *,
    after: str,
    limit: int,
    lock: bool = False,
) -> list[Quarantined]:
    """Return what the token sees of the quarantine, the oldest first, from beyond `after`.

    Args:
        connection: any; inside a transaction if they are to be locked.
        wanted: which.
        token: of the caller.
        after: id of the last one of the page before.
        limit: how many at most.
        lock: hold them until the transaction ends, passing over those that others hold.
    """
    rows = await connection.fetch(
        f"""SELECT {_COLUMNS} FROM quarantine AS q
            WHERE {_VISIBLE} AND quarantine_id > $4 AND ($5::text IS NULL OR state = $5)
              AND ($6::text IS NULL OR reason = $6) AND ($7::text IS NULL OR customer_id = $7)
            ORDER BY quarantine_id LIMIT $8
            {"FOR UPDATE SKIP LOCKED" if lock else ""}""",  # noqa: S608 - names of ours
        *scope_of(token),
        after,
        *(wanted.state, wanted.reason, wanted.customer_id),
        limit,
    )
    return [_to_quarantined(row) for row in rows]


async def get(
    connection: asyncpg.Connection, quarantine_id: str, token: Token, *, lock: bool = False
) -> Quarantined:
    """Return one event of the quarantine that the token sees.

    Raises:
        NoSuchQuarantined: there is none, or it is not the token's to see.
    """
    row = await connection.fetchrow(
        f"""SELECT {_COLUMNS} FROM quarantine AS q WHERE {_VISIBLE} AND quarantine_id = $4
            {"FOR UPDATE" if lock else ""}""",  # noqa: S608 - names of ours
        *scope_of(token),
        quarantine_id,
    )
    if row is None:
        raise NoSuchQuarantined(f"Nothing in quarantine has the id {quarantine_id}")
    return _to_quarantined(row)


async def decide(
    connection: asyncpg.Connection,
    quarantine_ids: Sequence[str],
    state: QuarantineState,
    *,
    at: datetime,
    by: str,
    note: str | None,
) -> None:
    """Note what was decided on events, by whom and why."""
    await connection.execute(
        """UPDATE quarantine SET state = $2, decided_at = $3, decided_by = $4, note = $5
           WHERE quarantine_id = ANY ($1::text[])""",
        quarantine_ids,
        state,
        at,
        by,
        note,
    )


async def set_reasons(
    connection: asyncpg.Connection, reasons: Mapping[str, tuple[Reason, str | None]]
) -> None:
    """Note why events are not believed now, by id, and which of their data do not fit."""
    await connection.execute(
        """UPDATE quarantine AS q SET (reason, detail) = (g.reason, g.detail)
           FROM unnest($1::text[], $2::text[], $3::text[]) AS g (quarantine_id, reason, detail)
           WHERE q.quarantine_id = g.quarantine_id""",
        list(reasons),
        [reason for reason, _ in reasons.values()],
        [detail for _, detail in reasons.values()],
    )


def _to_quarantined(row: asyncpg.Record) -> Quarantined:
    columns: dict[str, Any] = dict(row)
    columns["event"] = event_of(row["event"])
    columns["reason"], columns["state"] = Reason(row["reason"]), QuarantineState(row["state"])
    return Quarantined(**columns)
