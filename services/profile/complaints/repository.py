from collections.abc import Sequence
from datetime import datetime

import asyncpg

from services.profile.complaints.domain import Complaint, NoSuchComplaint


async def add(connection: asyncpg.Connection, customer_id: str, complaint: Complaint) -> bool:
    """Add a complaint; tell whether no record of the customer had it."""
    status = await connection.execute(
        """INSERT INTO complaint (customer_id, complaint_id, category, opened_at)
           SELECT $1, $2, $3, $4 WHERE NOT EXISTS (
               SELECT FROM party_complaint WHERE customer_id = $1 AND complaint_id = $2)
           ON CONFLICT DO NOTHING""",
        customer_id,
        complaint.complaint_id,
        complaint.category,
        complaint.opened_at,
    )
    return status == "INSERT 0 1"


async def close(
    connection: asyncpg.Connection, records: Sequence[str], complaint_id: str, at: datetime
) -> bool:
    """Close a complaint; tell whether it was open."""
    status = await connection.execute(
        """UPDATE complaint SET closed_at = $3
           WHERE customer_id = ANY ($1::text[]) AND complaint_id = $2 AND closed_at IS NULL""",
        records,
        complaint_id,
        at,
    )
    return status != "UPDATE 0"


async def get(
    connection: asyncpg.Connection, records: Sequence[str], complaint_id: str
) -> Complaint:
    """Return a complaint of one of a customer's records.

    Raises:
        NoSuchComplaint: the customer has none of this id.
    """
    row = await connection.fetchrow(
        """SELECT complaint_id, category, opened_at, closed_at FROM complaint
           WHERE customer_id = ANY ($1::text[]) AND complaint_id = $2 LIMIT 1""",
        records,
        complaint_id,
    )
    if row is None:
        raise NoSuchComplaint(f"No complaint {complaint_id}")
    return Complaint(**dict(row))


async def list_of(
    connection: asyncpg.Connection, records: Sequence[str], *, after: str, limit: int
) -> list[Complaint]:
    """Return the complaints of a customer's records by id, each once, from beyond `after`."""
    rows = await connection.fetch(
        """SELECT DISTINCT ON (complaint_id) complaint_id, category, opened_at, closed_at
           FROM complaint WHERE customer_id = ANY ($1::text[]) AND complaint_id > $2
           ORDER BY complaint_id LIMIT $3""",
        records,
        after,
        limit,
    )
    return [Complaint(**dict(row)) for row in rows]
