"""What a bank groups its customers by, what clusters are called, and who is in them."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from services.segment.attributes import repository as attributes
from services.segment.clusterings import repository
from services.segment.clusterings.domain.clustering import Clustering, check_clustering
from services.segment.clusterings.domain.runs import (
    ClusteringRun,
    ClusteringRunState,
    ClusterName,
    Membership,
)
from services.segment.customers.domain import Scope
from shared.database import raw_connection
from shared.etag import check_match
from shared.ids import new_id
from shared.paging import Page, decode_cursor, page_of, text


async def save(
    session: AsyncSession, wanted: Clustering, *, if_match: str, now: datetime
) -> Clustering:
    """Declare a clustering or change one; its clusters stay until the next run."""
    old = await repository.find(session, wanted.key, lock=True)
    check_match(if_match, old.version if old else None)
    clustering = check_clustering(wanted, await attributes.list_entries(session))
    if old:
        clustering = replace(clustering, version=old.version + 1, current_run=old.current_run)
    await repository.save(session, clustering, at=now)
    return clustering


async def seed(session: AsyncSession, wanted: Iterable[Clustering], *, now: datetime) -> None:
    """Store the shipped clusterings."""
    entries = await attributes.list_entries(session)
    for clustering in wanted:
        await repository.save(session, check_clustering(clustering, entries), at=now)


async def request_run(
    session: AsyncSession, key: str, *, requested_by: str, now: datetime
) -> ClusteringRun:
    """Queue a run, or return the one that already waits."""
    await repository.get(session, key, lock=True)
    connection = await raw_connection(session)
    waiting = await repository.find_waiting(connection, key)
    if waiting:
        return waiting
    run = ClusteringRun(
        run_id=new_id(),
        clustering=key,
        state=ClusteringRunState.QUEUED,
        requested_by=requested_by,
        created_at=now,
    )
    await repository.add_run(connection, run)
    return run


async def list_runs(
    session: AsyncSession, key: str, *, after: str | None, limit: int
) -> Page[ClusteringRun]:
    """Runs of a clustering, newest first."""
    await repository.get(session, key)
    [before] = decode_cursor(after, text) or ("",)
    runs = await repository.list_runs(session, key, before=before, limit=limit + 1)
    return page_of(runs, limit, lambda run: [run.run_id])


async def get_run(session: AsyncSession, key: str, run_id: str) -> ClusteringRun:
    """A run, its clusters called as they are called now."""
    run = await repository.get_run(session, key, run_id)
    if run.result is None:
        return run
    names = await repository.list_names(await raw_connection(session), key)
    clusters = tuple(
        replace(each, zh=names[each.name_key].zh, en=names[each.name_key].en)
        for each in run.result.clusters
        if each.name_key
    )
    return replace(run, result=replace(run.result, clusters=clusters))


async def rename(
    session: AsyncSession, wanted: ClusterName, *, if_match: str, now: datetime
) -> ClusterName:
    """Call a cluster something else, from now on and in the runs to come."""
    old = await repository.get_name(session, wanted.clustering, wanted.name_key, lock=True)
    check_match(if_match, old.version)
    name = replace(wanted, version=old.version + 1)
    await repository.save_names(await raw_connection(session), [name], at=now)
    return name


async def list_members(
    session: AsyncSession, key: str, name_key: str, *, scope: Scope, after: str | None, limit: int
) -> Page[Membership]:
    """Who is in a cluster since the run that counts, by customer."""
    [start] = decode_cursor(after, text) or ("",)
    name = await repository.get_name(session, key, name_key)
    members = await repository.list_members(
        session, name, scope=scope, after=start, limit=limit + 1
    )
    return page_of(members, limit, lambda member: [member.customer_id])
