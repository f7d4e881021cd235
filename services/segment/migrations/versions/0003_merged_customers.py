"""Records that are part of another customer."""

import sqlalchemy as sa
from alembic import op

import shared.database

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

AFTER = "Null: only the owner is known yet, or it is part of another"
BEFORE = "Null: only the owner is known yet"


def upgrade() -> None:
    moment = shared.database.UtcDateTime(timezone=True)
    op.add_column("customer", sa.Column(
        "merged_into", sa.Text(), nullable=True,
        comment="The customer it is part of; features of before it was merged count no more"))
    op.add_column("customer", sa.Column("merged_at", moment, nullable=True))
    op.alter_column("customer", "features_as_of", existing_type=moment, comment=AFTER)


def downgrade() -> None:
    moment = shared.database.UtcDateTime(timezone=True)
    op.alter_column("customer", "features_as_of", existing_type=moment, comment=BEFORE)
    op.drop_column("customer", "merged_at")
    op.drop_column("customer", "merged_into")
