"""Figures as people and programs read them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"
CONSOLE = Console()

Figures = Mapping[str, Mapping[str, Any]]


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return median and range of a few rounds."""
    low, middle, high = (float(np.percentile(values, share)) for share in (0, 50, 100))
    return {"median": round(middle, 3), "low": round(low, 3), "high": round(high, 3)}


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """Return p50, p99, the largest and how many there were."""
    p50, p99, highest = (float(np.percentile(values, share)) for share in (50, 99, 100))
    return {
        "p50": round(p50, 2), "p99": round(p99, 2), "max": round(highest, 2), "count": len(values)
    }  # fmt: skip


def write(name: str, result: Mapping[str, Any]) -> None:
    """Keep the result beside the others."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")


def show(title: str, figures: Figures) -> None:
    """Print one table: a row a figure, a column a contender."""
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("figure")
    for contender in figures:
        table.add_column(contender, justify="right")
    rows = dict.fromkeys(row for column in figures.values() for row in column)
    for row in rows:
        table.add_row(row, *(_cell(column.get(row)) for column in figures.values()))
    CONSOLE.print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, dict) and "median" in value:
        return f"{value['median']:,.6g}  ({value['low']:,.6g}–{value['high']:,.6g})"
    if isinstance(value, dict):
        return f"p50 {value['p50']:,.6g}  p99 {value['p99']:,.6g}  max {value['max']:,.6g}"
    return f"{value:,.6g}" if isinstance(value, float) else str(value)
