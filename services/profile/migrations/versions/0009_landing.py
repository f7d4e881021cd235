"""Event types of a bank's own; imports by business date with control totals.

Revision ID: 0009
Revises: 0008
Create Date: 2026-11-22 15:40:00

"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import shared.database

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "event_type",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("body", postgresql.JSONB(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("updated_at", shared.database.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.add_column("quarantine", sa.Column("detail", sa.Text(), nullable=True))
    op.add_column("job_reject", sa.Column("column", sa.Text(), nullable=True))
    op.add_column("job_reject", sa.Column("line", sa.Integer(), nullable=True))
    op.add_column("job", sa.Column("format", sa.Text(), server_default="arrow", nullable=False))
    op.add_column("job", sa.Column("source", sa.Text(), nullable=True))
    op.add_column("job", sa.Column("business_date", sa.Date(), nullable=True))
    op.add_column("job", sa.Column("digest", sa.LargeBinary(), nullable=True))
    op.add_column("job", sa.Column("totals", postgresql.JSONB(none_as_null=True), nullable=True))
    op.add_column("job", sa.Column("uncut", postgresql.JSONB(none_as_null=True), nullable=True))
    op.create_table(
        "job_part",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "number"),
    )
    op.create_index(
        "job_landing",
        "job",
        ["kind", "source", "business_date", "digest"],
        unique=True,
        postgresql_where=sa.text("error IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("job_landing", table_name="job")
    op.drop_table("job_part")
    for name in ("uncut", "totals", "digest", "business_date", "source", "format"):
        op.drop_column("job", name)
    op.drop_column("job_reject", "line")
    op.drop_column("job_reject", "column")
    op.drop_column("quarantine", "detail")
    op.drop_table("event_type")
