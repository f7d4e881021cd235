from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any

import asyncpg
from sqlalchemy import ColumnElement, ScalarSelect, func, or_, select, update
from sqlalchemy.dialects.postgresql import array_agg, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from services.profile.customers.domain import (
    Facts,
    Flags,
    NoSuchCustomer,
    Owner,
    Ownership,
    Party,
    Standing,
    minor_until,
)
from services.profile.customers.tables import CustomerRow
from shared.database import Money, from_fen
from shared.ids import new_id
from shared.tokens import Token

_COLUMNS = CustomerRow.__table__
_MONEY = frozenset(each.name for each in _COLUMNS.columns if isinstance(each.type, Money))


def seen(alias: str, first: int) -> str:
    """Return the SQL of whether a customer is a token's to see; `scope_of` gives its parameters.

    Args:
        alias: of the customer's table.
        first: number of the first of three parameters.
    """
    org, rm, customer = (f"${first + n}::text" for n in range(3))
    return f"""({org} IS NULL OR {alias}.org_path = {org}
             OR starts_with({alias}.org_path, {org} || '/'))
        AND ({rm} IS NULL OR {alias}.rm_id = {rm})
        AND ({customer} IS NULL OR {alias}.customer_id = {customer})"""


def scope_of(token: Token) -> tuple[str | None, str | None, str | None]:
    """Return the org unit, manager and customer that a token is narrowed to."""
    return token.org, token.rm, token.customer


def visible(token: Token) -> list[ColumnElement[bool]]:
    """Return the conditions under which a token sees a customer."""
    conditions: list[ColumnElement[bool]] = []
    if token.customer is not None:
        conditions.append(CustomerRow.customer_id == _survivor_of(token.customer))
    if token.org is not None:
        below = CustomerRow.org_path.startswith(f"{token.org}/", autoescape=True)
        conditions.append(or_(CustomerRow.org_path == token.org, below))
    if token.rm is not None:
        conditions.append(CustomerRow.rm_id == token.rm)
    return conditions


async def get(session: AsyncSession, customer_id: str, token: Token | None) -> Facts:
    """Return a customer's columns if the token sees it; None as token sees everybody.

    Of a record that was merged into another it is the other's.

    Raises:
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    conditions = [] if token is None else visible(token)
    statement = select(_COLUMNS).where(
        CustomerRow.customer_id == _survivor_of(customer_id), *conditions
    )
    row = (await session.execute(statement)).mappings().one_or_none()
    if row is None:
        raise NoSuchCustomer(f"No customer {customer_id}")
    return dict(row)


async def party_of(session: AsyncSession, customer_id: str, token: Token | None) -> Party:
    """Return who an id stands for, if the token sees them; None as token sees everybody.

    Raises:
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    conditions = [] if token is None else visible(token)
    record = aliased(CustomerRow)
    merged = (
        select(array_agg(record.customer_id))
        .where(record.merged_into == CustomerRow.customer_id)
        .scalar_subquery()
    )
    statement = select(CustomerRow.customer_id, merged.label("merged")).where(
        CustomerRow.customer_id == _survivor_of(customer_id), *conditions
    )
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        raise NoSuchCustomer(f"No customer {customer_id}")
    records = (row.customer_id, *sorted(row.merged or ()))
    return Party(customer_id=row.customer_id, addressed=customer_id, records=records)


def _survivor_of(customer_id: str) -> ScalarSelect[str]:
    record = aliased(CustomerRow)
    survivor = func.coalesce(record.merged_into, record.customer_id)
    return select(survivor).where(record.customer_id == customer_id).scalar_subquery()


async def note_switches(
    connection: asyncpg.Connection,
    customer_id: str,
    set_to: Mapping[str, bool],
    *,
    recorded_by: str,
    now: datetime,
) -> None:
    """Keep on record who set flags or preferences of a customer."""
    await connection.execute(
        """INSERT INTO switch_record (customer_id, record_id, name, value, recorded_by, recorded_at)
           SELECT $1, g.*, $5, $6 FROM unnest($2::text[], $3::text[], $4::boolean[]) AS g""",
        customer_id,
        [new_id() for _ in set_to],
        list(set_to),
        list(set_to.values()),
        recorded_by,
        now,
    )


