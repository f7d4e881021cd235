"""The columns of the bulk imports, and the one way a frame becomes the Arrow table they take."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

MONEY = pa.decimal128(18, 2)
MOMENT = pa.timestamp("us", tz="UTC")
TEXT = pa.string()


@dataclass(frozen=True, slots=True)
class Import:
    """One bulk import: where it is posted and which columns it takes.

    `required` columns are never null; in the frames of this project money columns hold whole fen.
    """

    kind: str
    key: str
    required: frozenset[str]
    schema: pa.Schema

    @property
    def path(self) -> str:
        return f"/v1/{self.kind}:import"

    @property
    def money(self) -> frozenset[str]:
        return frozenset(field.name for field in self.schema if field.type == MONEY)


def _import(kind: str, key: str, required: str, columns: Mapping[str, pa.DataType]) -> Import:
    schema = pa.schema(list(columns.items()))
    return Import(kind=kind, key=key, required=frozenset(required.split()), schema=schema)


CUSTOMERS = _import(
    "customers",
    "customer_id",
    "customer_id party_type",
    {
        "customer_id": TEXT,
        "party_type": TEXT,
        "name": TEXT,
        "birth_date": pa.date32(),
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
        "local_hukou": pa.bool_(),
        "local_hukou_years": pa.int32(),
        "resident_here": pa.bool_(),
        "minor_children": pa.int32(),
        "has_car": pa.bool_(),
        "is_business_owner": pa.bool_(),
        "acquisition_source": TEXT,
        "acquisition_cost": MONEY,
        "wechat_friend": pa.bool_(),
        "qualified_investor": pa.bool_(),
        "industry": TEXT,
        "enterprise_size": TEXT,
        "credit_rating": TEXT,
        "tax_rating": TEXT,
        "declared_turnover": MONEY,
        "has_direct_link": pa.bool_(),
        "time_zone": TEXT,
        "org_path": TEXT,
        "rm_id": TEXT,
    },
)
ACCOUNTS = _import(
    "accounts",
    "account_id",
    "account_id customer_id opened_at",
    {
        "account_id": TEXT,
        "customer_id": TEXT,
        "role": TEXT,
        "currency": TEXT,
        "opened_at": pa.date32(),
        "closed_at": pa.date32(),
        "status": TEXT,
    },
)
HOLDINGS = _import(
    "holdings",
    "holding_id",
    "holding_id customer_id category opened_at",
    {
        "holding_id": TEXT,
        "customer_id": TEXT,
        "account_id": TEXT,
        "category": TEXT,
        "product_id": TEXT,
        "currency": TEXT,
        "opened_at": pa.date32(),
        "matures_at": pa.date32(),
        "closed_at": pa.date32(),
        "balance": MONEY,
        "balance_at": MOMENT,
        "credit_line": MONEY,
        "amount": MONEY,
        "term_months": pa.int32(),
        "payment": MONEY,
        "status": TEXT,
        "rate": pa.float64(),
        "overdue_since": pa.date32(),
    },
)
EVENTS = _import(
    "events",
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
)
CONSENTS = _import(
    "consents",
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
)
ASSESSMENTS = _import(
    "assessments",
    "customer_id",
    "customer_id risk_class assessed_at",
    {
        "customer_id": TEXT,
        "risk_class": pa.int32(),
        "assessed_at": MOMENT,
        "questionnaire_version": TEXT,
    },
)
IMPORTS = (CUSTOMERS, ACCOUNTS, HOLDINGS, EVENTS, CONSENTS, ASSESSMENTS)


def arrow(frame: pl.DataFrame, target: Import) -> pa.Table:
    """The columns of `frame` that `target` takes, in its order and types.

    Money columns of the frame are whole fen (int64); the table holds decimals of two digits.
    """
    fields = [field for field in target.schema if field.name in frame.columns]
    columns = [_column(frame[field.name], field.type) for field in fields]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def _column(values: pl.Series, kind: pa.DataType) -> pa.Array:
    return money(values) if kind == MONEY else values.to_arrow().cast(kind)


def money(fen: pl.Series) -> pa.Array:
    """Whole fen as decimal128(18, 2), exactly: the sign fills the upper half of each value."""
    known: NDArray[np.int64] = fen.fill_null(0).to_numpy().astype(np.int64)
    halves = np.empty((len(known), 2), dtype=np.int64)
    halves[:, 0], halves[:, 1] = known, known >> 63
    mask = pa.array(fen.is_not_null().to_numpy(), pa.bool_()).buffers()[1]
    return pa.Array.from_buffers(MONEY, len(known), [mask, pa.py_buffer(halves.tobytes())])
