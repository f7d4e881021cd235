from pydantic import BaseModel, ConfigDict, Field

from services.profile.parameters import Moment, Strict


class RollCreate(Strict):
    as_of: Moment | None = Field(default=None, description="Default: now")


class RunRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    run_id: str = Field(description="`changed_in_run` of the export")
    kind: str = Field(description="import, roll or manual")
    state: str = Field(description="collecting, queued, running or completed")
    as_of: Moment
    total: int = Field(description="Customers it covers")
    done: int
    changed: int = Field(description="Customers whose features changed")
    created_at: Moment
    finished_at: Moment | None
