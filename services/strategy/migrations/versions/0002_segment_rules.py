"""Rules of segments, so that a decision sees an edit at once."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "segment_rule",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=True, comment="Null: the segment is out of use"),
        sa.Column(
            "version", sa.BigInteger(), nullable=False, comment="Of the event; counts per segment"
        ),
        sa.PrimaryKeyConstraint("key"),
    )


def downgrade() -> None:
    op.drop_table("segment_rule")
