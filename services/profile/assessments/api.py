from fastapi import APIRouter, Response

from services.profile.assessments import service
from services.profile.assessments.domain import Assessment, Limits, valid_until
from services.profile.assessments.schemas import AssessmentCreate, AssessmentRead
from services.profile.parameters import CustomerId, tell
from shared.app import AppSettings, Clock, Session
from shared.auth import CurrentToken, requires
from shared.paging import Page, decode_cursor, moment, page_of
from shared.parameters import After, Limit
from shared.problems import problem_responses

router = APIRouter(prefix="/v1/customers/{customer_id}/assessments", tags=["assessments"])


@router.get("", dependencies=[requires("customers:read")], responses=problem_responses(404))
async def list_assessments(
    customer_id: CustomerId,
    session: Session,
    token: CurrentToken,
    after: After = None,
    limit: Limit = 50,
) -> Page[AssessmentRead]:
    """List a customer's risk assessments, latest first."""
    (before,) = decode_cursor(after, moment) or (None,)
    found = await service.list_of(session, customer_id, token=token, before=before, limit=limit + 1)
    items = [AssessmentRead.model_validate(each) for each in found]
    return page_of(items, limit, lambda each: [each.assessed_at])


@router.post(
    "",
    status_code=201,
    dependencies=[requires("customers:write")],
    response_model=AssessmentRead,
    responses=problem_responses(404, 409),
)
async def create_assessment(
    *,
    customer_id: CustomerId,
    wanted: AssessmentCreate,
    response: Response,
    session: Session,
    token: CurrentToken,
    settings: AppSettings,
    clock: Clock,
) -> Assessment:
    """Record the answers of a customer: at most 2 a day, 8 in 12 months, never by staff."""
    assessed_at = wanted.assessed_at or clock.now()
    assessment = Assessment(
        risk_class=wanted.risk_class,
        assessed_at=assessed_at,
        valid_until=valid_until(assessed_at),
        questionnaire_version=wanted.questionnaire_version,
        submitted_by=token.author,
    )
    limits = Limits(a_day=settings.assessments_a_day, a_year=settings.assessments_a_year)
    event_id = await service.record(
        session, customer_id, assessment, limits=limits, token=token, clock=clock
    )
    tell(response, event_id)
    return assessment
