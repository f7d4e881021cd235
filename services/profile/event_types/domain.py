"""What an event of each type may carry: fields with type, unit and bounds, checked when told."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from services.profile.vocabulary import DataField, EventType
from shared.errors import Conflict, NotFound

_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_JSON_TYPES: Mapping[str, Mapping[str, str]] = {
    "text": {"type": "string"},
    "code": {"type": "string", "pattern": f"^{_CODE.pattern}$"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "day": {"type": "string", "format": "date"},
    "moment": {"type": "string", "format": "date-time"},
}
_WORDS = {
    "text": "a text",
    "code": "a word in snake_case",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "day": "a day as YYYY-MM-DD",
    "moment": "an RFC 3339 moment with an offset",
}


class NoSuchEventType(NotFound):
    code = "no_such_event_type"


class ShippedEventType(Conflict):
    code = "shipped_event_type"
    title = "A shipped event type is not changed: features count by it"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field of an event's data."""

    field: str
    detail: str


Faults = tuple[Fault, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnType:
    """A bank's own type in its current version."""

    type: EventType
    version: int
    author: str
    updated_at: datetime


def faults_of(kind: EventType, data: Mapping[str, Any] | None) -> Faults:
    """Return what is wrong with the data of an event; fields that are not declared may be there.

    A field that is null is not there.
    """
    return checker(kind)(data)


@lru_cache(maxsize=4096)
def checker(kind: EventType) -> Callable[[Mapping[str, Any] | None], Faults]:
    """Return the check of a type's data, made once: a batch asks it for every event."""
    checks = [(field, _check(field), expected(field)) for field in kind.data]
    needs_data = any(field.required for field in kind.data)

    def check(data: Mapping[str, Any] | None) -> Faults:
        if data is None and not needs_data:
            return ()
        given = data or {}
        return tuple(
            Fault(field.name, f"must be {text}")
            for field, fits, text in checks
            if (field.required if (value := given.get(field.name)) is None else not fits(value))
        )

    return check


def expected(field: DataField) -> str:
    """Return what a field must be, in words."""
    words = [_WORDS[field.type]]
    if field.values:
        words.append(f"one of {', '.join(field.values)}")
    if field.minimum is not None:
        words.append(f"at least {field.minimum:g}")
    if field.maximum is not None:
        words.append(f"at most {field.maximum:g}")
    if field.longest is not None:
        words.append(f"of at most {field.longest} characters")
    return ", ".join(words) + (f" ({field.unit})" if field.unit else "")


def schema_of(kind: EventType) -> dict[str, Any]:
    """Return the JSON Schema of a type's data."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": kind.en,
        "description": kind.meaning.en,
        "type": "object",
        "properties": {field.name: _schema(field) for field in kind.data},
        "required": [field.name for field in kind.data if field.required],
        "additionalProperties": True,
    }


def _schema(field: DataField) -> dict[str, Any]:
    schema: dict[str, Any] = {**_JSON_TYPES[field.type], "title": field.en, "x-zh": field.zh}
    bounds = {
        "minimum": field.minimum,
        "maximum": field.maximum,
        "maxLength": field.longest,
        "enum": list(field.values) or None,
        "x-unit": field.unit,
    }
    schema |= {name: bound for name, bound in bounds.items() if bound is not None}
    if not field.required:
        schema["type"] = [schema["type"], "null"]
        if field.values:
            schema["enum"] = [*field.values, None]
    return schema


def _check(field: DataField) -> Callable[[object], bool]:
    if field.type in {"integer", "number"}:
        return _number_check(field)
    if field.type == "boolean":
        return lambda value: isinstance(value, bool)
    fits = _TEXT_CHECKS[field.type]
    longest = math.inf if field.longest is None else field.longest
    values = frozenset(field.values)
    return lambda value: (
        isinstance(value, str)
        and len(value) <= longest
        and (not values or value in values)
        and fits(value)
    )


def _number_check(field: DataField) -> Callable[[object], bool]:
    low = -math.inf if field.minimum is None else field.minimum
    high = math.inf if field.maximum is None else field.maximum
    is_whole = field.type == "integer"

    def check(value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        if isinstance(value, float) and (not math.isfinite(value) or (is_whole and value % 1)):
            return False
        return low <= value <= high

    return check


def _is_day(value: str) -> bool:
    if not _DAY.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_moment(value: str) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


_TEXT_CHECKS: Mapping[str, Callable[[str], bool]] = {
    "text": lambda _: True,
    "code": lambda value: _CODE.fullmatch(value) is not None,
    "day": _is_day,
    "moment": _is_moment,
}


def must_be_own(name: str, shipped: Sequence[str] | Mapping[str, object]) -> None:
    """Refuse to change what is shipped.

    Raises:
        ShippedEventType: it is.
    """
    if name in shipped:
        raise ShippedEventType(f"{name} is shipped; give your own type another name")
