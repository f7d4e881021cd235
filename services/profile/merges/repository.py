from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import asyncpg

from services.profile.consents.domain import Channel, Consent, State
from services.profile.customers.domain import FACTS
from services.profile.merges.domain import STRICT, Merge, Switch, Will
from services.profile.purposes.domain import Purpose

_MERGE = ", ".join(field.name for field in fields(Merge))
_SWITCHES = ", ".join(STRICT)
_OWNER = ("org_path", "rm_id")
_FILLED = tuple(name for name in FACTS if name not in {"party_type", *_OWNER})
_FILL = f"""
WITH gap AS (
    SELECT jsonb_object_agg(key, value) AS filled
    FROM customer AS m, jsonb_each(to_jsonb(m)) AS fact
    WHERE m.customer_id = $2 AND value <> 'null' AND key = ANY ($3::text[])
      AND EXISTS (SELECT FROM customer AS t, jsonb_each(to_jsonb(t)) AS own
                  WHERE t.customer_id = $1 AND own.key = fact.key AND own.value = 'null')
)
UPDATE customer AS t SET {", ".join(f"{name} = n.{name}" for name in _FILLED)}
FROM gap, customer AS o, jsonb_populate_record(o, coalesce(gap.filled, '{{}}')) AS n
WHERE t.customer_id = $1 AND o.customer_id = $1
RETURNING coalesce(gap.filled, '{{}}')
"""  # noqa: S608 - names of ours
_EMPTY = f"""
WITH gap AS (
    SELECT jsonb_object_agg(key, 'null'::jsonb) AS emptied
    FROM customer AS t, jsonb_each(to_jsonb(t)) AS own
    WHERE t.customer_id = $1 AND $2::jsonb -> key = value
)
UPDATE customer AS t SET {", ".join(f"{name} = n.{name}" for name in _FILLED)}
FROM gap, customer AS o, jsonb_populate_record(o, coalesce(gap.emptied, '{{}}')) AS n
WHERE t.customer_id = $1 AND o.customer_id = $1
"""  # noqa: S608 - names of ours


async def add(connection: asyncpg.Connection, merge: Merge) -> None:
    await connection.execute(
        f"INSERT INTO merge ({_MERGE}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",  # noqa: S608
        *(getattr(merge, field.name) for field in fields(Merge)),
    )


async def undo(connection: asyncpg.Connection, merge: Merge, *, at: datetime, by: str) -> None:
    await connection.execute(
        """UPDATE merge SET undone_at = $3, undone_by = $4
           WHERE customer_id = $1 AND merge_id = $2""",
        merge.customer_id,
        merge.merge_id,
        at,
        by,
    )


async def list_in_force(connection: asyncpg.Connection, records: Sequence[str]) -> list[Merge]:
    """Return the merges in force of these records into others, in the order they were made."""
    rows = await connection.fetch(
        f"""SELECT {_MERGE} FROM merge WHERE merged = ANY ($1::text[]) AND undone_at IS NULL
            ORDER BY merge_id""",  # noqa: S608 - names of ours
        records,
    )
    return [Merge(**dict(row)) for row in rows]


async def list_of(
    connection: asyncpg.Connection, records: Sequence[str], *, after: str, limit: int
) -> list[Merge]:
    """Return all merges that these records took part in, undone ones too, from beyond `after`."""
    rows = await connection.fetch(
        f"""SELECT {_MERGE} FROM merge
            WHERE (customer_id = ANY ($1::text[]) OR merged = ANY ($1::text[])) AND merge_id > $2
            ORDER BY merge_id LIMIT $3""",  # noqa: S608 - names of ours
        records,
        after,
        limit,
    )
    return [Merge(**dict(row)) for row in rows]


async def set_survivors(
    connection: asyncpg.Connection, standing: Mapping[str, tuple[str | None, datetime | None]]
) -> list[str]:
    """Write of each record its survivor, None if itself, and when one was last merged into it.

    Returns:
        The records that have another survivor now.
    """
    rows = await connection.fetch(
        """UPDATE customer AS t SET merged_into = n.survivor, merged_at = n.at
           FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS n (record, survivor, at)
           JOIN customer AS old ON old.customer_id = n.record
           WHERE t.customer_id = n.record
           RETURNING n.record, old.merged_into IS DISTINCT FROM n.survivor AS has_moved""",
        list(standing),
        [survivor for survivor, _ in standing.values()],
        [at for _, at in standing.values()],
    )
    return sorted(row["record"] for row in rows if row["has_moved"])


