import hashlib
from typing import Annotated

from fastapi import APIRouter, Path, Response

from services.profile.clients import Attributes
from services.profile.declarations import service
from services.profile.declarations.domain import DeclaredFeature, State
from services.profile.declarations.schemas import FeatureRead, FeatureWrite
from services.profile.declarations.service import Writing
from services.profile.parameters import CODE_PATTERN
from services.profile.vocabulary import AttributeWord
from shared.app import AppClient, AppDatabase, AppSettings, Clock
from shared.auth import CurrentActor, requires
from shared.etag import etag_of, is_current
from shared.paging import Page, decode_cursor, page_of, text
from shared.parameters import MAX_LIMIT, After, IfMatch, IfNoneMatch, Limit
from shared.problems import problem_responses

router = APIRouter(prefix="/v1/features", tags=["features"])
reads = [requires("features:read")]
writes = [requires("attributes:write")]
Name = Annotated[str, Path(pattern=CODE_PATTERN, description="Name of the feature, in snake_case")]


@router.get("", dependencies=reads)
async def list_features(
    database: AppDatabase, after: After = None, limit: Limit = MAX_LIMIT
) -> Page[FeatureRead]:
    """List features by name: the shipped ones, and those that the bank has declared."""
    (last,) = decode_cursor(after, text) or ("",)
    async with database.connection() as connection:
        found = await service.list_after(connection, last, limit=limit + 1)
    items = [FeatureRead.of(each) for each in found]
    return page_of(items, limit, lambda each: [each.name])


@router.get(
    "/{name}",
    dependencies=reads,
    response_model=FeatureRead,
    responses={**problem_responses(404), 304: {"description": "You hold the current version"}},
)
async def get_feature(
    name: Name, database: AppDatabase, response: Response, held: IfNoneMatch = None
) -> object:
    """Return a feature; of one that the bank has declared, how far it has been filled."""
    async with database.connection() as connection:
        found = await service.get(connection, name)
    response.headers.update(_headers(found))
    if _is_settled(found) and is_current(held, _version(found)):
        return Response(status_code=304, headers=_headers(found))
    return FeatureRead.of(found)


@router.put("/{name}", dependencies=writes, responses=problem_responses(409, 412, 422, 428, 503))
async def put_feature(
    *,
    name: Name,
    wanted: FeatureWrite,
    if_match: IfMatch,
    database: AppDatabase,
    client: AppClient,
    settings: AppSettings,
    clock: Clock,
    actor: CurrentActor,
    response: Response,
) -> FeatureRead:
    """Declare a feature, or its next version; it counts at once, past events are then added."""
    writing = Writing(if_match=if_match, author=actor, most=settings.most_declared_features)
    declared = wanted.to_domain(name)
    written = await service.put(database, declared, Attributes(client), writing, clock)
    response.headers["ETag"] = etag_of(written.version)
    return FeatureRead.of(written)


@router.delete(
    "/{name}", status_code=204, dependencies=writes, responses=problem_responses(404, 412, 428)
)
async def delete_feature(
    *,
    name: Name,
    if_match: IfMatch,
    database: AppDatabase,
    settings: AppSettings,
    clock: Clock,
    actor: CurrentActor,
) -> None:
    """Delete a declared feature: nobody has it any more, and rules over it find it unknown."""
    writing = Writing(if_match=if_match, author=actor, most=settings.most_declared_features)
    await service.delete(database, name, writing, clock)


def _headers(found: AttributeWord | DeclaredFeature) -> dict[str, str]:
    tag = {"ETag": etag_of(_version(found))}
    return tag if _is_settled(found) else {**tag, "Cache-Control": "no-store"}


def _is_settled(found: AttributeWord | DeclaredFeature) -> bool:
    """While it is being filled it moves on within its version."""
    return isinstance(found, AttributeWord) or found.state is State.LIVE


def _version(found: AttributeWord | DeclaredFeature) -> int | str:
    if isinstance(found, DeclaredFeature):
        return found.version
    return hashlib.sha256(repr(found).encode()).hexdigest()[:16]
