"""Parameters that many operations take: the page wanted, the version read."""

from typing import Annotated

from fastapi import Depends, Header, Query

from shared.errors import FieldError, PreconditionRequired

MAX_LIMIT = 200

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description=f"At most {MAX_LIMIT}")]
After = Annotated[str | None, Query(description="`next` of the page before")]


async def _if_match(
    if_match: Annotated[
        str | None, Header(description="ETag of the version you read; `*` for any")
    ] = None,
    if_none_match: Annotated[
        str | None, Header(description="`*` to create: fails if the object exists")
    ] = None,
) -> str:
    if if_match is None and if_none_match != "*":
        raise PreconditionRequired(
            "Send If-Match with the ETag you read, or If-None-Match: * to create",
            errors=[FieldError("header:If-Match", "missing")],
        )
    return if_match or ""


IfMatch = Annotated[str, Depends(_if_match)]

IfNoneMatch = Annotated[
    str | None, Header(alias="If-None-Match", description="ETag you hold; 304 if still current")
]
