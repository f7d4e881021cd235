from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from services.profile.parameters import CODE_PATTERN
from services.profile.purposes import domain, service
from services.profile.purposes.domain import Purpose
from services.profile.purposes.schemas import (
    ConsentPurposeRead,
    ConsentPurposesRead,
    ConsentTextWrite,
)
from shared.app import AppDatabase, Clock
from shared.auth import CurrentToken, requires
from shared.etag import etag_of, is_current
from shared.parameters import IfMatch, IfNoneMatch
from shared.problems import problem_responses


def asked_purpose(
    purpose: Annotated[str, Path(pattern=CODE_PATTERN, examples=[Purpose.MARKETING.value])],
) -> Purpose:
    """Return the purpose of this name."""
    return domain.purpose_of(purpose)


router = APIRouter(prefix="/v1/consent-purposes", tags=["consents"])
reads, writes = [requires("customers:read")], [requires("purposes:write")]
AskedPurpose = Annotated[Purpose, Depends(asked_purpose)]
TextName = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,64}$", description="The text's version")]


@router.get("", dependencies=reads)
async def list_consent_purposes(database: AppDatabase, clock: Clock) -> ConsentPurposesRead:
    """List what consents are asked for, with every text in use, past and proposed."""
    async with database.connection() as connection:
        found = await service.list_all(connection, clock.now())
    return ConsentPurposesRead(items=[ConsentPurposeRead.of(each) for each in found])


@router.get(
    "/{purpose}",
    dependencies=reads,
    response_model=ConsentPurposeRead,
    responses={**problem_responses(404), 304: {"description": "You hold the current version"}},
)
async def get_consent_purpose(
    purpose: AskedPurpose,
    database: AppDatabase,
    clock: Clock,
    response: Response,
    held: IfNoneMatch = None,
) -> object:
    """Return what a purpose means, and how far consents to older texts have lapsed."""
    async with database.connection() as connection:
        found = await service.get(connection, purpose, clock.now())
    response.headers["ETag"] = etag_of(found.version)
    if is_current(held, found.version):
        return Response(status_code=304, headers={"ETag": etag_of(found.version)})
    return ConsentPurposeRead.of(found)


@router.put("/{purpose}", dependencies=writes, responses=problem_responses(403, 409, 412, 428))
async def propose_consent_text(
    *,
    purpose: Purpose,
    wanted: ConsentTextWrite,
    if_match: IfMatch,
    database: AppDatabase,
    clock: Clock,
    token: CurrentToken,
    response: Response,
) -> ConsentPurposeRead:
    """Propose what the purpose shall mean next; nothing changes before another person accepts."""
    text = wanted.to_domain(purpose, by=token.person(), now=clock.now())
    async with database.transaction() as connection:
        found = await service.propose(connection, text, if_match=if_match, now=clock.now())
    response.headers["ETag"] = etag_of(found.version)
    return ConsentPurposeRead.of(found)


@router.post(
    "/{purpose}/texts/{text_version}/accept",
    dependencies=writes,
    responses=problem_responses(403, 404, 409, 412, 428),
)
async def accept_consent_text(
    *,
    purpose: Purpose,
    text_version: TextName,
    if_match: IfMatch,
    database: AppDatabase,
    clock: Clock,
    token: CurrentToken,
    response: Response,
) -> ConsentPurposeRead:
    """Accept what another person proposed; consents to older texts lapse by themselves."""
    async with database.transaction() as connection:
        found = await service.accept(
            connection, purpose, text_version, if_match=if_match, token=token, clock=clock
        )
    response.headers["ETag"] = etag_of(found.version)
    return ConsentPurposeRead.of(found)
