"""The tables of a feed: what a service publishes, and how far it has read the others."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSON, JSONB

from shared.stores import SUBJECT

# Rows that are rewritten many times a second want free room on their page and early vacuum.
_RESTLESS = {"fillfactor": 20}


def feed_tables(metadata: MetaData) -> None:
    """Add the feed's tables to a service's metadata; its first migration creates them."""
    _published(metadata)
    _followed(metadata)


def load_table(metadata: MetaData) -> None:
    """Add the runs of other services whose results are still to be taken over (`loads`)."""
    Table(
        "load",
        metadata,
        Column("event_id", Text, primary_key=True),
        Column("kind", Text, nullable=False),
        Column("path", Text, nullable=False),
        Column("noted_at", _time(), nullable=False),
    )


def _published(metadata: MetaData) -> None:
    Table(
        "feed_pending",
        metadata,
        Column("id", BigInteger, Identity(), primary_key=True),
        *_event_columns(),
    )
    Table(
        "feed",
        metadata,
        Column("position", BigInteger, primary_key=True, autoincrement=False),
        *_event_columns(),
        Column("published_at", _time(), nullable=False, server_default=func.clock_timestamp()),
    )
    Table(
        "feed_head",
        metadata,
        Column("id", SmallInteger, primary_key=True, server_default=text("1")),
        Column("epoch", Text, nullable=False),
        Column("home", Text, nullable=False, comment="The database this epoch was written in"),
        Column("position", BigInteger, nullable=False, server_default=text("0")),
        Column("kept_after", BigInteger, nullable=False, server_default=text("0")),
        Column("version_base", BigInteger, nullable=False, server_default=text("0")),
        Column("swept_at", _time()),
        CheckConstraint("id = 1", name="feed_head_is_one_row"),
        postgresql_with=_RESTLESS,
    )
    Table(
        "feed_version",
        metadata,
        Column("subject", Text, primary_key=True, info=SUBJECT),
        Column("type", Text, primary_key=True),
        Column("version", BigInteger, nullable=False),
    )
    Table(
        "feed_reader",
        metadata,
        Column("name", Text, primary_key=True),
        Column("lane", Text, primary_key=True),
        Column("types", JSON, nullable=False),
        Column("cursor", Text),
        Column("seen_at", _time(), nullable=False),
    )


def _followed(metadata: MetaData) -> None:
    Table(
        "feed_cursor",
        metadata,
        Column("feed", Text, primary_key=True),
        Column("lane", Text, primary_key=True),
        Column("cursor", Text, comment="Null: the snapshot has to be taken"),
        Column("head_position", BigInteger),
        Column("swept_at", _time(), comment="All that was committed before is applied here"),
        Column("moved_at", _time()),
        postgresql_with=_RESTLESS,
    )
    Table(
        "feed_seen",
        metadata,
        Column("subject", Text, primary_key=True, info=SUBJECT),
        Column("type", Text, primary_key=True),
        Column("version", BigInteger, nullable=False),
    )
    Table(
        "feed_applied",
        metadata,
        Column("event_id", Text, primary_key=True),
        Column("applied_at", _time(), nullable=False, server_default=func.clock_timestamp()),
        Index("feed_applied_by_time", "applied_at"),
    )
    Table(
        "feed_parked",
        metadata,
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("feed", Text, nullable=False),
        Column("lane", Text, nullable=False),
        Column("subject", Text, nullable=False, info=SUBJECT),
        Column("type", Text, nullable=False),
        Column("event", JSON, nullable=False),
        Column("reason", Text, nullable=False),
        Column("is_cause", Boolean, nullable=False, comment="False: waits behind one that failed"),
        Column("tries", Integer, nullable=False),
        Column("parked_at", _time(), nullable=False, server_default=func.clock_timestamp()),
        Column("retry_at", _time()),
        Index("feed_parked_by_subject", "subject", "feed", "lane"),
    )
    Table(
        "feed_erased",
        metadata,
        Column("subject", Text, primary_key=True, info=SUBJECT),
        Column("request_id", Text, nullable=False),
        Column("erased_at", _time(), nullable=False),
        Column("passes", SmallInteger, nullable=False, server_default=text("0")),
        Column("due_at", _time(), comment="Of the next pass; null: nothing is left"),
        Column("taken", JSONB, nullable=False, server_default=text("'{}'"), comment="By store"),
        Index("feed_erased_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    )


def _event_columns() -> list[Column[object]]:
    return [
        Column("event_id", Text, nullable=False),
        Column("type", Text, nullable=False),
        Column("subject", Text, nullable=False, info=SUBJECT),
        Column("time", _time(), nullable=False, server_default=func.clock_timestamp()),
        Column("at", _time(), nullable=False),
        Column("data", JSON, nullable=False),
        Column("version", BigInteger),
        Column("traceparent", Text),
    ]


def _time() -> DateTime:
    return DateTime(timezone=True)
