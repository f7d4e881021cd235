"""Accounts: opening the first one as owner makes a prospect a customer."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Role(StrEnum):
    OWNER = "owner"
    AUTHORISED = "authorised"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account as one customer holds it."""

    account_id: str
    opened_at: date
    currency: str
    role: Role = Role.OWNER
    closed_at: date | None = None
    status: str | None = None
