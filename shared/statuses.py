"""The HTTP status of each kind of error, for those who answer and for those who call."""

from collections.abc import Mapping

from shared import errors
from shared.errors import DomainError

MEDIA_TYPE = "application/problem+json"

STATUS: Mapping[type[DomainError], int] = {
    errors.Malformed: 400,
    errors.Unauthenticated: 401,
    errors.Refused: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Gone: 410,
    errors.Stale: 412,
    errors.TooLarge: 413,
    errors.UnsupportedMedia: 415,
    errors.Invalid: 422,
    errors.PreconditionRequired: 428,
    errors.Unavailable: 503,
}
KINDS: Mapping[int, type[DomainError]] = {status: kind for kind, status in STATUS.items()}


def status_of(error: DomainError) -> int:
    """Return the HTTP status of an error's kind."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
