from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.profile.consents.domain import Channel, State, Statement
from services.profile.parameters import NO_NUL, Moment, Strict
from services.profile.purposes.domain import Purpose


class ConsentPut(Strict):
    """What the customer said; a withdrawal for all channels binds each of them."""

    channel: Channel = Channel.ALL
    state: State
    text_version: Annotated[
        str,
        Field(
            pattern=NO_NUL,
            min_length=1,
            max_length=64,
            description="Of the text shown; a consent needs one that `/v1/consent-purposes` "
            "does not call outdated",
        ),
    ]
    at: Moment | None = Field(default=None, description="When it was said; default: now")
    evidence: Annotated[
        str,
        Field(
            pattern=NO_NUL, min_length=1, max_length=500, description="Reference of the proof kept"
        ),
    ]

    def to_domain(self, purpose: Purpose, now: Moment) -> Statement:
        return Statement(
            purpose=purpose,
            channel=self.channel,
            state=self.state,
            text_version=self.text_version,
            at=self.at or now,
            evidence=self.evidence,
        )


class PreferencesPut(Strict):
    """Only what is sent changes."""

    personalization: bool | None = None
    automated_decisions: bool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.chosen():
            raise ValueError("name at least one preference")
        return self

    def chosen(self) -> dict[str, bool]:
        """Return what was sent."""
        return self.model_dump(exclude_none=True)


class ConsentRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    purpose: Purpose
    channel: Channel
    state: State
    at: Moment = Field(description="Since when")


class ConsentsRead(BaseModel):
    """All a customer allows now; no entry for a purpose means no consent."""

    customer_id: str
    consents: list[ConsentRead]
    personalization: bool
    automated_decisions: bool
    pending: bool = Field(
        description="Consents, flags or complaints have changed and others were not told yet"
    )


class StatementRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    record_id: str
    purpose: Purpose
    channel: Channel
    state: State
    text_version: str
    at: Moment
    recorded_at: Moment
    recorded_by: str
    evidence: str
