from typing import Annotated

from fastapi import APIRouter, Depends, Query

from services.profile.identifiers import repository
from services.profile.identifiers.schemas import UnmaskingRead
from services.profile.identifiers.service import KeyRing, key_ring
from services.profile.parameters import ID_PATTERN
from shared.app import AppDatabase, AppSettings
from shared.auth import CurrentToken, requires
from shared.paging import Page, decode_cursor, moment, page_of, text
from shared.parameters import After, Limit

router = APIRouter(prefix="/v1/unmaskings", tags=["customers"])


def _ring(settings: AppSettings) -> KeyRing:
    return key_ring(settings.identifier_keys.get_secret_value())


Ring = Annotated[KeyRing, Depends(_ring)]


@router.get("", dependencies=[requires("unmaskings:read")])
async def list_unmaskings(
    *,
    database: AppDatabase,
    token: CurrentToken,
    customer_id: Annotated[str | None, Query(pattern=ID_PATTERN)] = None,
    actor: Annotated[str | None, Query(max_length=128, description="Who read")] = None,
    after: After = None,
    limit: Limit = 50,
) -> Page[UnmaskingRead]:
    """List who read identifiers in plain text, when, whose and what for, latest first."""
    before = decode_cursor(after, moment, text)
    async with database.connection() as connection:
        found = await repository.list_unmaskings(
            connection,
            token=token,
            customer_id=customer_id,
            actor=actor,
            after=before,
            limit=limit + 1,
        )
    items = [UnmaskingRead.model_validate(each) for each in found]
    return page_of(items, limit, lambda each: [each.at, each.unmasking_id])
