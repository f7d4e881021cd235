from pydantic import BaseModel, ConfigDict, Field

from services.profile.jobs.domain.jobs import Job, State, in_yuan
from services.profile.parameters import Moment


class JobRead(BaseModel):
    """An import and how far it has come."""

    model_config = ConfigDict(from_attributes=True)

    job_id: str
    kind: str
    state: State
    rows: int = Field(description="Of the body")
    done: int = Field(description="Rows gone through: accepted + unchanged + rejected")
    accepted: int = Field(description="Rows that brought something new")
    unchanged: int = Field(description="Rows whose content was known")
    rejected: int = Field(description="Rows not taken; see the job's rejects")
    run_id: str | None = Field(
        description="The features run that follows the rows; null while nothing has changed"
    )
    report: dict[str, dict[str, dict[str, int | str]]] = Field(
        description="Of all rows taken, known ones too: dimension, value, {rows, sums in yuan}"
    )
    error: str | None
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None

    @classmethod
    def of(cls, job: Job) -> "JobRead":
        """Show a job."""
        values = {name: getattr(job, name) for name in cls.model_fields}
        return cls.model_validate({**values, "report": in_yuan(job.report)})


class JobAccepted(BaseModel):
    job_id: str
    state: State
