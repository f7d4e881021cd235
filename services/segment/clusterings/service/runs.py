"""Carrying out runs: read, prepare, fit, assign; then all that was found in one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import anyio.to_thread
import asyncpg
import numpy as np
import numpy.typing as npt

from services.segment.attributes import repository as attributes
from services.segment.clusterings import repository
from services.segment.clusterings.domain import fitting
from services.segment.clusterings.domain.clustering import Clustering
from services.segment.clusterings.domain.describing import Label, Words, describe
from services.segment.clusterings.domain.fitting import Fitted
from services.segment.clusterings.domain.matrix import Points, Scaling, points_of, scaling_of
from services.segment.clusterings.domain.runs import (
    ClusteringFailure,
    ClusteringRun,
    ClusteringRunState,
    NotClusterable,
    Result,
)
from services.segment.clusterings.service.naming import compared, named
from services.segment.clusterings.service.reading import Population, read
from services.segment.customers import repository as customers
from shared.clock import BusinessClock
from shared.database import Database
from shared.feed import erased_among
from shared.logging import log

MAX_TRIES = 3

Fit = Callable[..., Fitted]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clusterer:
    """What runs stand on; tests pass a `fit` that breaks.

    `fit_customers` at most are looked at to find the clusters, `judge_customers` of these to judge
    how well they part; both are drawn by the clustering's seed.
    """

    database: Database
    clock: BusinessClock
    words: Words
    chunk_customers: int
    fit_customers: int
    judge_customers: int
    fit: Fit = fitting.fit


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Clusters as computed, not yet named."""

    labels: npt.NDArray[np.int32]
    result: Result


async def work(clusterer: Clusterer) -> bool:
    """Carry out the next run; tell whether there was one.

    A try that breaks off leaves the run open, to begin again; after some it is given up.
    """
    async with clusterer.database.connection() as connection:
        run = await repository.find_next(connection)
    if run is None:
        return False
    try:
        if run.tries >= MAX_TRIES:
            raise NotClusterable(
                ClusteringFailure.ENDED_TOO_OFTEN,
                f"its process ended {run.tries} times before it was done; the log says why",
            )
        await carry_out(clusterer, run)
    except NotClusterable as why:
        async with clusterer.database.connection() as connection:
            now = clusterer.clock.now()
            await repository.fail(connection, run.run_id, why.failure, why.detail, now=now)
        log.warning("clustering_failed", run_id=run.run_id, failure=why.failure)
    return True


async def carry_out(clusterer: Clusterer, run: ClusteringRun) -> None:
    """Group everybody, and let the groups count.

    Raises:
        NotClusterable: these customers make no clusters.
    """
    async with clusterer.database.sessions() as session:
        clustering = await repository.get(session, run.clustering)
        entries = await attributes.list_entries(session)
    async with clusterer.database.transaction() as connection:
        await repository.begin(
            connection,
            run.run_id,
            version=clustering.version,
            total=await customers.count_known(connection),
            now=clusterer.clock.now(),
        )
    population = await read(
        clusterer.database,
        clustering,
        entries,
        chunk=clusterer.chunk_customers,
        progress=partial(_advance, clusterer, run, ClusteringRunState.READING),
    )
    found = await _find(clusterer, run, clustering, population)
    await _advance(clusterer, run, ClusteringRunState.WRITING, 0, len(population.ids))
    labels = {entry.name: Label(entry.zh, entry.en) for entry in entries}
    async with clusterer.database.transaction() as connection:
        await _write_members(connection, clusterer, run, population.ids, found.labels)
        result = await compared(connection, run, clustering, found.result)
        result = await named(
            connection,
            clustering,
            result,
            labels=labels,
            words=clusterer.words,
            now=clusterer.clock.now(),
        )
        await repository.complete(connection, run, result, now=clusterer.clock.now())
    log.info("clustering_completed", run_id=run.run_id, customers=result.customers, k=result.k)


async def _find(
    clusterer: Clusterer, run: ClusteringRun, clustering: Clustering, population: Population
) -> Found:
    scalings, points = await anyio.to_thread.run_sync(_prepared, clusterer, clustering, population)
    numbers = await anyio.to_thread.run_sync(fitting.numbers_to_try, clustering, points)
    judged = fitting.sample(len(points), clusterer.judge_customers, seed=clustering.seed)
    fitted: list[Fitted] = []
    for k in numbers:
        await _advance(clusterer, run, ClusteringRunState.FITTING, len(fitted), len(numbers))
        fitted.append(
            await anyio.to_thread.run_sync(
                lambda k=k: clusterer.fit(clustering, points, k, judged=judged)
            )
        )
    best = fitting.choose(fitted, clustering.criterion)
    labels = await anyio.to_thread.run_sync(
        fitting.assign, best.model, population.columns, scalings
    )
    result = Result(
        customers=len(population.ids),
        fitted=len(points),
        left_out=population.left_out,
        k=best.tried.k,
        curve=tuple(each.tried for each in fitted),
        clusters=await anyio.to_thread.run_sync(describe, labels, population.columns, scalings),
    )
    return Found(labels=labels, result=result)


def _prepared(
    clusterer: Clusterer, clustering: Clustering, population: Population
) -> tuple[Sequence[Scaling], Points]:
    """How each measure becomes comparable, and those by whom the clusters are found."""
    scalings = [
        scaling_of(column, measure)
        for column, measure in zip(population.columns, clustering.measures, strict=True)
    ]
    if not any(scaling.scale for scaling in scalings):
        raise NotClusterable(
            ClusteringFailure.NO_DIFFERENCE,
            "all customers are alike in every measure: take others",
        )
    drawn = fitting.sample(len(population.ids), clusterer.fit_customers, seed=clustering.seed)
    return scalings, points_of(population.columns, scalings, drawn)


async def _write_members(
    connection: asyncpg.Connection,
    clusterer: Clusterer,
    run: ClusteringRun,
    ids: Sequence[str],
    labels: npt.NDArray[np.int32],
) -> None:
    """Write who is in which cluster, but for those who were erased since they were read."""
    for start in range(0, len(ids), clusterer.chunk_customers):
        some = ids[start : start + clusterer.chunk_customers]
        erased = await erased_among(connection, some)
        numbers = (labels[start : start + len(some)] + 1).tolist()
        members = zip(some, numbers, strict=True)
        await repository.add_members(
            connection, run.run_id, (each for each in members if each[0] not in erased)
        )


async def _advance(
    clusterer: Clusterer,
    run: ClusteringRun,
    state: ClusteringRunState,
    done: int,
    total: int | None = None,
) -> None:
    async with clusterer.database.connection() as connection:
        await repository.advance(connection, run.run_id, state, done=done, total=total)