async def party_types(connection: asyncpg.Connection, records: Sequence[str]) -> set[str]:
    rows = await connection.fetch(
        "SELECT DISTINCT party_type FROM customer WHERE customer_id = ANY ($1::text[])", records
    )
    return {row["party_type"] for row in rows}


async def fill(connection: asyncpg.Connection, survivor: str, merged: str) -> dict[str, Any]:
    """Give a survivor the facts that only the merged record has; return them, as stored."""
    return await connection.fetchval(_FILL, survivor, merged, list(_FILLED)) or {}


async def empty(connection: asyncpg.Connection, survivor: str, filled: Mapping[str, Any]) -> None:
    """Take facts from a survivor again, unless they were stated otherwise since."""
    await connection.execute(_EMPTY, survivor, filled)


async def wills_of(connection: asyncpg.Connection, records: Sequence[str]) -> dict[str, Will]:
    """Return where each record stands by itself."""
    consents: dict[str, list[Consent]] = defaultdict(list)
    for row in await connection.fetch(
        """SELECT * FROM consent WHERE customer_id = ANY ($1::text[])
           ORDER BY customer_id, purpose, channel""",
        records,
    ):
        consents[row["customer_id"]].append(
            _to_consent(row["purpose"], row["channel"], row["state"], row["at"])
        )
    rows = await connection.fetch(
        f"SELECT customer_id, {_SWITCHES} FROM customer"  # noqa: S608 - names of ours
        " WHERE customer_id = ANY ($1::text[])",
        records,
    )
    return {
        row["customer_id"]: Will(
            consents=tuple(consents[row["customer_id"]]),
            switches={name: row[name] for name in STRICT},
        )
        for row in rows
    }


async def set_switches(connection: asyncpg.Connection, customer_id: str, will: Will) -> None:
    values = ", ".join(f"{name} = ${n}" for n, name in enumerate(STRICT, 2))
    await connection.execute(
        f"UPDATE customer SET {values} WHERE customer_id = $1",  # noqa: S608 - names of ours
        customer_id,
        *(will.switches[name] for name in STRICT),
    )


async def list_switches(
    connection: asyncpg.Connection, customer_id: str, *, since: str
) -> list[tuple[str, Switch]]:
    """Return which switches of a record were set, and under which id, since an id was made."""
    rows = await connection.fetch(
        """SELECT record_id, name, value FROM switch_record
           WHERE customer_id = $1 AND record_id > $2 ORDER BY record_id""",
        customer_id,
        since,
    )
    return [(row["record_id"], Switch(name=row["name"], value=row["value"])) for row in rows]


async def keep_own_will(
    connection: asyncpg.Connection, customer_id: str, will: Will, *, since: str
) -> None:
    """Keep where a survivor stood before its first merge."""
    consents = [[c.purpose, c.channel, c.state, c.at.isoformat()] for c in will.consents]
    await connection.execute(
        """INSERT INTO own_will (customer_id, since, will) VALUES ($1, $2, $3)
           ON CONFLICT DO NOTHING""",
        customer_id,
        since,
        {"consents": consents, "switches": dict(will.switches)},
    )


async def own_will(connection: asyncpg.Connection, customer_id: str) -> tuple[str, Will]:
    """Return since when a survivor has others merged into it, and where it stood before.

    Raises:
        ValueError: none was ever merged into it.
    """
    row = await connection.fetchrow(
        "SELECT since, will FROM own_will WHERE customer_id = $1", customer_id
    )
    if row is None:
        raise ValueError(f"Nobody was merged into {customer_id}")
    consents = [
        _to_consent(purpose, channel, state, datetime.fromisoformat(at))
        for purpose, channel, state, at in row["will"]["consents"]
    ]
    return row["since"], Will(consents=tuple(consents), switches=row["will"]["switches"])


async def forget_own_will(connection: asyncpg.Connection, customer_id: str) -> None:
    await connection.execute("DELETE FROM own_will WHERE customer_id = $1", customer_id)


def _to_consent(purpose: str, channel: str, state: str, at: datetime) -> Consent:
    return Consent(purpose=Purpose(purpose), channel=Channel(channel), state=State(state), at=at)
