"""Keeping the staff table."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from gateway.staff import domain, repository
from gateway.staff.domain import Role, Staff


async def put(
    session: AsyncSession, person: Staff, roles: Mapping[str, Role], *, now: datetime
) -> Staff:
    """Add a person or replace what is known.

    Raises:
        Invalid: if a role is unknown, or lacks the org unit or RM number it needs.
    """
    domain.check(person, roles)
    await repository.put(session, person, now=now)
    return person
