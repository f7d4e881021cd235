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
    State,
    Statement,
)
from services.profile.purposes.domain import Lapse, Purpose
from shared.ids import new_id

_CURRENT = """
SELECT r.customer_id, t.customer_id AS survivor, t.merged_at, t.personalization,
       t.automated_decisions, c.purpose, c.channel, c.state, c.at
FROM customer AS r
JOIN customer AS t ON t.customer_id = coalesce(r.merged_into, r.customer_id)
LEFT JOIN consent AS c ON c.customer_id = t.customer_id
WHERE r.customer_id = ANY ($1::text[]) ORDER BY r.customer_id, c.purpose, c.channel
"""


async def current_of(
    connection: asyncpg.Connection, customer_ids: Sequence[str]
) -> dict[str, Consents]:
    """Return what customers allow now, by the ids asked for; who is not there is left out."""
    consents: dict[str, list[Consent]] = defaultdict(list)
    standing: dict[str, asyncpg.Record] = {}
    for row in await connection.fetch(_CURRENT, customer_ids):
        standing[row["customer_id"]] = row
        if row["purpose"] is not None:
            consents[row["customer_id"]].append(_to_consent(row))
    return {
        asked: Consents(
            customer_id=row["survivor"],
            merged_at=row["merged_at"],
            consents=tuple(consents[asked]),
            preferences=Preferences(
                personalization=row["personalization"],
                automated_decisions=row["automated_decisions"],
            ),
        )
        for asked, row in standing.items()
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
    """Return (survivor, purpose, channel, state, at) of what survivors said before."""
    rows = await connection.fetch(
        """SELECT coalesce(r.merged_into, r.customer_id), purpose, channel, state, at
           FROM customer AS r JOIN consent_record AS c ON c.customer_id = r.customer_id
           WHERE r.customer_id = ANY ($1::text[]) OR r.merged_into = ANY ($1::text[])""",
        customer_ids,
    )
    return {tuple(row.values()) for row in rows}  # pyright: ignore[reportReturnType]


async def list_outdated(
    connection: asyncpg.Connection, lapse: Lapse, *, after: str, limit: int
) -> list[str]:
    """Return the next survivors who stand at a consent that does not count any more."""
    rows = await connection.fetch(
        """SELECT DISTINCT customer_id FROM consent AS c JOIN customer AS t USING (customer_id)
           WHERE customer_id > $1 AND t.merged_into IS NULL
             AND (c.purpose, c.state) = ($2, 'granted') AND c.at <= $3
           ORDER BY customer_id LIMIT $4""",
        *(after, lapse.purpose, lapse.before, limit),
    )
    return [row["customer_id"] for row in rows]


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


async def replace(
    connection: asyncpg.Connection, customer_id: str, consents: Sequence[Consent]
) -> None:
    """Have a customer stand at just this."""
    await connection.execute("DELETE FROM consent WHERE customer_id = $1", customer_id)
    await put(connection, [(customer_id, each) for each in consents])


async def list_statements(
    connection: asyncpg.Connection, customer_id: str, *, since: str
) -> list[tuple[str, Statement]]:
    """Return what was said of a record, and under which id, since an id was made."""
    rows = await list_records(connection, [customer_id], after=since, limit=None)
    return [(row["record_id"], _to_statement(row)) for row in rows]


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
    connection: asyncpg.Connection, records: Sequence[str], *, after: str, limit: int | None
) -> list[Mapping[str, Any]]:
    """Return the statements of a customer's records in the order recorded, from beyond `after`."""
    rows = await connection.fetch(
        """SELECT * FROM consent_record WHERE customer_id = ANY ($1::text[]) AND record_id > $2
           ORDER BY record_id LIMIT $3""",
        records,
        after,
        limit,
    )
    return [dict(row) for row in rows]


def _to_statement(row: Mapping[str, Any]) -> Statement:
    return Statement(
        purpose=Purpose(row["purpose"]),
        channel=Channel(row["channel"]),
        state=State(row["state"]),
        text_version=row["text_version"],
        at=row["at"],
        evidence=row["evidence"],
    )


def _to_consent(row: asyncpg.Record) -> Consent:
    return Consent(
        purpose=Purpose(row["purpose"]),
        channel=Channel(row["channel"]),
        state=State(row["state"]),
        at=row["at"],
    )
