from typing import Annotated, Self

from pydantic import BaseModel, Field

from services.profile.managers.domain import Entry, Manager
from services.profile.parameters import Code, Moment, Strict
from services.profile.vocabulary import ownership

OrgPath = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9_./-]{1,255}$",
        description="The part of the bank they sit in, such as bank/east/b12",
    ),
]
Capacity = Annotated[int, Field(ge=0, le=1_000_000, description="Most customers that are theirs")]
IsActive = Annotated[
    bool, Field(description="False: given nobody, and rules give those they have to others")
]


class ManagerWrite(Strict):
    """A manager, without a name: staff are the gateway's."""

    org_path: OrgPath
    serves: Annotated[list[Code], Field(min_length=1, max_length=20)] = Field(
        description="Kinds of customers they take, each one of `manager_kind` in `/v1/codes`"
    )
    capacity: Capacity | None = Field(
        default=None,
        description="Most customers that are theirs; null: the smallest that is usual for the kinds"
        " they serve",
    )
    is_active: IsActive = True

    def to_domain(self, rm_id: str) -> Manager:
        kinds = ownership().kinds
        usual = min((kinds[key].capacity for key in self.serves if key in kinds), default=0)
        return Manager(
            rm_id=rm_id,
            org_path=self.org_path,
            serves=tuple(dict.fromkeys(self.serves)),
            capacity=usual if self.capacity is None else self.capacity,
            is_active=self.is_active,
        )


class ManagerRead(BaseModel):
    rm_id: str
    org_path: OrgPath
    serves: list[str] = Field(description="Kinds of customers they take")
    capacity: Capacity
    is_active: IsActive
    customers: int = Field(
        description="How many are theirs now: those included whom a substitute has for an absence, "
        "without those they have as a substitute"
    )
    version: int = Field(description="The ETag")
    author: str = Field(description="Who wrote this version")
    updated_at: Moment

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """Show a manager."""
        manager = entry.manager
        return cls(
            rm_id=manager.rm_id,
            org_path=manager.org_path,
            serves=list(manager.serves),
            capacity=manager.capacity,
            is_active=manager.is_active,
            customers=entry.customers,
            version=entry.version,
            author=entry.author,
            updated_at=entry.updated_at,
        )
