"""Managers (客户经理) as customers are given to them: where they sit, whom they serve, how many."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from shared.errors import FieldError, Invalid, NotFound


class NoSuchManager(NotFound):
    code = "no_such_manager"


class UnknownManagerKind(Invalid):
    code = "unknown_manager_kind"
    title = "There is no such kind of manager"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manager:
    """A manager; one who is not active is given nobody, and those they have are given to others."""

    rm_id: str
    org_path: str
    serves: tuple[str, ...]
    capacity: int
    is_active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A manager as the register has them, and how many customers are theirs now."""

    manager: Manager
    version: int
    author: str
    updated_at: datetime
    customers: int = 0


def check(serves: Collection[str], known: Collection[str]) -> None:
    """Refuse kinds of managers that there are not.

    Raises:
        UnknownManagerKind: naming each place.
    """
    faults = [
        FieldError(f"/serves/{place}", "unknown kind of manager")
        for place, key in enumerate(serves)
        if key not in known
    ]
    if faults:
        raise UnknownManagerKind(f"The kinds are {', '.join(sorted(known))}", errors=faults)
