"""Queries of rights requests and of the sealed archive."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import date, datetime
from typing import Any

import asyncpg
import orjson

from services.profile.rights.domain import Kind, NoSuchRequest, Receipt, Request, State
from shared.ids import new_id

Place = tuple[str, str]
"""A customer and an archive: how far a walk over the archive came."""
_COLUMNS = ", ".join(each.name for each in fields(Request))
_PUT = f"""
INSERT INTO rights_request AS r ({_COLUMNS})
VALUES ({", ".join(f"${n}" for n in range(1, len(fields(Request)) + 1))})
ON CONFLICT (customer_id, request_id) DO UPDATE
SET {", ".join(f"{each.name} = excluded.{each.name}" for each in fields(Request)[2:])}
"""  # noqa: S608 - names of ours
_LIST = f"""
SELECT {_COLUMNS} FROM rights_request
WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR kind = $2)
  AND ($3::text IS NULL OR customer_id = $3)
  AND ($4::timestamptz IS NULL OR (closed_at IS NULL AND due_at < $4))
  AND request_id > $5 ORDER BY request_id LIMIT $6
"""  # noqa: S608 - names of ours


async def put(connection: asyncpg.Connection, request: Request) -> None:
    """Store a request as it stands."""
    values = {each.name: getattr(request, each.name) for each in fields(Request)}
    values["records"] = list(request.records)
    values["readers"] = list(request.readers)
    values["receipts"] = {
        reader: orjson.loads(orjson.dumps(asdict(receipt)))
        for reader, receipt in request.receipts.items()
    }
    await connection.execute(_PUT, *values.values())


async def find(
    connection: asyncpg.Connection, request_id: str, *, lock: bool = False
) -> Request | None:
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM rights_request WHERE request_id = $1"  # noqa: S608 - our columns
        + (" FOR UPDATE" if lock else ""),
        request_id,
    )
    return None if row is None else _to_request(row)


async def get(connection: asyncpg.Connection, request_id: str, *, lock: bool = False) -> Request:
    """Return a request.

    Raises:
        NoSuchRequest: there is none.
    """
    found = await find(connection, request_id, lock=lock)
    if found is None:
        raise NoSuchRequest(f"No rights request {request_id}")
    return found


async def list_of(
    connection: asyncpg.Connection,
    *,
    state: State | None,
    kind: Kind | None,
    customer_id: str | None,
    overdue_at: datetime | None,
    after: str,
    limit: int,
) -> list[Request]:
    """Return requests by id; `overdue_at`: only those that ought to have been answered then."""
    rows = await connection.fetch(_LIST, state, kind, customer_id, overdue_at, after, limit)
    return [_to_request(row) for row in rows]


async def list_open(connection: asyncpg.Connection, records: Sequence[str]) -> list[Request]:
    """Return, locked, the requests of these records that nobody has decided."""
    rows = await connection.fetch(
        f"""SELECT {_COLUMNS} FROM rights_request
            WHERE customer_id = ANY ($1::text[]) AND state = 'received'
            ORDER BY request_id FOR UPDATE""",  # noqa: S608 - our columns
        records,
    )
    return [_to_request(row) for row in rows]


async def has_open_accounts(
    connection: asyncpg.Connection, records: Sequence[str], today: date
) -> bool:
    """Tell whether any of these records has an account that is not closed."""
    return bool(
        await connection.fetchval(
            """SELECT EXISTS (SELECT FROM account WHERE customer_id = ANY ($1::text[])
               AND (closed_at IS NULL OR closed_at > $2))""",
            records,
            today,
        )
    )


async def readers(connection: asyncpg.Connection) -> list[str]:
    """Return who follows the feed of profile, by the names they registered under."""
    rows = await connection.fetch("SELECT DISTINCT name FROM feed_reader ORDER BY name")
    return [row["name"] for row in rows]


async def archive(
    connection: asyncpg.Connection,
    customer_id: str,
    store: str,
    *,
    rows: int,
    sealed: bytes,
    kept_until: date,
    at: datetime,
) -> None:
    """Put sealed rows of a store into the archive."""
    await connection.execute(
        """INSERT INTO restricted
               (customer_id, archive_id, store, rows, sealed, kept_until, archived_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        customer_id,
        new_id(),
        store,
        rows,
        sealed,
        kept_until,
        at,
    )


async def list_archived(
    connection: asyncpg.Connection, records: Sequence[str]
) -> list[Mapping[str, Any]]:
    """Return what the archive holds of these records, sealed as it is."""
    return await connection.fetch(
        """SELECT customer_id, archive_id, store, sealed, kept_until, archived_at FROM restricted
           WHERE customer_id = ANY ($1::text[]) ORDER BY customer_id, store, archive_id""",
        records,
    )


async def drop_outdated(connection: asyncpg.Connection, today: date) -> int:
    """Delete what no law wants kept any more; return how many archives went."""
    status = await connection.execute("DELETE FROM restricted WHERE kept_until < $1", today)
    return int(status.split()[-1])


async def list_under_other_keys(
    connection: asyncpg.Connection, mark: bytes, *, after: Place, limit: int
) -> list[tuple[str, str, str, bytes]]:
    """Lock (customer, archive, store, sealed) that do not begin with a mark, beyond a place."""
    rows = await connection.fetch(
        """SELECT customer_id, archive_id, store, sealed FROM restricted
           WHERE (customer_id, archive_id) > ($1, $2)
             AND substring(sealed FOR octet_length($3::bytea)) <> $3
           ORDER BY customer_id, archive_id LIMIT $4 FOR UPDATE SKIP LOCKED""",
        *after,
        mark,
        limit,
    )
    return [(r["customer_id"], r["archive_id"], r["store"], r["sealed"]) for r in rows]


async def replace_sealed(
    connection: asyncpg.Connection, given: Sequence[tuple[str, str, bytes]]
) -> None:
    """Store (customer, archive, sealed) anew that the caller has locked."""
    await connection.executemany(
        "UPDATE restricted SET sealed = $3 WHERE customer_id = $1 AND archive_id = $2", given
    )


def _to_request(row: asyncpg.Record) -> Request:
    values: dict[str, Any] = dict(row)
    values |= {"kind": Kind(row["kind"]), "state": State(row["state"])}
    values["receipts"] = {
        reader: Receipt(at=datetime.fromisoformat(each["at"]), stores=each["stores"])
        for reader, each in row["receipts"].items()
    }
    return Request(**values)
