from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.profile.ownership.domain import HandOver, State
from services.profile.parameters import Code, Day, Id, Moment, Strict
from shared.ids import new_id


class HandOverCreate(Strict):
    hand_over_id: Id | None = Field(default=None, description="Your id; repeated, it proposes once")
    from_rm: Id = Field(description="The manager whose customers they are")
    to_rm: Id = Field(description="The manager who takes them over")
    customers: Annotated[list[Id], Field(min_length=1, max_length=1000)] | None = Field(
        default=None, description="Only these of the manager's; null: all"
    )
    reason: Code = Field(description="One of `hand_over_reason` in `/v1/codes`")
    since: Day = Field(description="The first day, of the bank, on which they are the other's")
    until: Day | None = Field(
        default=None, description="The last day of an absence; null: they stay with the other"
    )

    def to_domain(self, *, org: str | None, by: str, at: Moment) -> HandOver:
        return HandOver(
            hand_over_id=self.hand_over_id or new_id(),
            from_rm=self.from_rm,
            to_rm=self.to_rm,
            org=org,
            customers=None if self.customers is None else tuple(sorted(set(self.customers))),
            reason=self.reason,
            since=self.since,
            until=self.until,
            state=State.PROPOSED,
            proposed_by=by,
            proposed_at=at,
        )


class HandOverDispute(Strict):
    why: Code = Field(description="One of `hand_over_dispute` in `/v1/codes`")


class HandOverRead(BaseModel):
    """A hand-over, and how far it is."""

    model_config = ConfigDict(from_attributes=True)

    hand_over_id: str
    from_rm: str
    to_rm: str
    org: str | None = Field(description="Only customers of this part of the bank")
    customers: list[str] | None
    reason: str
    since: Day
    until: Day | None
    state: State
    proposed_by: str
    proposed_at: Moment
    decided_by: str | None
    decided_at: Moment | None
    dispute: str | None = Field(description="Why it was objected to")
    handed: int = Field(description="How many customers it has moved")


class OwnershipRead(BaseModel):
    """Who looked after a customer since when."""

    model_config = ConfigDict(from_attributes=True)

    org_path: str
    rm_id: str | None
    since: Moment
    recorded_by: str = Field(
        description="The member of staff, the program, a hand-over or an assignment"
    )
    rule: str | None = Field(
        description="Key of the ownership rule that gave the customer; null: no rule did"
    )
