"""Attributes of many customers as columns, of the kinds that rules over columns read."""

from collections.abc import Iterable, Sequence

import polars as pl

from shared.rules.catalogue import Catalogue, Kind

_STORED = {
    Kind.NUMBER: pl.Float64(),
    Kind.BOOLEAN: pl.Boolean(),
    Kind.TEXT: pl.String(),
    Kind.DATE: pl.String(),
}


def frame_of(values: Iterable[str], names: Sequence[str], catalogue: Catalogue) -> pl.DataFrame:
    """Return one row for each JSON object, one column for each name.

    Args:
        values: attributes by name; one that is missing is left out or null, others are passed over.
        names: the columns wanted, declared attributes all of them.
        catalogue: their declarations; a date is text, and what is none counts as missing.
    """
    kinds = catalogue.kinds
    lines = "\n".join(values).encode()
    frame = pl.read_ndjson(lines, schema={name: _STORED[kinds[name]] for name in names})
    return frame.with_columns(
        pl.col(name).str.to_date(strict=False) for name in names if kinds[name] is Kind.DATE
    )
