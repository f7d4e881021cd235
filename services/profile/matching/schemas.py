from pydantic import BaseModel, ConfigDict, Field

from services.profile.matching.domain.runs import Failure, MatchingRunState
from services.profile.parameters import Moment


class MatchingRunRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    run_id: str
    state: MatchingRunState
    total: int = Field(description="Customers it covers")
    done: int = Field(description="Customers read so far; after that they are compared")
    proposed: int = Field(description="Open proposals it made, once it has ended")
    error: Failure | None = Field(description="Why it failed")
    created_at: Moment
    finished_at: Moment | None
