"""What the bulk imports take: columns in Arrow types, the same that the exports answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa

from shared.errors import FieldError, Invalid

MONEY = pa.decimal128(18, 2)
MOMENT = pa.timestamp("us", tz="UTC")
TEXT = pa.string()
DAY = pa.date32()
YES = pa.bool_()
COUNT = pa.int32()
NUMBER = pa.float64()


class ImportKind(StrEnum):
    CUSTOMERS = "customers"
    ACCOUNTS = "accounts"
    HOLDINGS = "holdings"
    EVENTS = "events"
    CONSENTS = "consents"
    ASSESSMENTS = "assessments"
    RELATIONS = "relations"
    KYC = "kyc"
    NEEDS = "needs"
    GOALS = "goals"
    IDENTITIES = "identities"


class WrongColumns(Invalid):
    code = "wrong_columns"
    title = "The columns are not those of this import"


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one import; `required` ones must be there, and filled in every row.

    `id` names the column a rejected row is reported by.
    """

    id: str
    required: frozenset[str]
    schema: pa.Schema


def _layout(id_column: str, required: str, columns: Mapping[str, pa.DataType]) -> Layout:
    return Layout(id_column, frozenset(required.split()), pa.schema(list(columns.items())))


LAYOUTS: Mapping[ImportKind, Layout] = {
    ImportKind.CUSTOMERS: _layout(
        "customer_id",
        "customer_id party_type",
        {
            "customer_id": TEXT,
            "party_type": TEXT,
            "name": TEXT,
            "birth_date": DAY,
            "gender": TEXT,
            "national_id": TEXT,
            "social_credit_code": TEXT,
            "phone": TEXT,
            "email": TEXT,
            "wechat_openid": TEXT,
            "occupation": TEXT,
            "income_year": MONEY,
            "city": TEXT,
            "residence_area": TEXT,
            "local_hukou": YES,
            "local_hukou_years": COUNT,
            "resident_here": YES,
            "minor_children": COUNT,
            "has_car": YES,
            "is_business_owner": YES,
            "acquisition_source": TEXT,
            "acquisition_cost": MONEY,
            "wechat_friend": YES,
            "qualified_investor": YES,
            "industry": TEXT,
            "enterprise_size": TEXT,
            "credit_rating": TEXT,
            "tax_rating": TEXT,
            "declared_turnover": MONEY,
            "has_direct_link": YES,
            "time_zone": TEXT,
            "org_path": TEXT,
            "rm_id": TEXT,
        },
    ),
    ImportKind.ACCOUNTS: _layout(
        "account_id",
        "account_id customer_id opened_at",
        {
            "account_id": TEXT,
            "customer_id": TEXT,
            "role": TEXT,
            "currency": TEXT,
            "opened_at": DAY,
            "closed_at": DAY,
            "status": TEXT,
        },
    ),
    ImportKind.HOLDINGS: _layout(
        "holding_id",
        "holding_id customer_id category opened_at",
        {
            "holding_id": TEXT,
            "customer_id": TEXT,
            "account_id": TEXT,
            "category": TEXT,
            "product_id": TEXT,
            "currency": TEXT,
            "opened_at": DAY,
            "matures_at": DAY,
            "closed_at": DAY,
            "balance": MONEY,
            "balance_at": MOMENT,
            "credit_line": MONEY,
            "amount": MONEY,
            "term_months": COUNT,
            "payment": MONEY,
            "status": TEXT,
            "rate": NUMBER,
            "overdue_since": DAY,
        },
    ),
    ImportKind.EVENTS: _layout(
        "event_id",
        "event_id customer_id type occurred_at",
        {
            "event_id": TEXT,
            "customer_id": TEXT,
            "type": TEXT,
            "occurred_at": MOMENT,
            "account_id": TEXT,
            "holding_id": TEXT,
            "amount": MONEY,
            "direction": TEXT,
            "currency": TEXT,
            "balance_after": MONEY,
            "channel": TEXT,
            "counterparty": TEXT,
            "counterparty_kind": TEXT,
            "purpose": TEXT,
            "sequence": pa.int64(),
            "data": TEXT,
        },
    ),
    ImportKind.CONSENTS: _layout(
        "customer_id",
        "customer_id purpose state text_version at evidence",
        {
            "customer_id": TEXT,
            "purpose": TEXT,
            "channel": TEXT,
            "state": TEXT,
            "text_version": TEXT,
            "at": MOMENT,
            "evidence": TEXT,
        },
    ),
    ImportKind.ASSESSMENTS: _layout(
        "customer_id",
        "customer_id risk_class assessed_at",
        {
            "customer_id": TEXT,
            "risk_class": COUNT,
            "assessed_at": MOMENT,
            "questionnaire_version": TEXT,
        },
    ),
    ImportKind.RELATIONS: _layout(
        "relation_id",
        "relation_id customer_id kind to_id source",
        {
            "relation_id": TEXT,
            "customer_id": TEXT,
            "kind": TEXT,
            "to_id": TEXT,
            "role": TEXT,
            "since": DAY,
            "until": DAY,
            "share": NUMBER,
            "source": TEXT,
            "confidence": NUMBER,
        },
    ),
    ImportKind.KYC: _layout(
        "customer_id",
        "customer_id item source confirmed_at",
        {
            "customer_id": TEXT,
            "item": TEXT,
            "value": TEXT,
            "source": TEXT,
            "confirmed_at": MOMENT,
        },
    ),
    ImportKind.NEEDS: _layout(
        "need_id",
        "need_id customer_id kind code source stated_at",
        {
            "need_id": TEXT,
            "customer_id": TEXT,
            "kind": TEXT,
            "code": TEXT,
            "source": TEXT,
            "confidence": NUMBER,
            "stated_at": MOMENT,
            "valid_until": MOMENT,
            "resolved_at": MOMENT,
        },
    ),
    ImportKind.GOALS: _layout(
        "goal_id",
        "goal_id customer_id kind source stated_at",
        {
            "goal_id": TEXT,
            "customer_id": TEXT,
            "kind": TEXT,
            "target": MONEY,
            "horizon": DAY,
            "priority": COUNT,
            "progress": NUMBER,
            "source": TEXT,
            "stated_at": MOMENT,
            "closed_at": MOMENT,
        },
    ),
    ImportKind.IDENTITIES: _layout(
        "customer_id",
        "customer_id system reference",
        {"customer_id": TEXT, "system": TEXT, "reference": TEXT},
    ),
}


