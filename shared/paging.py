"""Lists by opaque cursor, stable under inserts (statement A10)."""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import orjson
from pydantic import BaseModel, Field

from shared.errors import FieldError, Malformed

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """One page of a list."""

    items: list[T]
    next: str | None = Field(description="Send as `after` to get the next page; null at the end")


def encode_cursor(*key: object) -> str:
    """Return the opaque cursor of the sort key of a page's last item."""
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def decode_cursor(cursor: str | None, *parts: Callable[[Any], object]) -> tuple[Any, ...] | None:
    """Return the sort key behind a cursor, or None for the first page.

    Args:
        cursor: as a page answered it, or as somebody made it up.
        parts: what reads each part of the key: `text`, `moment`, or a type such as `int`.

    Raises:
        Malformed: if the cursor is not one of ours.
    """
    if cursor is None:
        return None
    try:
        key = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if isinstance(key, list):
            return tuple(read(part) for read, part in zip(parts, key, strict=True))
    except (binascii.Error, ValueError, TypeError, OverflowError) as error:
        raise _bad_cursor() from error
    raise _bad_cursor()


def text(part: Any) -> str:
    """Read a part of a cursor that is text.

    Raises:
        ValueError: it is not, or holds what no column does.
    """
    if not isinstance(part, str) or "\x00" in part:
        raise ValueError("no text")
    return part


def moment(part: Any) -> datetime:
    """Read a part of a cursor that is an instant.

    Raises:
        ValueError: it is not, or lacks its zone.
    """
    read = datetime.fromisoformat(text(part))
    if read.tzinfo is None:
        raise ValueError("no zone")
    return read.astimezone(UTC)


def page_of(rows: Sequence[T], limit: int, key: Callable[[T], Sequence[object]]) -> Page[T]:
    """Cut `limit + 1` rows read in order into a page and its cursor."""
    more = len(rows) > limit
    items = list(rows[:limit])
    return Page(items=items, next=encode_cursor(*key(items[-1])) if more else None)


def _bad_cursor() -> Malformed:
    return Malformed(
        "The cursor is not one that a list of ours has answered",
        errors=[FieldError("query:after", "use the `next` of the page before, unchanged")],
    )
