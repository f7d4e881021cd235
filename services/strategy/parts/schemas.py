from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from services.strategy.gates.domain.refusal import Fact, Refusal
from services.strategy.parts.domain import Restraints
from services.strategy.suppressions.domain import Scope


class SuppressionRead(BaseModel):
    """A cool-off that still holds."""

    model_config = ConfigDict(from_attributes=True)

    scope: Scope = Field(description="How much is silenced")
    key: str = Field(description="Which channel, product, … ; empty for everything")
    until: datetime
    code: str = Field(description="The outcome behind it")
    channel: str | None = Field(description="Only in this channel; null: in every one")


class RestraintRead(BaseModel):
    """One reason why nothing may be sold."""

    stage: str = Field(description="One of `refusal_stage` in `/v1/codes`")
    code: str = Field(description="One of `refusal` in `/v1/codes`")
    values: Mapping[str, Fact] = Field(description="What it rests on")

    @classmethod
    def of(cls, refusal: Refusal) -> Self:
        """Show a refusal."""
        return cls(stage=refusal.stage.name.lower(), code=refusal.code, values=dict(refusal.values))


class RestraintsRead(BaseModel):
    """What keeps the customer from being sold anything."""

    everywhere: Sequence[RestraintRead] = Field(description="In every channel")
    channels: Mapping[str, RestraintRead | None] = Field(
        description="By channel: the first further reason, null if there is none"
    )

    @classmethod
    def of(cls, found: Restraints) -> Self:
        """Show restraints."""
        return cls(
            everywhere=[RestraintRead.of(each) for each in found.everywhere],
            channels={
                channel: refusal and RestraintRead.of(refusal)
                for channel, refusal in found.channels.items()
            },
        )
