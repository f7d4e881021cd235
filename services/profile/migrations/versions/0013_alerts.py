"""Segment is followed, and staff are alerted to what features and levels of a customer call for.

Revision ID: 0013
Revises: 0012
Create Date: 2026-11-22 19:20:00

"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import shared.database

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = shared.database.UtcDateTime(timezone=True)
    op.create_table(
        "load",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_table(
        "placement",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("as_of", moment, nullable=False, comment="Business time they describe"),
        sa.Column("levels", postgresql.JSONB(), nullable=False),
        sa.Column("segments", sa.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("customer_id"),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_table(
        "attribute",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("values", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("is_sensitive", sa.Boolean(), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "rule_scheme",
        sa.Column("id", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "alert_kind",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("body", postgresql.JSONB(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "alert",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("alert_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("raised_at", moment, nullable=False),
        sa.Column("evidence", postgresql.JSONB(), nullable=False),
        sa.Column("rm_id", sa.Text(), comment="Who looked after the customer then"),
        sa.Column("cleared_at", moment),
        sa.Column("acknowledged_at", moment),
        sa.Column("acknowledged_by", sa.Text()),
        sa.Column("acknowledgement", sa.Text()),
        sa.Column(
            "run_id",
            sa.Text(),
            comment="The run that last changed the row; null: a single change did",
        ),
        sa.PrimaryKeyConstraint("customer_id", "alert_id"),
    )
    is_open = sa.text("cleared_at IS NULL")
    op.create_index(
        "alert_open", "alert", ["customer_id", "kind"], unique=True, postgresql_where=is_open
    )
    op.create_index(
        "alert_open_latest", "alert", ["raised_at", "alert_id"], postgresql_where=is_open
    )
    op.create_index(
        "alert_of_run", "alert", ["run_id"], postgresql_where=sa.text("run_id IS NOT NULL")
    )


def downgrade() -> None:
    for name in ("alert", "alert_kind", "rule_scheme", "attribute", "placement", "load"):
        op.drop_table(name)
