"""Reading the population of a run into columns."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

import anyio.to_thread
import polars as pl

from services.segment.attributes.domain import AttributeEntry, catalogue_of
from services.segment.clusterings import repository
from services.segment.clusterings.domain.clustering import Clustering, population_of
from services.segment.clusterings.domain.matrix import Column, takes_part
from services.segment.clusterings.domain.runs import ClusteringFailure, NotClusterable
from shared.database import Database
from shared.rules import Catalogue, Rule
from shared.rules.columns import to_polars
from shared.rules.frames import frame_of

_ID = "$customer_id"  # no attribute can have such a name


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """The population as read: who, and a column for each measure."""

    ids: Sequence[str]
    columns: Sequence[Column]
    left_out: int


async def read(
    database: Database,
    clustering: Clustering,
    entries: Sequence[AttributeEntry],
    *,
    chunk: int,
    progress: Callable[[int], Awaitable[None]],
) -> Population:
    """Read the population, some at a time.

    Args:
        database: of the service.
        clustering: who takes part, and by what they are compared.
        entries: the attribute catalogue.
        chunk: customers of one query.
        progress: is told how many were read so far.

    Raises:
        NotClusterable: nobody is left.
    """
    rule, catalogue = population_of(clustering, entries), catalogue_of(entries)
    names = sorted({*clustering.names, *(rule.dependencies if rule else ())})
    framed = partial(_frame, names=names, clustering=clustering, rule=rule, catalogue=catalogue)
    frames: list[pl.DataFrame] = []
    async for rows, done in _chunks(database, names, chunk):
        frames.append(await anyio.to_thread.run_sync(framed, rows))
        await progress(done)
    if not frames or not (frame := pl.concat(frames, rechunk=True)).height:
        raise NotClusterable(
            ClusteringFailure.NO_CUSTOMERS,
            "no customer with features is in the population: widen `where`, or wait for features",
        )
    columns = [frame[name].to_numpy() for name in clustering.names]
    kept = takes_part(columns, clustering.missing)
    if not kept.any():
        raise NotClusterable(
            ClusteringFailure.NO_CUSTOMERS,
            "every customer of the population lacks one of the values: set `missing` to median",
        )
    return Population(
        ids=frame[_ID].filter(pl.Series(kept)).to_list(),
        columns=columns if kept.all() else [column[kept] for column in columns],
        left_out=int(len(kept) - kept.sum()),
    )


async def _chunks(
    database: Database, names: Sequence[str], chunk: int
) -> AsyncGenerator[tuple[Sequence[tuple[str, str]], int]]:
    """Everybody with the values wanted, in chunks, and how many that is so far."""
    after, done = "", 0
    while True:
        async with database.connection() as connection:
            rows = await repository.read_after(connection, after, names, limit=chunk)
        if not rows:
            return
        after, done = rows[-1][0], done + len(rows)
        yield rows, done


def _frame(
    rows: Sequence[tuple[str, str]],
    *,
    names: Sequence[str],
    clustering: Clustering,
    rule: Rule | None,
    catalogue: Catalogue,
) -> pl.DataFrame:
    """Those of the population, with what they are compared by; missing is NaN."""
    frame = frame_of([values for _, values in rows], names, catalogue)
    frame = frame.with_columns(pl.Series(_ID, [row[0] for row in rows]))
    if rule:
        frame = frame.filter(to_polars(rule))
    values = [pl.col(name).cast(pl.Float64).fill_null(float("nan")) for name in clustering.names]
    return frame.select(_ID, *values)
