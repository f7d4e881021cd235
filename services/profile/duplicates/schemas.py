from pydantic import BaseModel, ConfigDict, Field

from services.profile.duplicates.domain import DuplicateState
from services.profile.matching.domain.proposals import FoundBy
from services.profile.parameters import Code, Id, Moment, Strict


class DuplicateConfirm(Strict):
    survivor: Id = Field(description="Which of the two customers the party goes on as")


class DuplicateRefuse(Strict):
    reason: Code = Field(description="One of `duplicate_refusal` in `/v1/codes`")


class _Read(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class EvidenceRead(_Read):
    comparison: str = Field(
        description="What was compared, one of `matching_comparison` in `/v1/codes`"
    )
    level: str = Field(description="How far it agrees, such as equal, similar or different")
    weight: float | None = Field(
        description="Base-2 logarithm of how much more often this holds within one party than "
        "between two; below 0 it speaks against. null: it settles the matter alone"
    )


class DuplicateRead(_Read):
    """Two customers who may be one party; no value of either is told."""

    duplicate_id: str
    customer_id: str = Field(description="The one")
    other_id: str = Field(description="The other")
    source: FoundBy = Field(
        description="deterministic: they bear equal identifiers; probabilistic: a run compared them"
    )
    probability: float = Field(ge=0, le=1, description="That they are one party")
    evidence: list[EvidenceRead] = Field(description="What said so; a missing value says nothing")
    state: DuplicateState
    proposed_at: Moment
    decided_at: Moment | None
    decided_by: str | None = Field(description="The member of staff")
    reason: str | None = Field(description="Why it was refused")
    survivor: str | None = Field(description="Which of the two goes on, once confirmed")
