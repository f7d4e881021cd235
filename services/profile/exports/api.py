from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from services.profile.exports import domain
from services.profile.exports.domain import Export
from services.profile.exports.repository import past, streaming
from services.profile.exports.repository.streaming import Sight
from services.profile.features.domain import chosen
from services.profile.features.repository.computing import PAST
from services.profile.parameters import ID_PATTERN, Moment
from shared.app import AppDatabase, AppSettings, Clock
from shared.auth import CurrentToken, Token, requires
from shared.errors import Forbidden
from shared.problems import problem_responses

ARROW_STREAM = "application/vnd.apache.arrow.stream"
ANSWER = {200: {"content": {ARROW_STREAM: {"schema": {"type": "string", "format": "binary"}}}}}

router = APIRouter(prefix="/v1", tags=["exports"])


def _exporter(name: str, export: Export) -> Callable[..., Awaitable[StreamingResponse]]:
    async def export_rows(
        database: AppDatabase, token: CurrentToken, settings: AppSettings
    ) -> StreamingResponse:
        currency = settings.bank_currency if export is domain.EVENTS else None
        return _answer(streaming.stream(database, export, _sight(token), currency))

    export_rows.__name__ = f"export_{name}"
    export_rows.__doc__ = f"Stream all {name} the token sees, in the columns of the import."
    return export_rows


for _name, _export in {
    "customers": domain.CUSTOMERS,
    "accounts": domain.ACCOUNTS,
    "holdings": domain.HOLDINGS,
    "events": domain.EVENTS,
    "balances": domain.BALANCES,
    "relations": domain.RELATIONS,
    "kyc": domain.KYC,
    "needs": domain.NEEDS,
    "goals": domain.GOALS,
}.items():
    router.add_api_route(
        f"/{_name}:export",
        _exporter(_name, _export),
        methods=["GET"],
        dependencies=[requires("customers:read")],
        response_class=StreamingResponse,
        responses={**ANSWER, **problem_responses(403)},
    )


@router.get(
    "/features/export",
    dependencies=[requires("features:read")],
    response_class=StreamingResponse,
    responses={**ANSWER, **problem_responses(403, 422)},
)
async def export_features(
    *,
    database: AppDatabase,
    token: CurrentToken,
    settings: AppSettings,
    clock: Clock,
    columns: Annotated[
        str | None, Query(max_length=8000, description="Names by commas; all")
    ] = None,
    changed_in_run: Annotated[
        str | None, Query(pattern=ID_PATTERN, description="Only what this run changed last")
    ] = None,
    as_of: Annotated[
        Moment | None,
        Query(description="Compute them anew as of this moment; null where its facts are not kept"),
    ] = None,
    known_at: Annotated[
        Moment | None, Query(description="With as_of: from facts recorded until then only")
    ] = None,
) -> StreamingResponse:
    """Stream features: customer_id, as_of, and the columns asked for."""
    of_run = changed_in_run is not None
    moment = domain.moment_of(as_of, known_at, of_run=of_run, now=clock.now(), zone=clock.zone)
    if moment is not None:
        export = domain.features_of_the_past(chosen(columns), PAST)
        lanes = settings.past_lanes
        return _answer(past.stream(database, export, _sight(token), moment, lanes=lanes))
    export = domain.features(chosen(columns), of_run=of_run)
    return _answer(streaming.stream(database, export, _sight(token), changed_in_run))


def _sight(token: Token) -> Sight:
    if token.customer is not None:
        raise Forbidden("A token bound to one customer exports nothing", scope="")
    return Sight(org=token.org, rm=token.rm)


def _answer(parts: AsyncIterator[bytes]) -> StreamingResponse:
    return StreamingResponse(parts, media_type=ARROW_STREAM)
