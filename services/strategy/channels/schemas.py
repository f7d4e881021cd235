"""Channels over HTTP: the shape of `catalogue/channels.yaml`."""

from typing import Annotated

from pydantic import Field

from services.strategy.channels.domain import Direction, Manner
from services.strategy.entries.schemas import Body, Label, Labelled, Versioned

UnitCost = Annotated[str, Field(pattern=r"^[0-9]{1,9}(\.[0-9]{1,4})?$")]


class ChannelUpdate(Labelled, Body):
    directions: list[Direction] = Field(
        min_length=1, max_length=2, description="in: the customer comes to us; out: we reach out"
    )
    kind: Manner = Field(description="How a contact out reaches the customer, for quiet hours")
    staffed: bool = Field(default=False, description="A person carries it")
    unit_cost: UnitCost = Field(default="0", description="Of one contact out, bank currency")
    out: Label | None = Field(default=None, description="What a contact out is called")
    in_: Label | None = Field(default=None, alias="in", description="What a page is called")


class ChannelRead(Versioned, ChannelUpdate):
    """A channel and where this version of it came from."""
