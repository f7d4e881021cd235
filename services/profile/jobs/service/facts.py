"""Imports of customers, accounts and holdings: each row is stated anew, what differs is written."""

from collections.abc import Sequence

import asyncpg
import polars as pl

from services.profile.customers import service as customers
from services.profile.features import service as features
from services.profile.identifiers import service as identifiers
from services.profile.identifiers.domain import KINDS
from services.profile.jobs import repository
from services.profile.jobs.domain import checks
from services.profile.jobs.domain.columns import LAYOUTS, ImportKind
from services.profile.jobs.domain.jobs import Outcome, Report, Row, Sifted, sift, totals
from services.profile.jobs.service.context import Context
from services.profile.matching.service.equal import propose_equal
from services.profile.vocabulary import categories
from shared.feed.erased import erased_among

_CUSTOMER_TYPES = {
    "customer_id": "text",
    "party_type": "text",
    "birth_date": "date",
    "gender": "text",
    "occupation": "text",
    "income_year": "bigint",
    "city": "text",
    "residence_area": "text",
    "local_hukou": "boolean",
    "local_hukou_years": "int",
    "resident_here": "boolean",
    "minor_children": "int",
    "has_car": "boolean",
    "is_business_owner": "boolean",
    "acquisition_source": "text",
    "acquisition_cost": "bigint",
    "wechat_friend": "boolean",
    "qualified_investor": "boolean",
    "industry": "text",
    "enterprise_size": "text",
    "credit_rating": "text",
    "tax_rating": "text",
    "declared_turnover": "bigint",
    "has_direct_link": "boolean",
    "time_zone": "text",
    "org_path": "text",
    "rm_id": "text",
}
_ACCOUNT_TYPES = {
    "customer_id": "text",
    "account_id": "text",
    "role": "text",
    "currency": "text",
    "opened_at": "date",
    "closed_at": "date",
    "status": "text",
}
_HOLDING_TYPES = {
    "customer_id": "text",
    "holding_id": "text",
    "account_id": "text",
    "category": "text",
    "product_id": "text",
    "currency": "text",
    "opened_at": "date",
    "matures_at": "date",
    "closed_at": "date",
    "credit_line": "bigint",
    "amount": "bigint",
    "term_months": "int",
    "payment": "bigint",
    "status": "text",
    "rate": "float8",
    "overdue_since": "date",
}


async def take_customers(
    connection: asyncpg.Connection, batch: pl.DataFrame, context: Context
) -> Outcome:
    """State customers anew; ownership and flags that change are announced."""
    layout = LAYOUTS[ImportKind.CUSTOMERS]
    rows = batch.to_dicts()
    erased = await erased_among(connection, [row["customer_id"] or "" for row in rows])
    sifted = sift(
        rows,
        checks.general_reasons(batch, layout.required),
        id_column=layout.id,
        reason_of=lambda row: checks.customer(row, erased),
        key=lambda row: row["customer_id"],
    )
    rows = await _new(connection, sifted.rows) if context.is_late else sifted.rows
    for row in rows:
        row["org_path"] = row["org_path"] or ""
    ids = [row["customer_id"] for row in rows]
    await features.lock(connection, ids)
    before = await customers.standings_of(connection, ids, context.clock)
    managers = await customers.with_substitutes(
        connection, {row["customer_id"]: row["rm_id"] for row in rows}
    )
    for row in rows:
        row["rm_id"] = managers[row["customer_id"]]
    written = await customers.upsert_many(connection, rows, types=_CUSTOMER_TYPES, now=context.now)
    renamed = await identifiers.store_many(connection, context.ring, list(_identifiers(rows)))
    if renamed:
        await propose_equal(connection, sorted(renamed), now=context.now)
    changed = written | renamed
    after = await customers.standings_of(connection, sorted(written), context.clock)
    await customers.announce_many(connection, before, after, by=context.client_id, now=context.now)
    report = totals(sifted.rows, ("party_type", "gender"))
    return _outcome(sifted, len(changed), changed, report)


async def take_accounts(
    connection: asyncpg.Connection, batch: pl.DataFrame, context: Context
) -> Outcome:
    """State accounts anew."""
    layout = LAYOUTS[ImportKind.ACCOUNTS]
    rows = batch.to_dicts()
    known = await _customers(connection, rows)
    sifted = sift(
        rows,
        checks.general_reasons(batch, layout.required),
        id_column=layout.id,
        reason_of=lambda row: checks.account(row, known),
        key=lambda row: (row["customer_id"], row["account_id"]),
    )
    for row in sifted.rows:
        row["role"] = row["role"] or "owner"
        row["currency"] = row["currency"] or context.currency
    written = await repository.upsert(
        connection,
        "account",
        key=("customer_id", "account_id"),
        types=_ACCOUNT_TYPES,
        rows=sifted.rows,
        only_new=context.is_late,
    )
    touched = {customer_id for customer_id, _ in written}
    return _outcome(sifted, len(written), touched, totals(sifted.rows, ("role", "status")))


async def take_holdings(
    connection: asyncpg.Connection, batch: pl.DataFrame, context: Context
) -> Outcome:
    """State holdings anew, and the balances given with them."""
    layout = LAYOUTS[ImportKind.HOLDINGS]
    rows = batch.to_dicts()
    known = await _customers(connection, rows)
    held = await repository.categories_of(connection, sorted(known))
    now = context.now
    sifted = sift(
        rows,
        checks.general_reasons(batch, layout.required),
        id_column=layout.id,
        reason_of=lambda row: checks.holding(
            row,
            known,
            categories=categories(),
            known=held,
            currency=context.currency,
            now=now,
        ),
        key=lambda row: (row["customer_id"], row["holding_id"]),
    )
    for row in sifted.rows:
        row["currency"] = row["currency"] or context.currency
    written = await repository.upsert(
        connection,
        "holding",
        key=("customer_id", "holding_id"),
        types=_HOLDING_TYPES,
        rows=sifted.rows,
        only_new=context.is_late,
    )
    balances = [row for row in sifted.rows if row["balance"] is not None]
    moved = await repository.put_balances(connection, balances, context.clock.zone.key)
    report = totals(sifted.rows, ("category", "status"), ("amount", "balance"))
    changed = written | moved
    touched = {customer_id for customer_id, _ in changed}
    return _outcome(sifted, len(changed), touched, report)


async def _new(connection: asyncpg.Connection, rows: Sequence[Row]) -> list[Row]:
    known = await _customers(connection, rows)
    return [row for row in rows if row["customer_id"] not in known]


def _identifiers(rows: Sequence[Row]) -> list[tuple[str, str, str]]:
    return [(row["customer_id"], kind, row[kind]) for row in rows for kind in KINDS if row[kind]]


async def _customers(connection: asyncpg.Connection, rows: Sequence[Row]) -> frozenset[str]:
    wanted = {row["customer_id"] for row in rows if isinstance(row["customer_id"], str)}
    return await repository.known_customers(
        connection, [each for each in wanted if checks.is_id(each)]
    )


def _outcome(sifted: Sifted, accepted: int, touched: set[str], report: Report) -> Outcome:
    return Outcome(
        accepted=accepted,
        unchanged=len(sifted.rows) - accepted,
        rejects=sifted.rejects,
        touched=sorted(touched),
        report=report,
    )
