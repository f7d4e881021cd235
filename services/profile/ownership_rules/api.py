from fastapi import APIRouter, Response

from services.profile.ownership_rules import service
from services.profile.ownership_rules.schemas import OwnershipRulesRead, OwnershipRulesWrite
from shared.app import AppDatabase, Clock
from shared.auth import CurrentToken, requires
from shared.etag import etag_of
from shared.parameters import IfMatch
from shared.problems import problem_responses

router = APIRouter(prefix="/v1/ownership-rules", tags=["ownership"])


@router.get("", dependencies=[requires("customers:read")], responses=problem_responses(403))
async def get_ownership_rules(
    database: AppDatabase, token: CurrentToken, response: Response
) -> OwnershipRulesRead:
    """Return the rules by which customers are given to managers."""
    token.must_be_staff()
    async with database.connection() as connection:
        found = await service.get(connection)
    response.headers["ETag"] = etag_of(found.version)
    return OwnershipRulesRead.of(found)


@router.put(
    "", dependencies=[requires("catalogue:write")], responses=problem_responses(403, 412, 428)
)
async def put_ownership_rules(
    *,
    wanted: OwnershipRulesWrite,
    if_match: IfMatch,
    database: AppDatabase,
    clock: Clock,
    token: CurrentToken,
    response: Response,
) -> OwnershipRulesRead:
    """Write the rules anew; they count for what is proposed from now on."""
    async with database.transaction() as connection:
        edition = await service.put(
            connection, wanted.to_domain(), if_match=if_match, token=token, now=clock.now()
        )
    response.headers["ETag"] = etag_of(edition.version)
    return OwnershipRulesRead.of(edition)
