from fastapi import APIRouter

from services.profile.conduct import service
from services.profile.conduct.domain import State
from services.profile.conduct.schemas import ConductFindingRead
from shared.app import AppDatabase
from shared.auth import CurrentToken, requires
from shared.paging import Page, decode_cursor, page_of, text
from shared.parameters import After, Limit
from shared.problems import problem_responses

router = APIRouter(prefix="/v1/conduct-findings", tags=["conduct"])


@router.get("", dependencies=[requires("conduct:read")], responses=problem_responses(403))
async def list_conduct_findings(
    database: AppDatabase,
    token: CurrentToken,
    state: State | None = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[ConductFindingRead]:
    """List sales before, after the end of, or above a risk assessment, the latest found first."""
    (before,) = decode_cursor(after, text) or (None,)
    async with database.connection() as connection:
        found = await service.list_of(
            connection, token, state=state, before=before, limit=limit + 1
        )
    items = [ConductFindingRead.of(each) for each in found]
    return page_of(items, limit, lambda each: [each.finding_id])
