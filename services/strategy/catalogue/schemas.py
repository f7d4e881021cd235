"""Actions over HTTP."""

from pydantic import BaseModel, Field


class ActionRead(BaseModel):
    """One strategy with one product, or with none."""

    id: str = Field(description="`strategy-product`, or `strategy-none` for care")
    strategy: str
    product: str | None
    category: str | None
    goal: str = Field(description="The outcome that counts as success")
    channels: list[str] = Field(description="In order")
    treatments: list[str] = Field(description="`action/channel/direction`")


class Actions(BaseModel):
    catalogue_version: int
    items: list[ActionRead]
    next: str | None = Field(description="Send as `after` to get the next page; null at the end")
