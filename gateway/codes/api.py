"""Codes: every enum and reason code, Chinese and English."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from gateway.codes.schemas import CodesRead
from shared.auth import requires

router = APIRouter(prefix="/v1/codes", tags=["codes"], dependencies=[requires()])


@router.get("", response_model=CodesRead)
async def list_codes(
    request: Request,
    kind: Annotated[str | None, Query(description="Only this vocabulary")] = None,
) -> dict[str, object]:
    """List enums and reason codes with their labels."""
    codes = request.app.state.codes
    return {"items": [each for each in codes if kind in {None, each.kind}]}
