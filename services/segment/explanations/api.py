from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from services.segment.customers.service import scope_of
from services.segment.explanations.schemas import ExplanationRead
from services.segment.explanations.service import Explainers
from shared.app import AppSettings, Session
from shared.auth import CurrentToken, requires
from shared.problems import problem_responses

router = APIRouter(prefix="/v1/customers/{customer_id}", tags=["customers"])
CustomerId = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,64}$", description="The customer")]


async def _explainers(request: Request) -> Explainers:
    return request.app.state.explainers


@router.get(
    "/explanations",
    dependencies=[requires("segments:read", "features:read")],
    responses=problem_responses(404),
)
async def get_explanations(
    customer_id: CustomerId,
    session: Session,
    token: CurrentToken,
    settings: AppSettings,
    explainers: Annotated[Explainers, Depends(_explainers)],
) -> ExplanationRead:
    """Why a customer has the scores and levels they have: what was read, and what it gave."""
    found = await explainers.explain(session, customer_id, scope=scope_of(token))
    return ExplanationRead.of(found, settings.bank_currency)
