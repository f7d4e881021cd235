from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import asyncpg

from services.profile.disclosures.domain import Disclosure, NoSuchDisclosure, Sharing, State, Will
from services.profile.purposes.repository import HAS_LAPSED
from shared.ids import new_id

_COLUMNS = ", ".join(each.name for each in fields(Disclosure))
_LAST = """
SELECT DISTINCT ON (recipient) recipient, state, data, text_version, at, evidence
FROM sharing_statement WHERE customer_id = $1 ORDER BY recipient, at DESC, record_id DESC
"""
# A permission from before a merge was one record's alone; a refusal of all sharing binds them all.
_PAGE = f"""
SELECT c.* FROM customer AS c
WHERE c.customer_id > $1 AND c.merged_into IS NULL
  AND ($2::text IS NULL OR c.org_path = $2 OR starts_with(c.org_path, $2 || '/'))
  AND ($3::text IS NULL OR EXISTS (
    SELECT FROM (SELECT state, data, at FROM sharing_statement AS s
                 WHERE s.customer_id = c.customer_id AND s.recipient = $3
                 ORDER BY at DESC, record_id DESC LIMIT 1) AS last
    WHERE last.state = 'granted' AND last.data @> $4::text[]
      AND (c.merged_at IS NULL OR last.at >= c.merged_at)
      AND NOT EXISTS (SELECT FROM consent AS o WHERE o.customer_id = c.customer_id
                      AND (o.purpose, o.state) = ('third_party_sharing', 'withdrawn')
                      AND o.at >= last.at)
      AND NOT {HAS_LAPSED.format(purpose="'third_party_sharing'", at="last.at", now="$6")}))
ORDER BY c.customer_id LIMIT $5
"""  # noqa: S608 - our own words


async def add_statement(
    connection: asyncpg.Connection, customer_id: str, said: Sharing, *, by: str, now: datetime
) -> None:
    await connection.execute(
        """INSERT INTO sharing_statement (customer_id, record_id, recipient, state, data,
               text_version, at, recorded_at, recorded_by, evidence)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
        *(customer_id, new_id(), said.recipient, said.state, list(said.data)),
        *(said.text_version, said.at, now, by, said.evidence),
    )


async def list_sharing(connection: asyncpg.Connection, customer_id: str) -> list[Sharing]:
    """Return what a customer last said of each recipient."""
    rows = await connection.fetch(_LAST, customer_id)
    return [_to_sharing(row) for row in rows]


async def put(connection: asyncpg.Connection, disclosure: Disclosure) -> None:
    """Store a disclosure as it stands."""
    values = {each.name: getattr(disclosure, each.name) for each in fields(Disclosure)}
    values["data"] = list(disclosure.data)
    places = ", ".join(f"${n}" for n in range(1, len(values) + 1))
    await connection.execute(
        f"""INSERT INTO disclosure ({_COLUMNS}) VALUES ({places})
            ON CONFLICT (disclosure_id) DO UPDATE
            SET state = excluded.state, decided_at = excluded.decided_at,
                decided_by = excluded.decided_by""",  # noqa: S608 - names of ours
        *values.values(),
    )


async def find(
    connection: asyncpg.Connection, disclosure_id: str, *, lock: bool = False
) -> Disclosure | None:
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM disclosure WHERE disclosure_id = $1"  # noqa: S608 - our columns
        + (" FOR UPDATE" if lock else ""),
        disclosure_id,
    )
    return None if row is None else _to_disclosure(row)


async def get(
    connection: asyncpg.Connection, disclosure_id: str, *, lock: bool = False
) -> Disclosure:
    """Return a disclosure.

    Raises:
        NoSuchDisclosure: there is none.
    """
    found = await find(connection, disclosure_id, lock=lock)
    if found is None:
        raise NoSuchDisclosure(f"No disclosure {disclosure_id}")
    return found


async def list_latest(
    connection: asyncpg.Connection, *, before: tuple[datetime, str] | None, limit: int
) -> list[Disclosure]:
    """Return disclosures, latest first, from after the key `before`."""
    rows = await connection.fetch(
        f"""SELECT {_COLUMNS} FROM disclosure
            WHERE $1::timestamptz IS NULL OR (asked_at, disclosure_id) < ($1, $2)
            ORDER BY asked_at DESC, disclosure_id DESC LIMIT $3""",  # noqa: S608 - our columns
        *(before or (None, None)),
        limit,
    )
    return [_to_disclosure(row) for row in rows]


async def list_customers(
    connection: asyncpg.Connection, disclosure: Disclosure, *, after: str, limit: int, now: datetime
) -> Sequence[Mapping[str, Any]]:
    """Return the next customers whom a disclosure covers, with their facts."""
    return await connection.fetch(
        _PAGE, after, disclosure.org, disclosure.recipient, list(disclosure.data), limit, now
    )


def _to_sharing(row: asyncpg.Record) -> Sharing:
    values: dict[str, Any] = dict(row)
    values |= {"state": Will(row["state"]), "data": tuple(row["data"])}
    return Sharing(**values)


def _to_disclosure(row: asyncpg.Record) -> Disclosure:
    values: dict[str, Any] = dict(row)
    values |= {"state": State(row["state"]), "data": tuple(row["data"])}
    return Disclosure(**values)
