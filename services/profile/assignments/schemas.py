from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from services.profile.assignments.domain import Assignment, Load, State, Why
from services.profile.parameters import Id, Moment, Strict


class AssignmentCreate(Strict):
    assignment_id: Id | None = Field(
        default=None, description="Your id; repeated, it proposes once"
    )


class RuleCountRead(BaseModel):
    """What becomes of the customers that a rule held for."""

    model_config = ConfigDict(from_attributes=True)

    rule: str = Field(description="Key of the rule")
    planned: int = Field(description="Customers who get a manager")
    no_manager: int = Field(description="Stay without: no active manager of that kind is there")
    capacity_full: int = Field(description="Stay without: those who are there have no room")


class AssignmentRead(BaseModel):
    """A plan of who gets the customers without a manager, and how far it is."""

    assignment_id: str
    org: str | None = Field(description="Only customers and managers of this part of the bank")
    state: State = Field(
        description="`planning` until the worker has shared out all, then `proposed`; `accepted` "
        "until it has given all, then `applied`"
    )
    proposed_by: str
    proposed_at: Moment
    decided_by: str | None = Field(
        description="Who accepted or called it off; null: nobody yet, or its rules could not be "
        "read any more when it was planned"
    )
    decided_at: Moment | None
    rules: list[RuleCountRead] = Field(
        description="By rule, in the order in which they count; empty while it is planned"
    )
    planned: int = Field(description="Customers who get a manager")
    without: dict[Why, int] = Field(description="Customers who stay without one, by why")
    applied: int = Field(description="How many customers have got theirs")
    skipped: int = Field(
        description="How many were left as they are: they had got a manager meanwhile, or theirs "
        "was not active or had no room any more"
    )

    @classmethod
    def of(cls, found: Assignment) -> Self:
        """Show an assignment."""
        counts = found.counts
        return cls(
            assignment_id=found.assignment_id,
            org=found.org,
            state=found.state,
            proposed_by=found.proposed_by,
            proposed_at=found.proposed_at,
            decided_by=found.decided_by,
            decided_at=found.decided_at,
            rules=[RuleCountRead.model_validate(each) for each in counts],
            planned=sum(each.planned for each in counts),
            without={
                Why.NO_RULE: found.no_rule,
                Why.NO_MANAGER: sum(each.no_manager for each in counts),
                Why.CAPACITY_FULL: sum(each.capacity_full for each in counts),
            },
            applied=found.applied,
            skipped=found.skipped,
        )


class AssignmentLoadRead(BaseModel):
    """What a plan does to a manager's load."""

    rm_id: str
    capacity: int = Field(description="Most customers that are theirs")
    before: int = Field(description="Customers when it was planned")
    after: int = Field(description="Customers if all is applied")

    @classmethod
    def of(cls, load: Load) -> Self:
        """Show a load."""
        after = load.before + load.planned
        return cls(rm_id=load.rm_id, capacity=load.capacity, before=load.before, after=after)


class PlannedCustomerRead(BaseModel):
    """What is planned for a customer."""

    model_config = ConfigDict(from_attributes=True)

    customer_id: str
    rule: str | None = Field(description="The first rule that held; null: none did")
    org_path: str
    from_rm: str | None = Field(description="Their manager before, who is not active; null: none")
    rm_id: str | None = Field(description="Who gets them; null: nobody, or not shared out yet")
    why: Why | None = Field(description="Why they stay without a manager")