async def owners_of(
    connection: asyncpg.Connection, customer_ids: Sequence[str]
) -> dict[str, Owner]:
    """Return who looks after customers; who is not there is left out."""
    rows = await connection.fetch(
        """SELECT r.customer_id, t.org_path, t.rm_id
           FROM customer AS r
           JOIN customer AS t ON t.customer_id = coalesce(r.merged_into, r.customer_id)
           WHERE r.customer_id = ANY ($1::text[])""",
        customer_ids,
    )
    return {row["customer_id"]: Owner(org_path=row["org_path"], rm_id=row["rm_id"]) for row in rows}


async def substitutes_of(
    connection: asyncpg.Connection, customer_ids: Sequence[str]
) -> dict[str, dict[str, str]]:
    """Return by customer who stands in for which manager for the time being."""
    rows = await connection.fetch(
        "SELECT customer_id, from_rm, to_rm FROM handed_customer"
        " WHERE customer_id = ANY ($1::text[])",
        customer_ids,
    )
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for row in rows:
        found[row["customer_id"]][row["from_rm"]] = row["to_rm"]
    return found


async def note_owners(
    connection: asyncpg.Connection,
    owners: Mapping[str, Owner],
    *,
    by: str,
    rules: Mapping[str, str | None],
    now: datetime,
) -> None:
    """Keep who looks after customers from now on, and the rule by which if there was one."""
    await connection.copy_records_to_table(
        "ownership_record",
        records=[
            (customer_id, new_id(), owner.org_path, owner.rm_id, now, by, rules.get(customer_id))
            for customer_id, owner in owners.items()
        ],
        columns=["customer_id", "record_id", "org_path", "rm_id", "since", "recorded_by", "rule"],
    )


async def list_ownerships(
    connection: asyncpg.Connection, customer_id: str, *, limit: int
) -> list[Ownership]:
    """Return who looked after a customer, latest first."""
    rows = await connection.fetch(
        """SELECT org_path, rm_id, since, recorded_by, rule FROM ownership_record
           WHERE customer_id = $1 ORDER BY record_id DESC LIMIT $2""",
        customer_id,
        limit,
    )
    return [Ownership(**dict(row)) for row in rows]


async def set_managers(
    connection: asyncpg.Connection, managers: Mapping[str, str], now: datetime
) -> None:
    """Write whose customers these are, that the caller has locked."""
    await connection.execute(
        """UPDATE customer AS c SET rm_id = g.rm_id, updated_at = $3
           FROM unnest($1::text[], $2::text[]) AS g (customer_id, rm_id)
           WHERE c.customer_id = g.customer_id""",
        list(managers),
        list(managers.values()),
        now,
    )


async def records_of(
    connection: asyncpg.Connection, customer_ids: Sequence[str]
) -> dict[str, list[str]]:
    """Return the records of customers, all survivors: each its own first, then those merged."""
    rows = await connection.fetch(
        """SELECT customer_id, ARRAY(SELECT m.customer_id FROM customer AS m
               WHERE m.merged_into = t.customer_id ORDER BY m.customer_id) AS merged
           FROM customer AS t WHERE customer_id = ANY ($1::text[])""",
        customer_ids,
    )
    return {row["customer_id"]: [row["customer_id"], *row["merged"]] for row in rows}


async def parties_among(
    connection: asyncpg.Connection, customer_ids: Sequence[str]
) -> dict[str, str]:
    """Return the survivor of each of these records that is one of several of its party."""
    rows = await connection.fetch(
        """SELECT customer_id, coalesce(merged_into, customer_id) AS survivor FROM customer AS r
           WHERE customer_id = ANY ($1::text[]) AND (merged_into IS NOT NULL OR EXISTS (
               SELECT FROM customer AS m WHERE m.merged_into = r.customer_id))""",
        customer_ids,
    )
    return {row["customer_id"]: row["survivor"] for row in rows}


