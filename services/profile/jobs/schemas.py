from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from services.profile.jobs.domain.jobs import Job, State, in_yuan
from services.profile.parameters import Moment


class RowsTotal(BaseModel):
    expected: int
    found: int


class SumTotal(BaseModel):
    column: str
    expected: str = Field(description="As told in `control_sum`")
    found: str = Field(description="Over the rows whose value could be read")


class Totals(BaseModel):
    """What the sender counted beside what the body holds."""

    rows: RowsTotal | None = None
    sum: SumTotal | None = None
    agree: bool


class JobRead(BaseModel):
    """An import and how far it has come."""

    model_config = ConfigDict(from_attributes=True)

    job_id: str
    kind: str
    format: str = Field(description="Of the body: arrow, parquet, csv, fixed, excel or ndjson")
    state: State
    source: str | None = Field(description="Where the file came from, as its sender names it")
    business_date: date | None = Field(description="The bank's day that the file is of")
    totals: Totals | None = Field(description="The control totals, where they were told")
    rows: int = Field(description="Of the body, those that cannot be read included")
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
    error: str | None = Field(
        description="Why it failed. `control_totals_differ`: see `totals`; of a strict import "
        "nothing was taken, of another one everything that could be"
    )
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None

    @classmethod
    def of(cls, job: Job) -> "JobRead":
        """Show a job."""
        values = {name: getattr(job, name) for name in cls.model_fields}
        return cls.model_validate({**values, "report": in_yuan(job.report)})


class JobAccepted(BaseModel):
    job_id: str = Field(description="Of a file that landed for its day already: the job of then")
    state: State
