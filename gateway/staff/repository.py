"""Staff in and out of the table."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.staff.domain import Staff, UnknownStaff
from gateway.staff.tables import StaffRow


async def find(session: AsyncSession, staff_id: str) -> Staff | None:
    row = await session.get(StaffRow, staff_id)
    return None if row is None else _to_staff(row)


async def get(session: AsyncSession, staff_id: str) -> Staff:
    """Return one person.

    Raises:
        UnknownStaff: if there is none.
    """
    person = await find(session, staff_id)
    if person is None:
        raise UnknownStaff(staff_id)
    return person


async def list_after(session: AsyncSession, staff_id: str, *, limit: int) -> list[Staff]:
    """Staff by id, those after `staff_id`."""
    rows = await session.scalars(
        select(StaffRow)
        .where(StaffRow.staff_id > staff_id)
        .order_by(StaffRow.staff_id)
        .limit(limit)
    )
    return [_to_staff(row) for row in rows]


async def put(session: AsyncSession, person: Staff, *, now: datetime) -> None:
    """Add a person or replace what is known."""
    values = {
        "roles": list(person.roles),
        "org": person.org,
        "rm": person.rm,
        "is_active": person.is_active,
        "updated_at": now,
    }
    await session.execute(
        insert(StaffRow)
        .values(staff_id=person.staff_id, **values)
        .on_conflict_do_update(index_elements=[StaffRow.staff_id], set_=values)
    )


def _to_staff(row: StaffRow) -> Staff:
    return Staff(
        staff_id=row.staff_id,
        roles=tuple(row.roles),
        org=row.org,
        rm=row.rm,
        is_active=row.is_active,
    )