async def party_types_of(
    connection: asyncpg.Connection, customer_ids: Sequence[str]
) -> dict[str, str]:
    """Return the types of those parties that are there."""
    rows = await connection.fetch(
        "SELECT customer_id, party_type FROM customer WHERE customer_id = ANY ($1::text[])",
        customer_ids,
    )
    return {row["customer_id"]: row["party_type"] for row in rows}


async def add_missing(
    session: AsyncSession, customer_id: str, party_type: str, now: datetime
) -> bool:
    """Add a customer unless it is there; tell whether it was added."""
    statement = (
        insert(CustomerRow)
        .values(customer_id=customer_id, party_type=party_type, created_at=now, updated_at=now)
        .on_conflict_do_nothing()
        .returning(CustomerRow.customer_id)
    )
    return await session.scalar(statement) is not None


async def list_of(connection: asyncpg.Connection, customer_ids: Sequence[str]) -> list[Facts]:
    """Return the columns of customers by id."""
    rows = await connection.fetch(
        "SELECT * FROM customer WHERE customer_id = ANY ($1::text[]) ORDER BY customer_id",
        customer_ids,
    )
    return [facts_of(row) for row in rows]


def facts_of(row: asyncpg.Record) -> Facts:
    """Return a row of the plain connection as the columns are outside: money in yuan."""
    return {
        name: from_fen(value) if name in _MONEY and value is not None else value
        for name, value in row.items()
    }


async def change(session: AsyncSession, customer_id: str, facts: Facts, now: datetime) -> None:
    """Write facts of a customer."""
    await session.execute(
        update(CustomerRow)
        .where(CustomerRow.customer_id == customer_id)
        .values(**facts, updated_at=now)
    )


def standing_of(columns: Facts, today: date) -> Standing:
    """Return what others must hear of at once when it changes."""
    return Standing(
        owner=Owner(org_path=columns["org_path"], rm_id=columns["rm_id"]),
        flags=Flags(**{field.name: columns[field.name] for field in fields(Flags)}),
        minor_until=minor_until(columns["party_type"], columns["birth_date"], today),
    )


async def standings_of(
    connection: asyncpg.Connection, customer_ids: Sequence[str], today: date
) -> dict[str, Standing]:
    """Return the standing of customers; who is not there, or was merged, is left out."""
    rows = await connection.fetch(
        """SELECT customer_id, party_type, birth_date, org_path, rm_id, is_deceased, is_frozen,
               in_hardship, in_collection
           FROM customer WHERE customer_id = ANY ($1::text[]) AND merged_into IS NULL""",
        customer_ids,
    )
    return {row["customer_id"]: standing_of(dict(row), today) for row in rows}


async def upsert_many(
    connection: asyncpg.Connection,
    rows: Sequence[Mapping[str, Any]],
    *,
    types: Mapping[str, str],
    now: datetime,
) -> set[str]:
    """Write customers, only those that differ from what is there; return whom.

    Args:
        connection: inside a transaction.
        rows: money in fen; no two of one customer.
        types: PostgreSQL types by column.
        now: when it was stated.
    """
    columns = ", ".join(types)
    facts = [name for name in types if name != "customer_id"]
    arrays = ", ".join(f"${n}::{kind}[]" for n, kind in enumerate(types.values(), 2))
    written = await connection.fetch(
        f"""INSERT INTO customer AS t ({columns}, created_at, updated_at)
            SELECT g.*, $1, $1 FROM unnest({arrays}) AS g ({columns}) ORDER BY customer_id
            ON CONFLICT (customer_id) DO UPDATE
            SET updated_at = $1, {", ".join(f"{name} = excluded.{name}" for name in facts)}
            WHERE ({", ".join(f"t.{name}" for name in facts)})
               IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in facts)})
            RETURNING customer_id""",  # noqa: S608 - names of ours
        now,
        *[[row[name] for row in rows] for name in types],
    )
    return {row["customer_id"] for row in written}
