from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from services.feedback.customers.service import must_see, scope_of
from services.feedback.outcomes import repository
from services.feedback.outcomes.domain import Report
from services.feedback.outcomes.schemas import (
    OutcomeRead,
    OutcomesWanted,
    TakenRead,
    outcome_key,
    reports_of,
)
from services.feedback.outcomes.service import Recorder
from services.feedback.parameters import CustomerId
from shared.app import AppSettings, Clock, Session
from shared.auth import CurrentToken, requires
from shared.database import raw_connection
from shared.paging import Page, decode_cursor, moment, page_of, text
from shared.parameters import After, Limit
from shared.problems import problem_responses

router = APIRouter(prefix="/v1", tags=["outcomes"])


async def _recorder(request: Request) -> Recorder:
    return request.app.state.recorder


async def _reports(
    wanted: OutcomesWanted, settings: AppSettings, clock: Clock
) -> Mapping[str, Report]:
    return reports_of(wanted, now=clock.now(), currency=settings.bank_currency)


@router.post(
    "/outcomes",
    dependencies=[requires("outcomes:write")],
    responses={
        200: {"headers": {"Bihuan-Event": {"schema": {"type": "string"}}}},
        **problem_responses(404, 409),
    },
)
async def report_outcomes(
    *,
    reports: Annotated[Mapping[str, Report], Depends(_reports)],
    recorder: Annotated[Recorder, Depends(_recorder)],
    session: Session,
    clock: Clock,
    token: CurrentToken,
    response: Response,
) -> TakenRead:
    """Report what came of propositions, one or up to 1,000; sent again it counts once.

    A decision that strategy made a moment ago may not have arrived here: the outcome is kept and
    linked when it does. `Bihuan-Event` names the last event this made, if any.
    """
    taken = await recorder.take(
        await raw_connection(session),
        list(reports.values()),
        pointers=list(reports),
        scope=scope_of(token),
        now=clock.now(),
    )
    if taken.event_id:
        response.headers["Bihuan-Event"] = taken.event_id
    return TakenRead.of(taken)


@router.get(
    "/customers/{customer_id}/outcomes",
    dependencies=[requires("outcomes:read")],
    responses=problem_responses(404),
)
async def list_outcomes(
    *,
    customer_id: CustomerId,
    session: Session,
    token: CurrentToken,
    settings: AppSettings,
    limit: Limit = 50,
    after: After = None,
) -> Page[OutcomeRead]:
    """What came of the propositions made to a customer, newest first."""
    connection = await raw_connection(session)
    records = await must_see(connection, customer_id, scope_of(token))
    found = await repository.list_of_customer(
        connection, records, before=decode_cursor(after, moment, text), limit=limit + 1
    )
    outcomes = [OutcomeRead.of(outcome, settings.bank_currency) for outcome in found]
    return page_of(outcomes, limit, outcome_key)
