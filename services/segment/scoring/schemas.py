from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field

from services.segment.scoring.domain.runs import RunKind, RunState


class RunCreate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: RunKind = Field(
        default=RunKind.FULL,
        description="`nightly` closes a business day and may move levels with hysteresis; "
        "`full` evaluates everyone and leaves those as they are",
    )


class RunRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    run_id: str = Field(description="The run; `changed_in_run` of the export")
    kind: RunKind
    state: RunState
    as_of: datetime = Field(description="Business time that the results describe")
    day: date = Field(description="The business day that it closes")
    requested_by: str = Field(description="Who asked for it; `timer` for the clock")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    total: int = Field(description="Customers at the start")
    done: int = Field(description="Customers evaluated so far")
    changed: int = Field(description="Customers whose levels or segments changed")
    failures: int = Field(description="Tries that ended in an error")
    error: str | None = Field(description="Of the last such try")
