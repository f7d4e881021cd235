"""ETag and If-Match for catalogue objects (statement A8)."""

from typing import Annotated

from fastapi import Depends, Header

from shared.errors import FieldError, PreconditionRequired, Stale


def etag_of(version: int | str) -> str:
    """Return the strong entity tag of a version."""
    return f'"{version}"'


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


def check_match(wanted: str, current: int | str | None) -> None:
    """Compare an `IfMatch` with the current version; None: the object does not exist.

    Raises:
        Stale: the versions differ, or an object to be created exists already.
    """
    if wanted == "" and current is None:
        return
    if wanted == "*" and current is not None:
        return
    tags = {tag.strip() for tag in wanted.split(",")}
    if current is None or etag_of(current) not in tags:
        now = "does not exist" if current is None else f"is at {etag_of(current)}"
        raise Stale(f"The object {now}; read it again and repeat your change on that version")


IfNoneMatch = Annotated[
    str | None, Header(alias="If-None-Match", description="ETag you hold; 304 if still current")
]


def is_current(held: str | None, version: int | str) -> bool:
    """Tell whether a reader's copy is the current version (answer 304)."""
    return held is not None and etag_of(version) in {tag.strip() for tag in held.split(",")}
