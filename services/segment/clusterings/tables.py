from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.segment.base import Base
from shared.database import UtcDateTime
from shared.stores import SUBJECT


class ClusteringRow(Base):
    """By what customers are grouped, and the run whose clusters count."""

    __tablename__ = "clustering"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    definition: Mapped[dict[str, Any]] = mapped_column(JSONB)
    version: Mapped[int]
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    current_run: Mapped[str | None] = mapped_column(Text)


class ClusteringRunRow(Base):
    """A run and how far it is; its result once it has one."""

    __tablename__ = "clustering_run"
    __table_args__ = (
        Index("clustering_run_open", "run_id", postgresql_where=text("finished_at IS NULL")),
        Index("clustering_run_by_clustering", "clustering", "run_id"),
    )

    run_id: Mapped[str] = mapped_column(Text, primary_key=True)
    clustering: Mapped[str] = mapped_column(ForeignKey("clustering.key"))
    state: Mapped[str] = mapped_column(Text)
    requested_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int | None] = mapped_column(comment="Of the clustering, as the run began")
    tries: Mapped[int]
    done: Mapped[int]
    total: Mapped[int]
    failure: Mapped[str | None] = mapped_column(Text)
    detail: Mapped[str | None] = mapped_column(Text)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class ClusterNameRow(Base):
    """What a cluster is called, run after run."""

    __tablename__ = "cluster_name"

    clustering: Mapped[str] = mapped_column(ForeignKey("clustering.key"), primary_key=True)
    name_key: Mapped[str] = mapped_column(Text, primary_key=True)
    zh: Mapped[str] = mapped_column(Text)
    en: Mapped[str] = mapped_column(Text)
    named_by: Mapped[str | None] = mapped_column(Text, comment="Null: proposed by a run")
    version: Mapped[int]
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ClusteringMemberRow(Base):
    """The cluster of a customer in the run that counts; those of runs before are gone."""

    __tablename__ = "clustering_member"
    __table_args__ = (Index("clustering_member_by_cluster", "run_id", "cluster", "customer_id"),)

    customer_id: Mapped[str] = mapped_column(Text, primary_key=True, info=SUBJECT)
    run_id: Mapped[str] = mapped_column(Text, primary_key=True)
    cluster: Mapped[int] = mapped_column(SmallInteger, comment="Its number in that run, from 1")
