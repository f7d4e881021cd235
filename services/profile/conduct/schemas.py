from typing import Self

from pydantic import BaseModel, Field

from services.profile.conduct.domain import Breach, Finding, State
from services.profile.parameters import Moment


class ConductFindingRead(BaseModel):
    """A sale that the facts speak against."""

    finding_id: str
    customer_id: str = Field(description="The record that the sale was reported of")
    event_id: str = Field(description="The `purchase` event")
    occurred_at: Moment = Field(description="When the sale was")
    category: str = Field(description="Product category, under suitability")
    risk_level: int | None = Field(description="R1 to R5 of the product then; null: not told")
    risk_class: int | None = Field(description="C1 to C5 that counted then; null: none ever given")
    valid_until: Moment | None = Field(description="Until when that class was valid")
    breach: Breach = Field(description="What is wrong, or was")
    state: State = Field(description="Withdrawn: a late event or assessment put it right")
    found_at: Moment
    changed_at: Moment

    @classmethod
    def of(cls, finding: Finding) -> Self:
        of_sale = {
            name: getattr(finding.sale, name)
            for name in cls.model_fields
            if hasattr(finding.sale, name)
        }
        return cls(
            finding_id=finding.finding_id,
            breach=finding.breach,
            state=finding.state,
            found_at=finding.found_at,
            changed_at=finding.changed_at,
            **of_sale,
        )
