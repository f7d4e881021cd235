from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query

from services.profile.alert_kinds.schemas import Severity
from services.profile.alerts import service
from services.profile.alerts.domain import State, Wanted
from services.profile.alerts.schemas import AcknowledgementCreate, AlertRead, shown
from services.profile.parameters import CODE_PATTERN, ID_PATTERN, CustomerId
from shared.app import AppDatabase, Clock, Session
from shared.auth import CurrentToken, requires
from shared.paging import Page, decode_cursor, moment, page_of, text
from shared.parameters import After, Limit
from shared.problems import problem_responses

router = APIRouter(prefix="/v1", tags=["alerts"])
reads = [requires("customers:read")]
AskedState = Annotated[
    State, Query(description="`open`: those that hold now; `all`: cleared ones too")
]


@router.get("/alerts", dependencies=reads)
async def list_alerts(
    *,
    database: AppDatabase,
    token: CurrentToken,
    rm: Annotated[
        str | None, Query(pattern=ID_PATTERN, description="Of whom this manager looks after now")
    ] = None,
    org: Annotated[
        str | None, Query(max_length=500, description="Of this org unit and all below")
    ] = None,
    severity: Annotated[Severity | None, Query()] = None,
    alert: Annotated[
        str | None, Query(pattern=CODE_PATTERN, description="Only of this kind")
    ] = None,
    run: Annotated[
        str | None, Query(pattern=ID_PATTERN, description="Only those that this run changed last")
    ] = None,
    state: AskedState = "open",
    after: After = None,
    limit: Limit = 50,
) -> Page[AlertRead]:
    """List the alerts on the customers that the caller may see, latest first."""
    wanted = Wanted(state=state, rm_id=rm, org_path=org, severity=severity, kind=alert, run_id=run)
    async with database.connection() as connection:
        found = await service.list_wanted(
            connection, wanted, token, before=_place(after), limit=limit + 1
        )
    return page_of(
        [shown(each) for each in found], limit, lambda each: [each.raised_at, each.alert_id]
    )


@router.get("/customers/{customer_id}/alerts", dependencies=reads, responses=problem_responses(404))
async def list_customer_alerts(
    *,
    customer_id: CustomerId,
    session: Session,
    token: CurrentToken,
    state: AskedState = "open",
    after: After = None,
    limit: Limit = 50,
) -> Page[AlertRead]:
    """List the alerts on a customer, latest first."""
    (before,) = decode_cursor(after, text) or (None,)
    found = await service.list_of(
        session, customer_id, state=state, token=token, before=before, limit=limit + 1
    )
    return page_of([shown(each) for each in found], limit, lambda each: [each.alert_id])


@router.post(
    "/customers/{customer_id}/alerts/{alert_id}/acknowledge",
    dependencies=[requires("customers:write")],
    responses=problem_responses(404),
)
async def acknowledge_alert(
    *,
    customer_id: CustomerId,
    alert_id: Annotated[str, Path(pattern=ID_PATTERN)],
    wanted: AcknowledgementCreate,
    session: Session,
    token: CurrentToken,
    clock: Clock,
) -> AlertRead:
    """Note that an alert was seen to, and why; noted already, it stays as it is."""
    noted = await service.acknowledge(
        session, customer_id, alert_id, wanted.reason, token=token, clock=clock
    )
    return shown(noted)


def _place(cursor: str | None) -> tuple[datetime, str] | None:
    return decode_cursor(cursor, moment, text)
