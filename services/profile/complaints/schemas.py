from pydantic import BaseModel, ConfigDict, Field

from services.profile.complaints.domain import Complaint
from services.profile.parameters import Code, Id, Moment, Strict
from shared.ids import new_id


class ComplaintCreate(Strict):
    complaint_id: Id | None = Field(default=None, description="Your id; repeated, it opens nothing")
    category: Code = Field(description="Kind of complaint, a code", examples=["fees"])

    def to_domain(self, now: Moment) -> Complaint:
        return Complaint(
            complaint_id=self.complaint_id or new_id(), category=self.category, opened_at=now
        )


class ComplaintRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    complaint_id: str
    category: str
    opened_at: Moment
    closed_at: Moment | None
