"""Rows of a chunk: those that could be read go on, the others are set aside where they stood."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from services.profile.jobs.domain.columns import Layout
from services.profile.jobs.domain.jobs import Outcome, Reject, rejected

LINE, FAULT, COLUMN = "_line", "_fault", "_column"
"""What a file of texts says of each row besides its columns: the line on which it begins, why it
cannot be read, if so, and the column at fault."""


@dataclass(frozen=True, slots=True)
class Given:
    """The rows of a chunk that go on, and those set aside; `places` are those of the former."""

    rows: pl.DataFrame
    places: Sequence[tuple[int, int | None]]
    aside: pl.DataFrame

    def with_those_set_aside(self, outcome: Outcome, layout: Layout) -> Outcome:
        """Return what became of all rows, each reject at its place in the body and its column."""
        names = frozenset(layout.schema.names)
        refused = [_at(self.places[each.row], each, names) for each in outcome.rejects]
        unread = [
            replace(rejected(row, row_id or "", fault), column=column, line=line)
            for row, line, row_id, fault, column in self.aside.select(
                "row", LINE, layout.id, FAULT, COLUMN
            ).rows()
        ]
        return replace(outcome, rejects=sorted([*refused, *unread], key=lambda each: each.row))


def part(batch: pl.DataFrame, *, first: int) -> Given:
    """Part the rows that could be read from the others.

    Args:
        batch: of one chunk, with or without what a file of texts says of its rows.
        first: number of the first one in the body.
    """
    told = [
        pl.lit(None, kind).alias(name)
        for name, kind in ((LINE, pl.Int64), (FAULT, pl.String), (COLUMN, pl.String))
        if name not in batch.columns
    ]
    frame = batch.with_columns(told).with_row_index("row", first)
    read = frame.filter(pl.col(FAULT).is_null())
    return Given(
        rows=read.drop("row", LINE, FAULT, COLUMN),
        places=read.select("row", LINE).rows(),
        aside=frame.filter(pl.col(FAULT).is_not_null()),
    )


def _at(place: tuple[int, int | None], reject: Reject, names: frozenset[str]) -> Reject:
    row, line = place
    return replace(reject, row=row, line=line, column=reject.column or _named(reject, names))


def _named(reject: Reject, names: frozenset[str]) -> str | None:
    """Return the column that a reason names: `bad_gender`, `unknown_customer`."""
    _, _, word = reject.reason.partition("_")
    return next((name for name in (word, f"{word}_id") if name in names), None)
