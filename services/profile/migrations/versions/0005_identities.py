"""References of source systems, proposed duplicates and their runs, who unmasked which fields.

Revision ID: 0005
Revises: 0004
Create Date: 2026-11-22 12:20:00

"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import shared.database

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = shared.database.UtcDateTime(timezone=True)
    op.add_column("customer", sa.Column("city", sa.Text(), nullable=True))
    op.create_table(
        "source_reference",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column(
            "reference",
            sa.Text(),
            nullable=False,
            comment="Of a sealed system: its blind index, in hex",
        ),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("customer_id", "system", "reference"),
    )
    op.create_index(
        "source_reference_of", "source_reference", ["system", "reference"], unique=True
    )
    op.create_table(
        "duplicate",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("other_id", sa.Text(), nullable=False),
        sa.Column("duplicate_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("probability", sa.Float(), nullable=False),
        sa.Column("evidence", postgresql.JSONB(), nullable=False),
        sa.Column("state", sa.Text(), server_default="proposed", nullable=False),
        sa.Column(
            "borne",
            sa.LargeBinary(),
            nullable=False,
            comment="Digest of what both bore when they were compared",
        ),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("proposed_at", moment, nullable=False),
        sa.Column("decided_at", moment, nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("survivor", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("customer_id", "other_id"),
    )
    op.create_index("duplicate_of_other", "duplicate", ["other_id"])
    op.create_index("duplicate_by_id", "duplicate", ["duplicate_id"], unique=True)
    op.create_index("duplicate_best", "duplicate", ["state", "probability", "duplicate_id"])
    op.create_table(
        "matching_run",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("is_open", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("state", sa.Text(), server_default="queued", nullable=False),
        sa.Column("total", sa.Integer(), server_default="0", nullable=False),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("proposed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("finished_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("run_id"),
    )
    op.create_index(
        "matching_run_open", "matching_run", ["is_open"], unique=True, postgresql_where="is_open"
    )
    # two reads of one person at one instant are two: each has an id of its own
    op.add_column(
        "unmasking",
        sa.Column(
            "unmasking_id",
            sa.Text(),
            server_default=sa.text("gen_random_uuid()::text"),
            nullable=False,
        ),
    )
    op.drop_constraint("unmasking_pkey", "unmasking")
    op.create_primary_key("unmasking_pkey", "unmasking", ["customer_id", "unmasking_id"])
    op.create_index("unmasking_latest", "unmasking", ["at", "unmasking_id"])


def downgrade() -> None:
    op.drop_index("unmasking_latest", table_name="unmasking")
    op.drop_constraint("unmasking_pkey", "unmasking")
    op.execute(
        "DELETE FROM unmasking AS u USING unmasking AS v"
        " WHERE (u.customer_id, u.at, u.actor) = (v.customer_id, v.at, v.actor)"
        " AND u.unmasking_id > v.unmasking_id"
    )
    op.create_primary_key("unmasking_pkey", "unmasking", ["customer_id", "at", "actor"])
    op.drop_column("unmasking", "unmasking_id")
    op.drop_table("matching_run")
    op.drop_table("duplicate")
    op.drop_table("source_reference")
    op.drop_column("customer", "city")
