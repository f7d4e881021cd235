from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, Index, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.profile.base import Base
from shared.database import UtcDateTime
from shared.stores import SUBJECT


class JobRow(Base):
    """One import: carried out chunk by chunk, oldest job first.

    What landed for a `business_date` from a `source` is told apart by its `digest`: one file is
    taken once; `totals` compares it with what its sender counted. `uncut` says how to cut what is
    kept of the body as it came. `rows_in_at` is real time.
    `features_later`: its customers' features follow with a later job's;
    `features_asked`: the run that brings them, and those of jobs before, may begin.
    """

    __tablename__ = "job"
    __table_args__ = (
        Index("job_queue", "created_at", postgresql_where="finished_at IS NULL"),
        Index(
            "job_landing",
            *("kind", "source", "business_date", "digest"),
            unique=True,
            postgresql_where="error IS NULL",
        ),
    )

    job_id: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    client_id: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, server_default="queued")
    format: Mapped[str] = mapped_column(Text, server_default="arrow")
    source: Mapped[str | None] = mapped_column(Text)
    business_date: Mapped[date | None] = mapped_column(Date)
    digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    totals: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    uncut: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    rows: Mapped[int] = mapped_column(server_default="0")
    done: Mapped[int] = mapped_column(server_default="0")
    accepted: Mapped[int] = mapped_column(server_default="0")
    unchanged: Mapped[int] = mapped_column(server_default="0")
    rejected: Mapped[int] = mapped_column(server_default="0")
    features_later: Mapped[bool] = mapped_column(server_default="false")
    features_asked: Mapped[bool] = mapped_column(server_default="false")
    rows_in_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    run_id: Mapped[str | None] = mapped_column(Text)
    report: Mapped[Any] = mapped_column(JSONB, server_default="{}")
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class JobPartRow(Base):
    """A part of a body as it came, packed, until the body is cut; `size` is its own, unpacked."""

    __tablename__ = "job_part"

    job_id: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    size: Mapped[int]
    body: Mapped[bytes] = mapped_column(LargeBinary)


class JobChunkRow(Base):
    """A part of the body that is still to be taken, in the Arrow stream format."""

    __tablename__ = "job_chunk"

    job_id: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    first_row: Mapped[int]
    body: Mapped[bytes] = mapped_column(LargeBinary)


class JobRejectRow(Base):
    """A row that was not taken, and why."""

    __tablename__ = "job_reject"

    job_id: Mapped[str] = mapped_column(Text, primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(Text, info=SUBJECT)
    reason: Mapped[str] = mapped_column(Text)
    column: Mapped[str | None] = mapped_column(Text)
    line: Mapped[int | None]
