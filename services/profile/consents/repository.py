from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from services.profile.consents.domain import (
    Channel,
    Consent,
    Consents,
    Preferences,
    Purpose,
    State,
    Statement,
)
from shared.ids import new_id

_CURRENT = """
SELECT t.customer_id, t.personalization, t.automated_decisions, t.org_path, t.rm_id,
       c.purpose, c.channel, c.state, c.at
FROM customer AS t LEFT JOIN consent AS c USING (customer_id)
WHERE t.customer_id = ANY ($1::text[]) ORDER BY t.customer_id, c.purpose, c.channel
"""


async def current_of(
    connection: asyncpg.Connection, customer_ids: Sequence[str]
) -> dict[str, Consents]:
    """Return what customers allow now; who is not there is left out."""
    consents: dict[str, list[Consent]] = defaultdict(list)
    preferences: dict[str, Preferences] = {}
    for row in await connection.fetch(_CURRENT, customer_ids):
        preferences[row["customer_id"]] = Preferences(
            personalization=row["personalization"],
            automated_decisions=row["automated_decisions"],
        )
        if row["purpose"] is not None:
            consents[row["customer_id"]].append(_to_consent(row))
    return {
        customer_id: Consents(consents=tuple(consents[customer_id]), preferences=chosen)
        for customer_id, chosen in preferences.items()
    }


async def add_records(
    connection: asyncpg.Connection,
    statements: Sequence[tuple[str, Statement]],
    *,
    recorded_by: str,
    now: datetime,
) -> None:
    """Keep statements of customers, with their evidence."""
    said = [statement for _, statement in statements]
    await connection.execute(
        """INSERT INTO consent_record (customer_id, record_id, purpose, channel, state,
               text_version, at, evidence, recorded_by, recorded_at)
           SELECT g.*, $9, $10 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[],
               $5::text[], $6::text[], $7::timestamptz[], $8::text[]) AS g""",
        [customer_id for customer_id, _ in statements],
        [new_id() for _ in statements],
        [each.purpose for each in said],
        [each.channel for each in said],
        [each.state for each in said],
        [each.text_version for each in said],
        [each.at for each in said],
        [each.evidence for each in said],
        recorded_by,
        now,
    )


async def recorded_of(
    connection: asyncpg.Connection, customer_ids: Sequence[str]
) -> set[tuple[str, str, str, str, datetime]]:
    """Return (customer, purpose, channel, state, at) of what customers said before."""
    rows = await connection.fetch(
        """SELECT customer_id, purpose, channel, state, at FROM consent_record
           WHERE customer_id = ANY ($1::text[])""",
        customer_ids,
    )
    return {tuple(row.values()) for row in rows}  # pyright: ignore[reportReturnType]


async def put(connection: asyncpg.Connection, consents: Sequence[tuple[str, Consent]]) -> None:
    """Write where customers stand now."""
    stands = [consent for _, consent in consents]
    await connection.execute(
        """INSERT INTO consent (customer_id, purpose, channel, state, at)
           SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
           ON CONFLICT (customer_id, purpose, channel) DO UPDATE
           SET state = excluded.state, at = excluded.at""",
        [customer_id for customer_id, _ in consents],
        [each.purpose for each in stands],
        [each.channel for each in stands],
        [each.state for each in stands],
        [each.at for each in stands],
    )


async def set_preferences(
    connection: asyncpg.Connection, customer_id: str, chosen: Mapping[str, bool]
) -> None:
    await connection.execute(
        """UPDATE customer SET personalization = coalesce($2, personalization),
               automated_decisions = coalesce($3, automated_decisions) WHERE customer_id = $1""",
        customer_id,
        chosen.get("personalization"),
        chosen.get("automated_decisions"),
    )


async def list_records(
    connection: asyncpg.Connection, customer_id: str, *, after: str, limit: int
) -> list[Mapping[str, Any]]:
    """Return a customer's statements in the order they were recorded, from beyond `after`."""
    rows = await connection.fetch(
        """SELECT * FROM consent_record WHERE customer_id = $1 AND record_id > $2
           ORDER BY record_id LIMIT $3""",
        customer_id,
        after,
        limit,
    )
    return [dict(row) for row in rows]


def _to_consent(row: asyncpg.Record) -> Consent:
    return Consent(
        purpose=Purpose(row["purpose"]),
        channel=Channel(row["channel"]),
        state=State(row["state"]),
        at=row["at"],
    )
