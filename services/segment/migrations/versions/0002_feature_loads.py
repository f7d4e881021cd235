"""Runs of the profile are noted, and loaded beside the feed

Revision ID: 0002
Revises: 0001
Create Date: 2026-11-22 02:50:00

"""

import sqlalchemy as sa
from alembic import op

import shared.database

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Upgrade schema."""
    op.create_table(
        "feature_load",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column(
            "path", sa.Text(), nullable=False, comment="Of the export, below the gateway"
        ),
        sa.Column("noted_at", shared.database.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
    )


def downgrade() -> None:
    """Downgrade schema."""
    op.drop_table("feature_load")
