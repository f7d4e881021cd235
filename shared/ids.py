"""Identifiers that sort by the time they were made."""

from uuid_utils.compat import uuid7


def new_id() -> str:
    """Return a UUIDv7 as text."""
    return str(uuid7())
