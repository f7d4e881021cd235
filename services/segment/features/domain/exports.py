"""Features of many customers, as the profile's Arrow export tells them."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl
import polars.selectors as cs

from shared.rules import Catalogue, Kind

Row = tuple[str, datetime, str]
"""A customer, the time, and the features as a JSON object; what is missing is null."""

_ACCEPTED = {
    Kind.NUMBER: cs.numeric(),
    Kind.BOOLEAN: cs.boolean(),
    Kind.TEXT: cs.string(),
    Kind.DATE: cs.string(),
}


def rows_of(frame: pl.DataFrame, catalogue: Catalogue) -> Sequence[Row]:
    """Rows of an export; a column that is not declared, or of another kind, counts as missing."""
    plain = frame.with_columns(
        cs.decimal().cast(pl.Float64()),
        cs.date().cast(pl.String()),
        cs.categorical().cast(pl.String()),
        pl.col("as_of").cast(pl.Datetime("us", "UTC")),
    )
    kinds = catalogue.kinds
    known = [
        name
        for kind, accepted in _ACCEPTED.items()
        for name in cs.expand_selector(plain, accepted)
        if kinds.get(name) is kind
    ]
    finite = plain.with_columns(pl.when(cs.float().is_finite()).then(cs.float()))
    features = pl.struct(known).struct.json_encode() if known else pl.lit("{}")
    return finite.select("customer_id", "as_of", features.alias("features")).rows()
