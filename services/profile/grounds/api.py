from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query

from services.profile.grounds import service
from services.profile.grounds.schemas import Grounds
from services.profile.parameters import CODE_PATTERN
from shared.app import AppDatabase
from shared.auth import requires
from shared.subjects import read_rules

router = APIRouter(prefix="/v1/grounds", tags=["rights"])
ReadPurpose = Annotated[
    str | None,
    Query(
        alias="purpose",
        pattern=CODE_PATTERN,
        description="What is read for, one of `retention_purpose` in `/v1/codes`; what the ground "
        "of an attribute does not cover is left out",
    ),
]


@router.get("", dependencies=[requires("attributes:read")], response_model=Grounds)
async def list_grounds(database: AppDatabase) -> dict[str, Any]:
    """List on which ground each attribute is held, what it may be read for, and how long."""
    rules = read_rules("profile")
    async with database.connection() as connection:
        found = await service.list_all(connection)
    return {
        "items": [
            {
                **asdict(each),
                "kept_days": rules[each.store].kept_days,
                "restricted_days": rules[each.store].restricted_days,
            }
            for each in found
        ]
    }
