"""The page-load path: plain endpoints that return ready bytes; and the log with its reasons."""

from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, FastAPI, Path, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, ValidationError
from pydantic.json_schema import models_json_schema

from services.strategy.decisions import service
from services.strategy.decisions.domain.explanation import Explained
from services.strategy.decisions.repository import Record
from services.strategy.decisions.schemas import (
    Candidate,
    ChosenRead,
    DecisionCreate,
    DecisionRead,
    DecisionRecord,
    Explanation,
    RecommendationQuery,
)
from services.strategy.decisions.service import Decider
from shared.auth import CurrentToken, authorise, requires
from shared.errors import FieldError, Malformed
from shared.plain import PlainRoute
from shared.problems import problem_responses

M = TypeVar("M", bound=BaseModel)
DecisionId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="The decision's id")]
WAIT_FOR = "bihuan-wait-for"
_SCHEMAS = "#/components/schemas/"

router = APIRouter(prefix="/v1", tags=["decisions"])


def _decider(request: Request) -> Decider:
    return request.app.state.decider


CurrentDecider = Annotated[Decider, Depends(_decider)]


async def create_decision(request: Request) -> Response:
    """Decide what one customer is offered now."""
    token = await authorise(request, "decisions:write")
    if request.query_params:
        _refuse_parameters(request, known=())
    wanted = _read_body(DecisionCreate, await request.body())
    asked = _asked(wanted, request.headers.get(WAIT_FOR))
    return _json(await _decider(request).decide(asked, token))


async def list_recommendations(request: Request) -> Response:
    """Return what to show one customer in one placement."""
    token = await authorise(request, "recommendations:read")
    customer_id = request.path_params["customer_id"]
    token.must_see(customer_id)
    _refuse_parameters(request, known=tuple(RecommendationQuery.model_fields))
    wanted = _read_query(request)
    asked = service.Request(
        customer_id=customer_id,
        channel=wanted.channel,
        limit=wanted.limit,
        placements=(wanted.placement,) * wanted.limit if wanted.placement else (),
        wants_personalization=wanted.personalization,
        wait_for=request.headers.get(WAIT_FOR),
        must_exist=True,
    )
    return _json(await _decider(request).decide(asked, token))


PAGE_LOADS = (
    PlainRoute("/v1/decisions", create_decision, method="POST"),
    PlainRoute("/v1/customers/{customer_id}/recommendations", list_recommendations, method="GET"),
)
"""Tried before all other routes."""


@router.get(
    "/decisions/{decision_id}",
    dependencies=[requires("decisions:read")],
    response_model=DecisionRecord,
    responses=problem_responses(404),
)
async def get_decision(
    decision_id: DecisionId, decider: CurrentDecider, token: CurrentToken
) -> DecisionRecord:
    """Read a decision from the log."""
    return _record_read(await decider.record_of(decision_id, token))


@router.get(
    "/decisions/{decision_id}/explain",
    dependencies=[requires("decisions:read")],
    response_model=Explanation,
    responses=problem_responses(404),
)
async def explain_decision(
    decision_id: DecisionId, decider: CurrentDecider, token: CurrentToken
) -> Explanation:
    """Make the decision again from its record; say why each treatment was or was not chosen."""
    record = await decider.record_of(decision_id, token)
    is_reproduced, explained = await decider.explain(record)
    return Explanation(
        decision_id=record.decision_id,
        customer_id=record.customer_id,
        mode=record.mode,
        is_reproduced=is_reproduced,
        candidates=[_candidate(item) for item in explained],
    )


def _asked(wanted: DecisionCreate, wait_for: str | None) -> service.Request:
    return service.Request(
        customer_id=wanted.customer_id,
        channel=wanted.channel,
        direction=wanted.direction,
        placements=wanted.placements,
        context=tuple((item.key, item.value) for item in wanted.context),
        limit=wanted.limit or len(wanted.placements) or 3,
        request_id=wanted.request_id,
        is_dry_run=wanted.dry_run,
        wants_personalization=wanted.personalization,
        wait_for=wait_for,
    )


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")


def _read_body(schema: type[M], body: bytes) -> M:
    try:
        return schema.model_validate_json(body)
    except ValidationError as error:
        raise _invalid(error, "body") from error


