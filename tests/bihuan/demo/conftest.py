"""One small demonstration bank, drawn once, for the tests that look at it."""

from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl
import pyarrow as pa
import pytest

from bihuan.columns import IMPORTS
from bihuan.demo.bank import Block, blocks

AS_OF = datetime(2026, 3, 2, 2, tzinfo=UTC)
CUSTOMERS, SEED = 20_000, 7


@dataclass(frozen=True)
class Bank:
    """All blocks laid together."""

    blocks: list[Block]

    def __getitem__(self, kind: str) -> pl.DataFrame:
        frame = pl.from_arrow(pa.concat_tables([block.tables[kind] for block in self.blocks]))
        assert isinstance(frame, pl.DataFrame)
        return frame

    @property
    def truth(self) -> pl.DataFrame:
        return pl.concat([block.truth for block in self.blocks])


@pytest.fixture(scope="session")
def bank() -> Bank:
    drawn = Bank(list(blocks(CUSTOMERS, seed=SEED, as_of=AS_OF)))
    assert {*drawn.blocks[0].tables} == {target.kind for target in IMPORTS}
    return drawn
