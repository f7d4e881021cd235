"""Records that are part of another customer."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("customer_state", sa.Column("merged_into", sa.Text(), nullable=True))
    op.create_index(
        "customer_merged",
        "customer_state",
        ["merged_into"],
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("customer_merged", table_name="customer_state")
    op.drop_column("customer_state", "merged_into")