def check_columns(kind: ImportKind, given: Sequence[str]) -> None:
    """Refuse columns that this import does not know or cannot do without.

    Raises:
        WrongColumns: names each of them.
    """
    layout = LAYOUTS[kind]
    unknown = [name for name in given if name not in layout.schema.names]
    missing = sorted(layout.required - set(given))
    errors = [FieldError(f"/{name}", "unknown column") for name in unknown]
    errors += [FieldError(f"/{name}", "required column") for name in missing]
    if errors:
        raise WrongColumns(f"{kind} takes {', '.join(layout.schema.names)}", errors=errors)


def in_layout(kind: ImportKind, batch: pa.Table) -> pa.Table:
    """Return the rows in the layout's types; columns that were left out are null.

    Raises:
        WrongColumns: a column's values do not fit its type.
    """
    columns: list[pa.ChunkedArray | pa.Array] = []
    for field in LAYOUTS[kind].schema:
        if field.name not in batch.column_names:
            columns.append(pa.nulls(batch.num_rows, field.type))
            continue
        try:
            columns.append(batch[field.name].cast(field.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise WrongColumns(
                f"Column {field.name} does not fit {field.type}",
                errors=[FieldError(f"/{field.name}", f"must be {field.type}")],
            ) from error
    return pa.Table.from_arrays(columns, schema=LAYOUTS[kind].schema)


def in_fen(table: pa.Table) -> pa.Table:
    """Return the table with money as whole fen."""
    columns = [_fen(table[f.name]) if f.type == MONEY else table[f.name] for f in table.schema]
    return pa.Table.from_arrays(columns, names=table.schema.names)


def _fen(amounts: pa.ChunkedArray) -> pa.ChunkedArray:
    wide = amounts.cast(pa.decimal128(20, 2))
    whole = [
        pa.Array.from_buffers(
            pa.decimal128(20, 0), len(chunk), chunk.buffers(), offset=chunk.offset
        )
        for chunk in wide.chunks
    ]
    return pa.chunked_array(whole, pa.decimal128(20, 0)).cast(pa.int64())
