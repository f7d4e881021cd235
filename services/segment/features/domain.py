"""Features as the profile tells them: single customers in events, many in an Arrow export."""

from collections.abc import Mapping
from datetime import UTC, datetime

import polars as pl
import polars.selectors as cs

from services.segment.attributes.domain import fit
from shared.rules import Catalogue

Row = tuple[str, datetime, Mapping[str, bool | float | str]]


def row_of(data: Mapping[str, object], catalogue: Catalogue) -> Row:
    """One customer's features, from an event's data."""
    features = data["features"]
    as_of = datetime.fromisoformat(str(data["as_of"]))
    known = fit(features, catalogue) if isinstance(features, dict) else {}
    return str(data["customer_id"]), as_of, known


def rows_of(frame: pl.DataFrame, catalogue: Catalogue) -> list[Row]:
    """Features of many customers, from columns named as the attributes."""
    plain = frame.with_columns(
        cs.decimal().cast(pl.Float64()),
        cs.date().cast(pl.String()),
        cs.categorical().cast(pl.String()),
    )
    return [
        (row.pop("customer_id"), _aware(row.pop("as_of")), fit(row, catalogue))
        for row in plain.iter_rows(named=True)
    ]


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
