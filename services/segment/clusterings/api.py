from typing import Annotated

from fastapi import APIRouter, Path, Response

from services.segment.clusterings import repository
from services.segment.clusterings.domain.clustering import Clustering
from services.segment.clusterings.domain.runs import (
    ClusteringRun,
    ClusterName,
    CustomerClusters,
    Membership,
)
from services.segment.clusterings.schemas import (
    ClusteringRead,
    ClusteringReportRead,
    ClusteringRunRead,
    ClusteringUpdate,
    ClusterMemberRead,
    CustomerClustersRead,
    NameRead,
    NameUpdate,
)
from services.segment.clusterings.service import definitions as service
from services.segment.customers.service import scope_of
from shared.app import Clock, Session
from shared.auth import CurrentActor, CurrentToken, requires
from shared.etag import etag_of, is_current
from shared.paging import Page, decode_cursor, page_of, text
from shared.parameters import After, IfMatch, IfNoneMatch, Limit
from shared.problems import problem_responses

router = APIRouter(prefix="/v1", tags=["clusterings"])
ID = "^[A-Za-z0-9_-]{1,64}$"
Key = Annotated[str, Path(pattern=ID, description="Key of the clustering")]
NewKey = Annotated[str, Path(pattern="^[a-z][a-z0-9_]{0,63}$", description="Key of the clustering")]
RunId = Annotated[str, Path(pattern=ID, description="The run")]
NameKey = Annotated[str, Path(pattern=ID, description="Key of the cluster's name")]
CustomerId = Annotated[str, Path(pattern=ID, description="The customer")]
READ = [requires("segments:read")]
WRITE = [requires("segments:write")]
UNCHANGED = {304: {"description": "Still the version you hold"}}


@router.get("/clusterings", dependencies=READ, response_model=Page[ClusteringRead])
async def list_clusterings(
    session: Session, limit: Limit = 50, after: After = None
) -> Page[Clustering]:
    """By what customers are grouped without rules, by key."""
    [start] = decode_cursor(after, text) or ("",)
    found = await repository.list_clusterings(session, after=start, limit=limit + 1)
    return page_of(found, limit, lambda clustering: [clustering.key])


@router.get(
    "/clusterings/{key}",
    dependencies=READ,
    response_model=ClusteringRead,
    responses=problem_responses(404) | UNCHANGED,
)
async def get_clustering(
    key: Key, session: Session, response: Response, held: IfNoneMatch = None
) -> Clustering | Response:
    """One clustering."""
    clustering = await repository.get(session, key)
    response.headers["ETag"] = etag_of(clustering.version)
    return Response(status_code=304) if is_current(held, clustering.version) else clustering


@router.put(
    "/clusterings/{key}",
    dependencies=WRITE,
    response_model=ClusteringRead,
    responses=problem_responses(403, 412, 428),
)
async def put_clustering(
    *,
    key: NewKey,
    wanted: ClusteringUpdate,
    session: Session,
    clock: Clock,
    if_match: IfMatch,
    response: Response,
) -> Clustering:
    """Declare a clustering, or change one; its clusters stay until the next run."""
    clustering = await service.save(
        session, wanted.to_domain(key), if_match=if_match, now=clock.now()
    )
    response.headers["ETag"] = etag_of(clustering.version)
    return clustering


@router.post(
    "/clusterings/{key}/runs",
    status_code=202,
    dependencies=[requires("scoring:run")],
    response_model=ClusteringRunRead,
    responses=problem_responses(404),
)
async def create_clustering_run(
    key: Key, session: Session, clock: Clock, actor: CurrentActor, response: Response
) -> ClusteringRun:
    """Ask for a run over all customers; one that already waits is answered instead."""
    run = await service.request_run(session, key, requested_by=actor, now=clock.now())
    response.headers["Location"] = f"/v1/clusterings/{key}/runs/{run.run_id}"
    return run


@router.get(
    "/clusterings/{key}/runs",
    dependencies=READ,
    response_model=Page[ClusteringRunRead],
    responses=problem_responses(404),
)
async def list_clustering_runs(
    key: Key, session: Session, limit: Limit = 50, after: After = None
) -> Page[ClusteringRun]:
    """Runs of a clustering, newest first."""
    return await service.list_runs(session, key, after=after, limit=limit)


@router.get(
    "/clusterings/{key}/runs/{run_id}",
    dependencies=READ,
    response_model=ClusteringReportRead,
    responses=problem_responses(404),
)
async def get_clustering_run(key: Key, run_id: RunId, session: Session) -> ClusteringRun:
    """How far a run is, and what it found: the curve, the clusters, what sets each apart."""
    return await service.get_run(session, key, run_id)


@router.get(
    "/clusterings/{key}/clusters/{name_key}",
    dependencies=READ,
    response_model=NameRead,
    responses=problem_responses(404) | UNCHANGED,
)
async def get_cluster_name(
    key: Key, name_key: NameKey, session: Session, response: Response, held: IfNoneMatch = None
) -> ClusterName | Response:
    """What a cluster is called."""
    name = await repository.get_name(session, key, name_key)
    response.headers["ETag"] = etag_of(name.version)
    return Response(status_code=304) if is_current(held, name.version) else name


@router.put(
    "/clusterings/{key}/clusters/{name_key}",
    dependencies=WRITE,
    response_model=NameRead,
    responses=problem_responses(404, 412, 428),
)
async def put_cluster_name(
    *,
    key: Key,
    name_key: NameKey,
    wanted: NameUpdate,
    session: Session,
    clock: Clock,
    actor: CurrentActor,
    if_match: IfMatch,
    response: Response,
) -> ClusterName:
    """Call a cluster something else; runs that find it again keep the name."""
    named = wanted.to_domain(key, name_key, named_by=actor)
    name = await service.rename(session, named, if_match=if_match, now=clock.now())
    response.headers["ETag"] = etag_of(name.version)
    return name


@router.get(
    "/clusterings/{key}/clusters/{name_key}/members",
    dependencies=READ,
    response_model=Page[ClusterMemberRead],
    responses=problem_responses(404),
)
async def list_cluster_members(
    *,
    key: Key,
    name_key: NameKey,
    session: Session,
    token: CurrentToken,
    limit: Limit = 50,
    after: After = None,
) -> Page[Membership]:
    """Who is in a cluster since the run that counts; nobody once no run finds it any more."""
    scope = scope_of(token)
    return await service.list_members(session, key, name_key, scope=scope, after=after, limit=limit)


@router.get(
    "/customers/{customer_id}/clusters",
    dependencies=READ,
    tags=["customers"],
    response_model=CustomerClustersRead,
    responses=problem_responses(404),
)
async def get_customer_clusters(
    customer_id: CustomerId, session: Session, token: CurrentToken
) -> CustomerClusters:
    """The cluster of a customer in each clustering."""
    return await repository.get_memberships(session, customer_id, scope=scope_of(token))
