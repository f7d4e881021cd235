from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from services.profile.jobs import repository
from services.profile.jobs.domain.columns import ImportKind
from services.profile.jobs.schemas import JobAccepted, JobRead
from services.profile.jobs.service import spool
from services.profile.parameters import ID_PATTERN
from shared.app import AppDatabase, AppSettings, Clock
from shared.auth import CurrentToken, requires
from shared.database import Begin
from shared.idempotency import Idempotent
from shared.media import ARROW_STREAM, BYTES
from shared.problems import problem_responses

IMPORTED = {ARROW_STREAM: "arrow", BYTES: "arrow"}
REJECTS_AT_ONCE = 5_000

router = APIRouter(prefix="/v1", tags=["imports"])
JobId = Annotated[str, Path(pattern=ID_PATTERN)]
Follow = Annotated[
    Literal["now", "later"],
    Query(
        description="When the customers' features follow: `now`, or `later` for a part of a load, "
        "with those of the next import that says `now`; the job does not wait for them then"
    ),
]


def _importer(kind: ImportKind) -> Callable[..., Awaitable[Response]]:
    async def import_rows(
        *,
        request: Request,
        once: Idempotent,
        token: CurrentToken,
        settings: AppSettings,
        clock: Clock,
        features: Follow = "now",
    ) -> Response:
        body = await spool.receive(request.stream(), limit=settings.max_import_bytes)

        async def store(begin: Begin) -> Response:
            job = await spool.store(
                begin,
                body,
                kind,
                chunk_rows=settings.import_chunk_rows,
                client_id=token.client_id,
                features_later=features == "later",
                now=clock.now(),
            )
            answer = JobAccepted(job_id=job.job_id, state=job.state)
            return Response(answer.model_dump_json(), 202, media_type="application/json")

        with body.file:
            fingerprint = f"{kind} {features} ".encode() + body.digest
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
        responses=problem_responses(400, 409, 413, 422, 428),
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {ARROW_STREAM: {"schema": {"type": "string", "format": "binary"}}},
            }
        },
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
        200: {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}},
        **problem_responses(404),
    },
)
async def list_rejects(job_id: JobId, database: AppDatabase) -> StreamingResponse:
    """Stream the rows a job did not take, as lines {row, id, reason}; rows count from 0."""
    async with database.connection() as connection:
        await repository.get(connection, job_id)

    async def lines() -> AsyncIterator[bytes]:
        after = -1
        while True:
            async with database.connection() as connection:
                found = await repository.list_rejects(
                    connection, job_id, after=after, limit=REJECTS_AT_ONCE
                )
            if not found:
                return
            after = found[-1].row
            yield b"".join(orjson.dumps(each) + b"\n" for each in found)

    return StreamingResponse(lines(), media_type="application/x-ndjson")
