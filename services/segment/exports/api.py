from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from services.segment.customers.schemas import AsOf
from services.segment.customers.service import scope_of
from services.segment.exports import service
from services.segment.scoring.service import online as scoring
from shared.app import AppDatabase, AppSettings, Session
from shared.auth import CurrentToken, requires

ARROW = "application/vnd.apache.arrow.stream"

router = APIRouter(prefix="/v1/memberships", tags=["memberships"])


@router.get(
    "/export",
    dependencies=[requires("segments:read")],
    response_class=StreamingResponse,
    responses={200: {"content": {ARROW: {"schema": {"type": "string", "format": "binary"}}}}},
)
async def export_memberships(
    *,
    session: Session,
    database: AppDatabase,
    settings: AppSettings,
    token: CurrentToken,
    changed_in_run: Annotated[
        str | None,
        Query(pattern="^[A-Za-z0-9_-]{1,64}$", description="Only customers this run changed"),
    ] = None,
    as_of: AsOf = None,
) -> StreamingResponse:
    """Levels and segments of customers as an Arrow stream, one row each, by customer."""
    stream = service.export_memberships(
        database,
        await scoring.level_types(session),
        as_of=as_of,
        run_id=changed_in_run,
        scope=scope_of(token),
        batch_rows=settings.export_batch_rows,
    )
    return StreamingResponse(stream, media_type=ARROW)
