"""Customers are found by what staff know of them: a name as it sounds, the end of a phone, a place.

Revision ID: 0010
Revises: 0009
Create Date: 2026-11-22 16:05:00

"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "search_key",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("tokens", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("scheme", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id"),
    )
    op.create_index("search_key_tokens", "search_key", ["tokens"], postgresql_using="gin")
    op.create_index(
        "customer_by_org",
        "customer",
        ["org_path", "customer_id"],
        postgresql_ops={"org_path": "text_pattern_ops"},
    )
    op.create_index("customer_by_rm", "customer", ["rm_id", "customer_id"])


def downgrade() -> None:
    op.drop_index("customer_by_rm", table_name="customer")
    op.drop_index("customer_by_org", table_name="customer")
    op.drop_table("search_key")
