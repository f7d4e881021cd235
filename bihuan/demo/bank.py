"""The demonstration bank: some thousand customers at a time, with all that is theirs."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from bihuan import columns
from bihuan.columns import Import
from bihuan.demo import events, holdings, people, standing, truth
from bihuan.demo.standing import Complaint

BLOCK = 5_000  # customers; part of the definition: another size draws another bank


@dataclass(frozen=True, slots=True)
class Block:
    """Some thousand customers, as the tables of the imports, and the truth about them."""

    tables: dict[str, pa.Table]
    complaints: list[Complaint]
    truth: pl.DataFrame

    @property
    def customers(self) -> int:
        return self.tables["customers"].num_rows


def blocks(customers: int, *, seed: int, as_of: datetime) -> Iterator[Block]:
    """The bank of `customers` customers, in order; equal arguments give equal bytes.

    Nothing is kept between blocks, so memory does not grow with `customers`.

    Raises:
        ValueError: if `customers` is not positive or `as_of` has no zone.
    """
    if customers < 1:
        raise ValueError(f"a bank needs a customer, got {customers}")
    if as_of.tzinfo is None:
        raise ValueError("as_of needs a zone")
    for index in range(-(-customers // BLOCK)):
        yield block(index, min(BLOCK, customers - index * BLOCK), seed=seed, as_of=as_of)


def block(index: int, size: int, *, seed: int, as_of: datetime) -> Block:
    """The block of that index, drawn apart from all others."""
    rng = np.random.default_rng([seed, index])
    who = people.draw_people(np.arange(1, size + 1) + index * BLOCK, rng)
    held = holdings.draw_holdings(who, rng)
    happened, balance = events.draw_events(who, held, as_of, rng)
    frames: list[tuple[Import, pl.DataFrame]] = [
        (columns.CUSTOMERS, people.customers_frame(who, as_of, rng)),
        (columns.ACCOUNTS, holdings.accounts_frame(who, as_of)),
        (columns.HOLDINGS, holdings.holdings_frame(who, held, balance, as_of)),
        (columns.EVENTS, happened),
        (columns.CONSENTS, standing.consents_frame(who, as_of, rng)),
        (columns.ASSESSMENTS, standing.assessments_frame(who, as_of, rng)),
    ]
    return Block(
        tables={target.kind: columns.arrow(frame, target) for target, frame in frames},
        complaints=standing.draw_complaints(who, rng),
        truth=truth.truth_frame(who, held, rng),
    )


class TruthWriter:
    """Writes truth.json at once and truth.parquet block by block, beside the bank."""

    def __init__(self, folder: Path, *, customers: int, seed: int, as_of: datetime) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        truth.write_formulas(folder, customers, seed, as_of.isoformat())
        self._path = folder / "truth.parquet"
        self._stack = ExitStack()
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> "TruthWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def write(self, frame: pl.DataFrame) -> None:
        table = frame.to_arrow()
        if self._writer is None:
            self._writer = self._stack.enter_context(pq.ParquetWriter(self._path, table.schema))
        self._writer.write_table(table)