def _read_query(request: Request) -> RecommendationQuery:
    try:
        return RecommendationQuery.model_validate(dict(request.query_params))
    except ValidationError as error:
        raise _invalid(error, "query") from error


def _invalid(error: ValidationError, place: str) -> RequestValidationError:
    """Say it as FastAPI would, so that the problem document is the same everywhere."""
    found = error.errors(include_url=False, include_input=False)
    return RequestValidationError([{**item, "loc": (place, *item["loc"])} for item in found])


def _refuse_parameters(request: Request, *, known: tuple[str, ...]) -> None:
    unknown = sorted(set(request.query_params) - set(known))
    if unknown:
        raise Malformed(
            f"Unknown query parameter {', '.join(unknown)}",
            code="unknown_parameter",
            errors=[FieldError(f"query:{name}", "unknown parameter") for name in unknown],
        )


def _record_read(record: Record) -> DecisionRecord:
    return DecisionRecord(
        decision_id=record.decision_id,
        customer_id=record.customer_id,
        at=record.at,
        channel=record.channel,
        direction=record.direction,
        placement=record.placement,
        mode=record.mode,
        degraded_by=record.degraded,
        cause=record.cause,
        catalogue_version=record.catalogue_version,
        propensity_version=record.propensity_version,
        propositions=[ChosenRead.model_validate(chosen) for chosen in record.chosen],
    )


def _candidate(item: Explained) -> Candidate:
    refusal = item.refusal
    return Candidate(
        treatment=item.treatment,
        action=item.action,
        product=item.product,
        rank=item.rank,
        stage=refusal.stage.name.lower() if refusal else None,
        code=refusal.code if refusal else None,
        values=dict(refusal.values) if refusal else {},
        propensity=item.propensity,
        evidence=item.evidence,
        probability=item.probability,
    )


def describe(app: FastAPI) -> None:
    """Put the plain endpoints into the API document, by hand."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        if "/v1/decisions" not in document["paths"]:
            document["components"]["schemas"] |= _schemas()
            document["paths"] |= _paths()
        return document

    app.openapi = openapi


def _schemas() -> dict[str, Any]:
    _, definitions = models_json_schema(
        [(DecisionCreate, "validation"), (DecisionRead, "serialization")],
        ref_template=f"{_SCHEMAS}{{model}}",
    )
    return definitions["$defs"]


def _paths() -> dict[str, Any]:
    wait_for = {
        "name": "Bihuan-Wait-For",
        "in": "header",
        "required": False,
        "description": "Event id a write answered in `Bihuan-Event`: waits at most 120 ms for it",
        "schema": {"type": "string"},
    }
    create = {
        "operationId": "create_decision",
        "summary": create_decision.__doc__,
        "parameters": [wait_for],
        "requestBody": {"required": True, "content": _content("DecisionCreate")},
        **_usual("decisions:write"),
    }
    recommendations = {
        "operationId": "list_recommendations",
        "summary": list_recommendations.__doc__,
        "parameters": [_customer_id(), *_query_parameters(), wait_for],
        # what the gateway answers, should this service not: the page gets an empty list
        "x-bihuan-fallback": service.empty_answer(
            "{customer_id}", decision_id="{new_id}", cause="unavailable"
        ),
        **_usual("recommendations:read", 404),
    }
    return {
        "/v1/decisions": {"post": create},
        "/v1/customers/{customer_id}/recommendations": {"get": recommendations},
    }


def _usual(scope: str, *statuses: int) -> dict[str, Any]:
    problems = problem_responses(400, 401, 403, 404, 413, 422, 429, 503, *statuses)
    answer = {"description": "The decision", "content": _content("DecisionRead")}
    return {
        "tags": ["decisions"],
        "security": [{"bihuan": [scope]}],
        "responses": {"200": answer, **{str(code): item for code, item in problems.items()}},
    }


def _content(schema: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"{_SCHEMAS}{schema}"}}}


def _customer_id() -> dict[str, Any]:
    schema = {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}
    return {"name": "customer_id", "in": "path", "required": True, "schema": schema}


def _query_parameters() -> list[dict[str, Any]]:
    properties = RecommendationQuery.model_json_schema()["properties"]
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": schema.pop("description"),
            "schema": schema,
        }
        for name, schema in properties.items()
    ]
