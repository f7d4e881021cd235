from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class ClockRead(BaseModel):
    """The business clock."""

    now: AwareDatetime = Field(description="Business time", examples=["2026-03-02T02:00:00Z"])
    offset_seconds: float = Field(description="Business time minus real time", examples=[0.0])
    zone: str = Field(description="Zone of the bank's days", examples=["Asia/Shanghai"])


class ClockMove(BaseModel):
    """Where to move the business clock."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"now": "2026-03-09T10:00:00+08:00"}]}
    )

    now: AwareDatetime = Field(description="Business time to show from now on, with its zone")
