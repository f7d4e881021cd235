from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from services.profile.events.domain import Reason
from services.profile.parameters import ID_PATTERN, tell
from services.profile.quarantine import repository, service
from services.profile.quarantine.domain import QuarantineState, Replayed, Wanted
from services.profile.quarantine.schemas import (
    Drop,
    QuarantinedRead,
    Replay,
    ReplayAll,
    ReplayedRead,
)
from shared.app import AppDatabase, AppSettings, Clock
from shared.auth import CurrentToken, requires
from shared.paging import Page, decode_cursor, page_of, text
from shared.parameters import After, Limit
from shared.problems import problem_responses

router = APIRouter(prefix="/v1", tags=["events"])
reads, writes = [requires("customers:read")], [requires("events:write")]
QuarantineId = Annotated[str, Path(pattern=ID_PATTERN)]


def _wanted(
    state: QuarantineState | None = None,
    reason: Reason | None = None,
    customer_id: Annotated[str | None, Query(pattern=ID_PATTERN)] = None,
) -> Wanted:
    return Wanted(state=state, reason=reason, customer_id=customer_id)


@router.get("/quarantine", dependencies=reads)
async def list_quarantine(
    *,
    wanted: Annotated[Wanted, Depends(_wanted)],
    database: AppDatabase,
    token: CurrentToken,
    settings: AppSettings,
    after: After = None,
    limit: Limit = 50,
) -> Page[QuarantinedRead]:
    """List events that were not believed, the oldest first, those decided on too."""
    (last,) = decode_cursor(after, text) or ("",)
    async with database.connection() as connection:
        found = await repository.list_of(connection, wanted, token, after=last, limit=limit + 1)
    items = [QuarantinedRead.of(each, settings.bank_currency) for each in found]
    return page_of(items, limit, lambda each: [each.quarantine_id])


@router.get("/quarantine/{quarantine_id}", dependencies=reads, responses=problem_responses(404))
async def get_quarantined(
    quarantine_id: QuarantineId, database: AppDatabase, token: CurrentToken, settings: AppSettings
) -> QuarantinedRead:
    """Return one event that was not believed."""
    async with database.connection() as connection:
        found = await repository.get(connection, quarantine_id, token)
    return QuarantinedRead.of(found, settings.bank_currency)


@router.post(
    "/quarantine/{quarantine_id}/replay",
    dependencies=writes,
    responses=problem_responses(404, 409),
)
async def replay_quarantined(
    *,
    quarantine_id: QuarantineId,
    wanted: Replay,
    response: Response,
    database: AppDatabase,
    token: CurrentToken,
    settings: AppSettings,
    clock: Clock,
) -> QuarantinedRead:
    """Record an event again, mended or as it was told; believed now, it counts as if on time."""
    async with database.transaction() as connection:
        found, event_id = await service.replay(
            connection,
            quarantine_id,
            wanted.event and wanted.event.to_domain(),
            note=wanted.note,
            currency=settings.bank_currency,
            token=token,
            clock=clock,
        )
    tell(response, event_id)
    return QuarantinedRead.of(found, settings.bank_currency)


@router.post("/quarantine:replay", dependencies=writes, response_model=ReplayedRead)
async def replay_quarantine(
    *,
    wanted: ReplayAll,
    response: Response,
    database: AppDatabase,
    token: CurrentToken,
    settings: AppSettings,
    clock: Clock,
) -> Replayed:
    """Record open events again as they were told, say once their customers have arrived."""
    async with database.transaction() as connection:
        replayed, event_id = await service.replay_all(
            connection,
            wanted.wanted(),
            limit=wanted.limit,
            note=wanted.note,
            currency=settings.bank_currency,
            token=token,
            clock=clock,
        )
    tell(response, event_id)
    return replayed


@router.post(
    "/quarantine/{quarantine_id}/drop",
    dependencies=writes,
    responses=problem_responses(404, 409),
)
async def drop_quarantined(
    *,
    quarantine_id: QuarantineId,
    wanted: Drop,
    database: AppDatabase,
    token: CurrentToken,
    settings: AppSettings,
    clock: Clock,
) -> QuarantinedRead:
    """Decide that an event never happened; it stays on record, and never counts."""
    async with database.transaction() as connection:
        found = await service.drop(
            connection, quarantine_id, note=wanted.note, token=token, clock=clock
        )
    return QuarantinedRead.of(found, settings.bank_currency)
