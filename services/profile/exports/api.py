from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from services.profile.exports import domain, repository
from services.profile.exports.domain import Export
from services.profile.exports.repository import Sight
from services.profile.features.domain import chosen
from services.profile.parameters import ID_PATTERN
from shared.app import AppDatabase, AppSettings
from shared.auth import CurrentToken, Token, requires
from shared.database import Database
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
        return _answer(database, export, _sight(token), currency, _File(name, kind, shape))

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
    columns: Annotated[
        str | None, Query(max_length=8000, description="Names by commas; all")
    ] = None,
    changed_in_run: Annotated[
        str | None, Query(pattern=ID_PATTERN, description="Only what this run changed last")
    ] = None,
    kind: ExportFormat = Format.ARROW,
) -> StreamingResponse:
    """Stream features: customer_id, as_of, and the columns asked for."""
    export = domain.features(chosen(columns), of_run=changed_in_run is not None)
    file = _File("features", kind, shape)
    return _answer(database, export, _sight(token), changed_in_run, file)


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


def _answer(
    database: Database, export: Export, sight: Sight, parameter: str | None, file: _File
) -> StreamingResponse:
    kind, shape = file.kind, file.shape
    writer = writer_of(kind, export.schema, shape)
    media = MEDIA_TYPES[kind]
    if kind in {Format.CSV, Format.FIXED}:
        media = f"{media}; charset={shape.charset}"
    return StreamingResponse(
        repository.stream(database, export, sight, parameter, writer),
        media_type=media,
        headers={"Content-Disposition": f'attachment; filename="{file.name}.{ENDINGS[kind]}"'},
    )
