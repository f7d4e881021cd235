from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, Any, Literal

import pyarrow as pa
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from services.profile.jobs import repository
from services.profile.jobs.domain.columns import LAYOUTS, ImportKind
from services.profile.jobs.domain.landing import landing_of
from services.profile.jobs.schemas import JobAccepted, JobRead
from services.profile.jobs.service import spool
from services.profile.jobs.service.cutting import Cut, Taken
from services.profile.parameters import ID_PATTERN, Day
from shared.app import AppDatabase, AppSettings, Clock, media_type_of
from shared.auth import CurrentToken, requires
from shared.database import Begin
from shared.formats.kinds import MEDIA_TYPES, Format, Shape, charset_of, widths_of
from shared.formats.parameters import Delimiter, Widths
from shared.formats.writing import writer_of
from shared.idempotency import Idempotent
from shared.media import BYTES, NDJSON, binary
from shared.media import CSV as CSV_MEDIA
from shared.problems import problem_responses

IMPORTED = {BYTES: Format.ARROW} | {media: kind for kind, media in MEDIA_TYPES.items()}
BODIES: dict[str, Any] = {
    media: binary(text)
    for media, text in {
        MEDIA_TYPES[Format.ARROW]: "An Arrow IPC stream",
        MEDIA_TYPES[Format.PARQUET]: "A Parquet file",
        MEDIA_TYPES[Format.CSV]: "CSV with a header, in UTF-8 or in the `charset` that the "
        "Content-Type names; it is never guessed",
        MEDIA_TYPES[Format.FIXED]: "Fixed width, a row a line: columns by `widths`, or where their "
        "names begin in the first line",
        MEDIA_TYPES[Format.EXCEL]: "An Excel workbook, the columns' names in its first row",
        MEDIA_TYPES[Format.NDJSON]: "A JSON object a line",
    }.items()
}
REJECTS_AT_ONCE = 5_000
REJECTS = pa.schema(
    {
        "row": pa.int64(),
        "line": pa.int64(),
        "id": pa.string(),
        "column": pa.string(),
        "reason": pa.string(),
    }
)

router = APIRouter(prefix="/v1", tags=["imports"])
JobId = Annotated[str, Path(pattern=ID_PATTERN)]
Follow = Annotated[
    Literal["now", "later"],
    Query(
        description="When the customers' features follow: `now`, or `later` for a part of a load, "
        "with those of the next import that says `now`; the job does not wait for them then"
    ),
]
Source = Annotated[
    str | None,
    Query(
        pattern=r"^[A-Za-z0-9_./-]{1,128}$",
        description="Where the file comes from: a system, a file. With `business_date`: the same "
        "content for the same day is taken once, and its job is answered again",
    ),
]
BusinessDate = Annotated[
    Day | None,
    Query(
        description="The bank's day that the file is of. Balances without `balance_at` are those "
        "of its end",
    ),
]
ControlRows = Annotated[
    int | None, Query(ge=0, le=10**12, description="How many rows its sender counted")
]
ControlSum = Annotated[
    str | None,
    Query(
        max_length=128,
        description="A column and its sum as the sender has it, as `balance:1024.50`",
    ),
]
Strict = Annotated[
    bool, Query(description="If the totals differ, take nothing; else take all, and fail then")
]


def _wanting(kind: ImportKind) -> Callable[..., Cut]:
    def wanted(
        *,
        request: Request,
        settings: AppSettings,
        clock: Clock,
        delimiter: Delimiter = ",",
        widths: Widths = None,
        source: Source = None,
        business_date: BusinessDate = None,
        control_rows: ControlRows = None,
        control_sum: ControlSum = None,
        strict: Strict = True,
    ) -> Cut:
        return Cut(
            kind=kind,
            format=_format_of(request),
            shape=Shape(
                charset=charset_of(_charset(request)),
                delimiter="\t" if delimiter == "tab" else delimiter,
                widths=widths_of(widths),
            ),
            landing=landing_of(
                layout=LAYOUTS[kind],
                source=source,
                business_date=business_date,
                control_rows=control_rows,
                control_sum=control_sum,
                strict=strict,
            ),
            chunk_rows=settings.import_chunk_rows,
            zone=clock.zone.key,
        )

    return wanted


def _format_of(request: Request) -> Format:
    return IMPORTED.get(media_type_of(request), Format.ARROW)


def _charset(request: Request) -> str | None:
    for parameter in request.headers.get("content-type", "").split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value
    return None


def _importer(kind: ImportKind) -> Callable[..., Awaitable[Response]]:
    async def import_rows(
        *,
        request: Request,
        wanted: Annotated[Cut, Depends(_wanting(kind))],
        once: Idempotent,
        token: CurrentToken,
        settings: AppSettings,
        clock: Clock,
        features: Follow = "now",
    ) -> Response:
        body = await spool.receive(request.stream(), limit=settings.max_import_bytes)
        taken = Taken(
            client_id=token.client_id, features_later=features == "later", now=clock.now()
        )

        async def store(begin: Begin) -> Response:
            job = await spool.store(begin, body, wanted, taken)
            answer = JobAccepted(job_id=job.job_id, state=job.state)
            return Response(answer.model_dump_json(), 202, media_type="application/json")

        with body.file:
            fingerprint = f"{features} {wanted}\0".encode() + body.digest
            return await once.run(store, fingerprint=fingerprint)

    import_rows.__name__ = f"import_{kind}"
    import_rows.__doc__ = f"Import {kind} in bulk; a job carries it out."
    return import_rows


for _kind in ImportKind:
    router.add_api_route(
        f"/{_kind}:import",
        _importer(_kind),
        methods=["POST"],
        status_code=202,
        response_model=JobAccepted,
        dependencies=[requires("customers:import")],
        responses=problem_responses(400, 409, 413, 415, 422, 428),
        openapi_extra={"requestBody": {"required": True, "content": BODIES}},
    )


@router.get(
    "/jobs/{job_id}",
    dependencies=[requires("jobs:read")],
    responses=problem_responses(404),
)
async def get_job(job_id: JobId, database: AppDatabase) -> JobRead:
    """Return how far a job has come, and what its rows add up to."""
    async with database.connection() as connection:
        return JobRead.of(await repository.get(connection, job_id))


@router.get(
    "/jobs/{job_id}/rejects",
    dependencies=[requires("jobs:read")],
    response_class=StreamingResponse,
    responses={
        200: {
            "content": {
                NDJSON: {"schema": {"type": "string"}},
                CSV_MEDIA: {"schema": {"type": "string"}},
            }
        },
        **problem_responses(404),
    },
)
async def list_rejects(
    job_id: JobId,
    database: AppDatabase,
    format: Annotated[
        Literal["ndjson", "csv"], Query(description="`csv`: with a header, for a spreadsheet")
    ] = "ndjson",
) -> StreamingResponse:
    """Stream the rows a job did not take: row from 0, line from 1 where it has lines, why."""
    async with database.connection() as connection:
        await repository.get(connection, job_id)
    shape = Shape(bom=True)
    writer = writer_of(Format.CSV if format == "csv" else Format.NDJSON, REJECTS, shape)

    async def parts() -> AsyncIterator[bytes]:
        after = -1
        while True:
            async with database.connection() as connection:
                found = await repository.list_rejects(
                    connection, job_id, after=after, limit=REJECTS_AT_ONCE
                )
            if not found:
                break
            after = found[-1].row
            yield writer.write(pa.Table.from_pylist(list(map(asdict, found)), REJECTS))
        for part in writer.end():
            yield part

    return StreamingResponse(parts(), media_type=CSV_MEDIA if format == "csv" else NDJSON)
