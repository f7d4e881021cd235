from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

import pyarrow as pa
from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from services.profile.exports import domain
from services.profile.exports.domain import Export
from services.profile.exports.repository import past, streaming
from services.profile.exports.repository.streaming import Sight
from services.profile.features import service as features
from services.profile.features.domain import chosen
from services.profile.features.repository.computing import PAST
from services.profile.features.repository.declared import shown
from services.profile.parameters import ID_PATTERN, Moment
from shared.app import AppDatabase, AppSettings, Clock
from shared.auth import CurrentToken, Token, requires
from shared.errors import Forbidden
from shared.formats.kinds import ENDINGS, MEDIA_TYPES, Format, Shape
from shared.formats.parameters import ExportFormat, ExportShape
from shared.formats.writing import writer_of
from shared.media import binary
from shared.problems import problem_responses

ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"content": {media: binary(f"`format={kind}`") for kind, media in MEDIA_TYPES.items()}}
}

router = APIRouter(prefix="/v1", tags=["exports"])


def _exporter(name: str, export: Export) -> Callable[..., Awaitable[StreamingResponse]]:
    async def export_rows(
        database: AppDatabase,
        token: CurrentToken,
        settings: AppSettings,
        shape: ExportShape,
        kind: ExportFormat = Format.ARROW,
    ) -> StreamingResponse:
        currency = settings.bank_currency if export is domain.EVENTS else None
        rows = streaming.tables(database, export, _sight(token), currency)
        return _answer(rows, export, _File(name, kind, shape))

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
    shape: ExportShape,
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
    kind: ExportFormat = Format.ARROW,
) -> StreamingResponse:
    """Stream features: customer_id, as_of, and the columns asked for."""
    of_run = changed_in_run is not None
    file = _File("features", kind, shape)
    moment = domain.moment_of(as_of, known_at, of_run=of_run, now=clock.now(), zone=clock.zone)
    async with database.connection() as connection:
        wanted = chosen(columns, await features.list_declared(connection))
    if moment is not None:
        export = domain.features_of_the_past(wanted, PAST)
        lanes = settings.past_lanes
        rows = past.tables(database, export, _sight(token), moment, lanes=lanes)
        return _answer(rows, export, file)
    export = domain.features(wanted, shown("f"), of_run=of_run)
    rows = streaming.tables(database, export, _sight(token), changed_in_run)
    return _answer(rows, export, file)


def _sight(token: Token) -> Sight:
    if token.customer is not None:
        raise Forbidden("A token bound to one customer exports nothing", scope="")
    return Sight(org=token.org, rm=token.rm)


@dataclass(frozen=True, slots=True)
class _File:
    """What to call an export, and how to write it."""

    name: str
    kind: Format
    shape: Shape


def _answer(rows: AsyncIterator[pa.Table], export: Export, file: _File) -> StreamingResponse:
    kind, shape = file.kind, file.shape
    writer = writer_of(kind, export.schema, shape)
    media = MEDIA_TYPES[kind]
    if kind in {Format.CSV, Format.FIXED}:
        media = f"{media}; charset={shape.charset}"
    return StreamingResponse(
        streaming.written(rows, writer),
        media_type=media,
        headers={"Content-Disposition": f'attachment; filename="{file.name}.{ENDINGS[kind]}"'},
    )
