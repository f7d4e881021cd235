"""Rights requests, the sealed archive, who was erased, and what may leave the bank.

Revision ID: 0007
Revises: 0006
Create Date: 2026-11-22 15:45:00

"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import shared.database

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "feed_erased",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("passes", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "due_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="Of the next pass; null: nothing is left",
        ),
        sa.Column(
            "taken",
            postgresql.JSONB(),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="By store",
        ),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_index(
        "feed_erased_due", "feed_erased", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL")
    )
    moment = shared.database.UtcDateTime(timezone=True)
    op.create_table(
        "rights_request",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("records", postgresql.JSONB(), nullable=False),
        sa.Column("received_at", moment, nullable=False),
        sa.Column("received_by", sa.Text(), nullable=False),
        sa.Column("due_at", moment, nullable=False),
        sa.Column("decided_at", moment, nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("readers", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("receipts", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("closed_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("customer_id", "request_id"),
    )
    op.create_index("rights_request_by_id", "rights_request", ["request_id"], unique=True)
    op.create_index(
        "rights_request_open",
        "rights_request",
        ["due_at"],
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "restricted",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("archive_id", sa.Text(), nullable=False),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column(
            "sealed", sa.LargeBinary(), nullable=False, comment="JSON rows, compressed, sealed"
        ),
        sa.Column("kept_until", sa.Date(), nullable=False),
        sa.Column("archived_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "archive_id"),
    )
    op.create_index("restricted_until", "restricted", ["kept_until"])
    op.create_table(
        "sharing_statement",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("data", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("text_version", sa.Text(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("recorded_at", moment, nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "record_id"),
    )
    op.create_table(
        "disclosure",
        sa.Column("disclosure_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=True),
        sa.Column("data", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("org", sa.Text(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("asked_at", moment, nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("decided_at", moment, nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("disclosure_id"),
    )
    op.create_index("disclosure_latest", "disclosure", ["asked_at", "disclosure_id"])


def downgrade() -> None:
    for name in ("disclosure", "sharing_statement", "restricted"):
        op.drop_table(name)
    op.drop_table("rights_request")
    op.drop_table("feed_erased")
