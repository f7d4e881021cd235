from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, Field

from services.feedback.parameters import AmountRead
from services.feedback.performance.domain import COUNTED, Dimension, Performance, total


class RatesRead(BaseModel):
    """Shares of the propositions that had the outcome at least once; null without any."""

    delivered: float | None
    seen: float | None
    clicked: float | None
    accepted: float | None
    converted: float | None
    refused: float | None
    ignored: float | None


class GroupRead(BaseModel):
    key: str = Field(description="Of the action, strategy or channel; `total` of the sum")
    propositions: int
    delivered: int = Field(description="Propositions with this outcome at least once")
    seen: int
    clicked: int
    accepted: int
    converted: int
    refused: int
    ignored: int
    rates: RatesRead
    labels: dict[str, int] = Field(
        description="Propositions by their final label: the furthest positive, a later refusal "
        "over a click"
    )
    open: int = Field(description="Not settled yet; with the labels it makes `propositions`")
    converted_amount: AmountRead

    @classmethod
    def of(cls, group: Performance, currency: str) -> "GroupRead":
        """Tell the counts of one group."""
        return cls(
            key=group.key,
            propositions=group.propositions,
            **{name: group.reached.get(name, 0) for name in COUNTED},
            rates=RatesRead(**{name: group.rate(name) for name in COUNTED}),
            labels=dict(group.labels),
            open=group.open,
            converted_amount=AmountRead(amount=f"{group.converted_amount:.2f}", currency=currency),
        )


class PerformanceRead(BaseModel):
    by: Dimension
    begin: datetime | None = Field(serialization_alias="from")
    end: datetime | None = Field(serialization_alias="to")
    items: list[GroupRead]
    total: GroupRead = Field(description="The sum of the items")

    @classmethod
    def of(
        cls,
        groups: Sequence[Performance],
        *,
        by: Dimension,
        begin: datetime | None,
        end: datetime | None,
        currency: str,
    ) -> "PerformanceRead":
        """Tell the groups and their sum."""
        return cls(
            by=by,
            begin=begin,
            end=end,
            items=[GroupRead.of(group, currency) for group in groups],
            total=GroupRead.of(total(groups), currency),
        )
