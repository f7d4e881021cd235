from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.profile.parameters import NO_NUL, Moment, Strict


class AssessmentCreate(Strict):
    risk_class: Annotated[int, Field(ge=1, le=5, description="1 for C1 to 5 for C5")]
    assessed_at: Moment | None = Field(default=None, description="Default: now")
    questionnaire_version: Annotated[str, Field(pattern=NO_NUL, min_length=1, max_length=64)]


class AssessmentRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    risk_class: int
    assessed_at: Moment
    valid_until: Moment = Field(description="From then on it counts as expired")
    questionnaire_version: str
    submitted_by: str
