"""From columns of an export to rows of the customer state."""

from datetime import UTC, datetime
from typing import cast

import polars as pl

NOT_A_LEVEL = ("customer_id", "as_of", "segments")
NOT_A_FEATURE = ("customer_id", "as_of")


def feature_rows(frame: pl.DataFrame) -> list[tuple[str, str, datetime]]:
    """Return (customer, features as a JSON object, as of) of every row.

    Decimals become numbers; what is missing stays, as null.
    """
    names = [name for name in frame.columns if name not in NOT_A_FEATURE]
    packed = _plain(frame).select(
        "customer_id", pl.struct(names).struct.json_encode().alias("values"), "as_of"
    )
    return [(c, v, _aware(at)) for c, v, at in packed.iter_rows()]


def membership_rows(frame: pl.DataFrame) -> list[tuple[str, str, str, datetime]]:
    """Return (customer, levels as a JSON object, segments as a JSON array, as of) of every row."""
    names = [name for name in frame.columns if name not in NOT_A_LEVEL]
    packed = _plain(frame).select(
        "customer_id",
        pl.struct(names).struct.json_encode().alias("levels"),
        _json_array(pl.col("segments")).alias("segments"),
        "as_of",
    )
    return [(c, levels, s, _aware(at)) for c, levels, s, at in packed.iter_rows()]


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Give every column a type that JSON has."""
    return frame.with_columns(
        pl.selectors.decimal().cast(pl.Float64),
        pl.selectors.categorical().cast(pl.String),
        pl.selectors.date().cast(pl.String),
    )


def _json_array(column: pl.Expr) -> pl.Expr:
    """Write a list of keys (snake_case, nothing to escape) as a JSON array."""
    return (
        pl.when(column.list.len() > 0)
        .then(pl.concat_str(pl.lit('["'), column.list.join('","'), pl.lit('"]')))
        .otherwise(pl.lit("[]"))
    )


def _aware(at: object) -> datetime:
    moment = cast("datetime", at)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
