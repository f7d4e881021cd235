"""Complaints: while one is open, and for a time after, nobody sells (domain guide, section 10)."""

from dataclasses import dataclass
from datetime import datetime

from shared.errors import NotFound


class NoSuchComplaint(NotFound):
    code = "no_such_complaint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """A complaint, open until it has a closing time."""

    complaint_id: str
    category: str
    opened_at: datetime
    closed_at: datetime | None = None
