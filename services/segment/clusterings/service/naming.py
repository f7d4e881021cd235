"""Clusters of a run found again from the run before, and given names."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from itertools import count

import asyncpg

from services.segment.clusterings import repository
from services.segment.clusterings.domain.clustering import Clustering
from services.segment.clusterings.domain.describing import Label, Words, free_of, proposal_of
from services.segment.clusterings.domain.matching import adjusted_rand, distances_of, match
from services.segment.clusterings.domain.runs import Cluster, ClusteringRun, ClusterName, Result


async def compared(
    connection: asyncpg.Connection, run: ClusteringRun, clustering: Clustering, result: Result
) -> Result:
    """The result beside the run before: what is the same cluster, and how stable all are."""
    before = await repository.find_current(connection, clustering.key)
    if before is None or before.result is None:
        return result
    old, new = before.result.clusters, result.clusters
    counts = await repository.count_overlaps(
        connection, before.run_id, run.run_id, shape=(len(old), len(new))
    )
    distances = distances_of([each.profile for each in old], [each.profile for each in new])
    kept = {
        each.now: (old[each.before].name_key, each.jaccard)
        for each in match(counts, distances, at_least=clustering.keep_name_from)
    }
    clusters = tuple(
        replace(cluster, name_key=kept[place][0], kept=kept[place][1]) if place in kept else cluster
        for place, cluster in enumerate(new)
    )
    return replace(
        result,
        clusters=clusters,
        previous_run=before.run_id,
        stability=adjusted_rand(counts) if counts.any() else None,
    )


async def named(
    connection: asyncpg.Connection,
    clustering: Clustering,
    result: Result,
    *,
    labels: Mapping[str, Label],
    words: Words,
    now: datetime,
) -> Result:
    """The result with a name for each cluster; those that had one keep it."""
    names = await repository.list_names(connection, clustering.key)
    called = {key: Label(name.zh, name.en) for key, name in names.items()}
    taken = {called[each.name_key] for each in result.clusters if each.name_key}
    keys = (key for number in count(1) if (key := f"c{number}") not in names)
    clusters: list[Cluster] = []
    added: list[ClusterName] = []
    for cluster in result.clusters:
        proposed = proposal_of(cluster, labels, words)
        name_key = cluster.name_key or next(keys)
        name = called.get(name_key) or free_of(proposed, taken)
        taken.add(name)
        if name_key not in names:
            added.append(
                ClusterName(clustering=clustering.key, name_key=name_key, zh=name.zh, en=name.en)
            )
        clusters.append(
            replace(
                cluster,
                name_key=name_key,
                zh=name.zh,
                en=name.en,
                proposed_zh=proposed.zh,
                proposed_en=proposed.en,
            )
        )
    await repository.save_names(connection, added, at=now)
    return replace(result, clusters=tuple(clusters))
