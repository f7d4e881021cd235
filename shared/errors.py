"""The kinds of error a caller can meet; they know nothing of HTTP (see `shared.problems`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field.

    `pointer` is a JSON pointer into the body (`/amount/currency`) or the name of a
    parameter (`query:limit`, `header:If-Match`).
    """

    pointer: str
    detail: str


class DomainError(Exception):
    """Something a caller can understand and act on.

    Args:
        detail: one sentence for people: what was wrong, where, and what to do.
        code: stable snake_case reason; the class's own when left out.
        errors: the fields that were wrong, if fields were.
        extras: typed facts added to the problem document.
    """

    code: ClassVar[str] = "error"
    title: ClassVar[str] = "The request could not be carried out"

    def __init__(
        self,
        detail: str = "",
        *,
        code: str | None = None,
        errors: Sequence[FieldError] = (),
        **extras: object,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.reason = code or self.code
        self.errors = tuple(errors)
        self.extras = extras


class Malformed(DomainError):
    """The request cannot be read at all, or names something the operation does not know."""

    code = "malformed_request"
    title = "The request could not be read"


class Unauthenticated(DomainError):
    code = "unauthenticated"
    title = "No valid access token"


class Refused(DomainError):
    """A policy says no; `detail` says which rule."""

    code = "refused"
    title = "A policy refuses this"


class Forbidden(Refused):
    """The token lacks a scope or a right."""

    code = "insufficient_scope"
    title = "The token does not allow this"


class PersonNeeded(Refused):
    """A program called on nobody's behalf."""

    code = "person_needed"
    title = "Only a person does this"


class SecondPersonNeeded(Refused):
    """Who asked for it would decide on it too."""

    code = "second_person_needed"
    title = "Another person than the one who asked has to decide"


class WholeBankOnly(Forbidden):
    """The token sees a part of the bank."""

    code = "whole_bank_only"
    title = "This is for those who see the whole bank"


class NotFound(DomainError):
    """No such thing, or not yours to see."""

    code = "not_found"
    title = "Not found"


class Conflict(DomainError):
    """The state does not allow it now."""

    code = "conflict"
    title = "The current state does not allow this"


class Gone(DomainError):
    """It was there, and is no longer kept."""

    code = "gone"
    title = "No longer available"


class Stale(DomainError):
    """The object changed since the caller read it."""

    code = "stale"
    title = "The object has changed since you read it"


class TooLarge(DomainError):
    code = "too_large"
    title = "The request is too large"


class UnsupportedMedia(DomainError):
    code = "unsupported_media_type"
    title = "The body is of a kind this operation does not read"


class Invalid(DomainError):
    """The request does not fit its schema, or a value makes no sense."""

    code = "invalid_request"
    title = "The request does not fit its schema"


class PreconditionRequired(DomainError):
    code = "precondition_required"
    title = "This change needs a condition"


class Unavailable(DomainError):
    """Another part did not answer in time."""

    code = "unavailable"
    title = "Temporarily unavailable"
