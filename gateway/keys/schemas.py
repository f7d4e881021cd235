from datetime import datetime

from pydantic import BaseModel, Field

from gateway.keys.domain import KeyState


class KeyRead(BaseModel):
    """A signing key without its private half."""

    kid: str = Field(description="Names the key in a token's header", examples=["q8Y2f0kPZ1Xw9cRt"])
    state: KeyState = Field(description="next: published, not yet used; current: signs")
    created_at: datetime = Field(description="When it was made and first published")
    retired_at: datetime | None = Field(description="When it signed its last token")


class KeyRingRead(BaseModel):
    items: list[KeyRead] = Field(description="Oldest first")
