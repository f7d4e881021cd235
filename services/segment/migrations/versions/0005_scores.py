"""Scores, the cuts of everybody that percentiles read, and what reads what.

Revision ID: 0005
Revises: 0004
Create Date: 2026-11-22 19:25:00

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
    op.create_table(
        "score",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("zh", sa.Text(), nullable=False),
        sa.Column("en", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("needs", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("separate_consent", sa.Boolean(), nullable=False),
        sa.Column("columns", postgresql.JSONB(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "population",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column(
            "revision", sa.BigInteger(), nullable=False, comment="Counts how often cuts were made"
        ),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("made_at", moment, nullable=False),
        sa.Column(
            "cuts", postgresql.JSONB(), nullable=False, comment="By percentile, then by class"
        ),
        sa.CheckConstraint("id = 1", name="population_is_one_row"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.add_column(
        "attribute",
        sa.Column(
            "reads",
            sa.ARRAY(sa.Text()),
            server_default="{}",
            nullable=False,
            comment="By the rules that give it; empty for facts",
        ),
    )


def downgrade() -> None:
    op.drop_column("attribute", "reads")
    op.drop_table("population")
    op.drop_table("score")
