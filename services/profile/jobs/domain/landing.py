"""Files that land by business date: which it is, and whether it holds what its sender counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import pyarrow as pa

from services.profile.jobs.domain.columns import COUNT, MONEY, Layout
from shared.errors import FieldError, Invalid

DIFFER = "control_totals_differ"


class WrongControl(Invalid):
    code = "wrong_control"
    title = "The control totals make no sense"


class IncompleteLanding(Invalid):
    code = "incomplete_landing"
    title = "A business date needs the source of the file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """A file as its sender names it, and what the sender counted; None: not told.

    A `strict` one is taken as a whole or not at all if the totals differ.
    """

    source: str | None = None
    business_date: date | None = None
    rows: int | None = None
    column: str | None = None
    sum: Decimal | None = None
    strict: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What a body holds: its rows, and the sum of a column over those that could be read."""

    rows: int = 0
    sum: Decimal = Decimal(0)

    def with_part(self, part: pa.Table, column: str | None) -> "Sums":
        """Return the sums with those of some more rows."""
        rows = self.rows + part.num_rows
        if column is None:
            return Sums(rows=rows)
        values = (value for value in part[column].to_pylist() if value is not None)
        return Sums(rows=rows, sum=self.sum + sum(values))


def landing_of(
    *,
    layout: Layout,
    source: str | None,
    business_date: date | None,
    control_rows: int | None,
    control_sum: str | None,
    strict: bool,
) -> Landing:
    """Return a landing as a caller tells it.

    Raises:
        IncompleteLanding: of source and date only one is told.
        WrongControl: the sum is of no column of money or whole numbers, or is no decimal.
    """
    if (source is None) != (business_date is None):
        raise IncompleteLanding(
            "Name source and business_date together",
            errors=[FieldError("query:source", "goes with business_date")],
        )
    column, total = _control(control_sum, layout)
    return Landing(
        source=source,
        business_date=business_date,
        rows=control_rows,
        column=column,
        sum=total,
        strict=strict,
    )


def _control(text: str | None, layout: Layout) -> tuple[str | None, Decimal | None]:
    if text is None:
        return None, None
    column, _, number = text.partition(":")
    can_sum = [field.name for field in layout.schema if field.type in {MONEY, COUNT}]
    try:
        total = Decimal(number)
    except InvalidOperation:
        total = Decimal("NaN")
    if column not in can_sum or not total.is_finite():
        raise WrongControl(
            f"Write control_sum as column:decimal, of {', '.join(can_sum) or 'no column'}",
            errors=[FieldError("query:control_sum", "is no column and decimal")],
        )
    return column, total


def compared(wanted: Landing, found: Sums) -> Mapping[str, Any] | None:
    """Return the totals told beside those found; None if none were told."""
    told: dict[str, Any] = {}
    if wanted.rows is not None:
        told["rows"] = {"expected": wanted.rows, "found": found.rows}
    if wanted.sum is not None:
        told["sum"] = {
            "column": wanted.column,
            "expected": f"{wanted.sum:f}",
            "found": f"{found.sum:f}",
        }
    if not told:
        return None
    agree = wanted.rows in {None, found.rows} and wanted.sum in {None, found.sum}
    return {**told, "agree": agree}
