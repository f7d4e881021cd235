"""Contacts over HTTP."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.strategy.contacts.domain.contact import State
from services.strategy.strategies.domain import Purpose

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
ActionId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,129}$")]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


class ContactCreate(BaseModel):
    """Ask to contact a customer: nothing is sent before this says yes."""

    model_config = ConfigDict(extra="forbid")

    customer_id: Id = Field(description="The customer")
    channel: Key = Field(description="Key of a channel that goes out")
    purpose: Purpose = Field(
        description="Service and regulatory notices bypass caps and quiet hours, carry no offer"
    )
    action: ActionId | None = Field(
        default=None, description="What is offered, `strategy-product`; its hard gates hold too"
    )
    proposition_id: Id | None = Field(
        default=None, description="The proposition this carries out, if any"
    )
    contact_person: Id | None = Field(default=None, description="Whom of a company; your own id")


class ContactRead(BaseModel):
    contact_id: str
    customer_id: str
    channel: str
    purpose: Purpose
    action: str | None
    proposition_id: str | None
    contact_person: str | None
    state: State = Field(description="An expired one keeps counting: it may have been sent")
    bypassed: bool = Field(description="A notice: no cap and no quiet hour bound it")
    actor: str = Field(description="Who asked for it")
    reserved_at: datetime
    expires_at: datetime = Field(description="Confirm or release before")
    changed_at: datetime
