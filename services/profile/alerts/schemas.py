from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from services.profile.alert_kinds.schemas import Severity
from services.profile.parameters import Code, Strict
from services.profile.watch.domain import Alert


class AlertRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    customer_id: str = Field(description="The record that it was raised on")
    alert_id: str
    alert: str = Field(validation_alias="kind", description="Key of its kind in `/v1/alert-kinds`")
    severity: Severity
    raised_at: datetime = Field(description="Business time since when its rule holds")
    evidence: dict[str, Any] = Field(description="Attributes that it was raised on; null: unknown")
    rm_id: str | None = Field(description="Who looked after the customer when it was raised")
    cleared_at: datetime | None = Field(description="Since when it no longer holds; null: open")
    acknowledged_at: datetime | None = Field(description="Null: nobody has seen to it")
    acknowledged_by: str | None
    acknowledgement: str | None = Field(
        description="Why nobody needs to see it any more, one of `alert_acknowledgement`"
    )


class AcknowledgementCreate(Strict):
    reason: Code = Field(description="One of `alert_acknowledgement` in `/v1/codes`")


def shown(alert: Alert) -> AlertRead:
    """Show an alert."""
    return AlertRead.model_validate(alert)
