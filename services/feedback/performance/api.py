from typing import Annotated

from fastapi import APIRouter, Query

from services.feedback.customers.service import scope_of
from services.feedback.parameters import Moment
from services.feedback.performance import repository
from services.feedback.performance.domain import Dimension
from services.feedback.performance.schemas import PerformanceRead
from shared.app import AppSettings, Session
from shared.auth import CurrentToken, requires
from shared.database import raw_connection

router = APIRouter(prefix="/v1/performance", tags=["performance"])
Begin = Annotated[
    Moment | None, Query(alias="from", description="Decided at or after; default: ever")
]
End = Annotated[Moment | None, Query(alias="to", description="Decided before")]


@router.get("", dependencies=[requires("performance:read")])
async def get_performance(
    *,
    session: Session,
    token: CurrentToken,
    settings: AppSettings,
    by: Dimension = Dimension.ACTION,
    begin: Begin = None,
    end: End = None,
) -> PerformanceRead:
    """What came of the propositions decided in a period, of the customers the caller may see."""
    groups = await repository.count_by(
        await raw_connection(session), by, begin=begin, end=end, scope=scope_of(token)
    )
    currency: str = settings.bank_currency
    return PerformanceRead.of(groups, by=by, begin=begin, end=end, currency=currency)
