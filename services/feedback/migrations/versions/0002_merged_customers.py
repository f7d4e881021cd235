"""Records that are part of another customer."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("customer", sa.Column("merged_into", sa.Text(), nullable=True))
    op.create_index(
        "customer_merged",
        "customer",
        ["merged_into"],
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("customer_merged", table_name="customer")
    op.drop_column("customer", "merged_into")
