"""What became of an import, as tables for people."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.table import Table

if TYPE_CHECKING:
    from bihuan.importer.run import ImportReport


def import_tables(report: "ImportReport") -> Iterator[RenderableType]:
    """Counts by kind, totals by word of the source, ledgers, and what to know besides."""
    if report.counts:
        yield _counts(report)
    if report.totals:
        yield _totals(report)
    for check in report.ledgers:
        within = ", ".join(f"{days:,} within {much}" for much, days in check.within.items())
        yield f"{check.file}: {check.account_days:,} account-days, {within}; worst {check.worst}"
    yield from report.notes
    if report.rejected:
        yield f"{report.rejected:,} rows were rejected: {report.rejects_file} says where and why"
        yield from (f"  {rows:,} × {reason}" for reason, rows in report.reasons)
    yield f"{report.source} took {report.seconds:.1f} s"


def _counts(report: "ImportReport") -> Table:
    table = Table("kind", title=f"import of {report.source}", title_justify="left")
    for column in ("sent", "accepted", "unchanged", "rejected"):
        table.add_column(column, justify="right")
    for kind, counts in report.counts.items():
        numbers = (counts.sent, counts.accepted, counts.unchanged, counts.rejected)
        table.add_row(kind, *(f"{number:,}" for number in numbers))
    return table


def _totals(report: "ImportReport") -> Table:
    table = Table("file", "word of the source")
    for column in ("rows", "amount"):
        table.add_column(column, justify="right")
    for total in report.totals:
        table.add_row(total.file, total.word, f"{total.rows:,}", f"{total.amount:,}")
    return table
