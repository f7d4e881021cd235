"""Who looked after a customer since when, and hand-overs between managers.

Revision ID: 0011
Revises: 0010
Create Date: 2026-11-22 17:10:00

"""

import sqlalchemy as sa
from alembic import op

import shared.database

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = shared.database.UtcDateTime(timezone=True)
    op.create_table(
        "ownership_record",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("org_path", sa.Text(), nullable=False),
        sa.Column("rm_id", sa.Text(), nullable=True),
        sa.Column("since", moment, nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "record_id"),
    )
    op.create_table(
        "hand_over",
        sa.Column("hand_over_id", sa.Text(), nullable=False),
        sa.Column("from_rm", sa.Text(), nullable=False),
        sa.Column("to_rm", sa.Text(), nullable=False),
        sa.Column("org", sa.Text(), nullable=True),
        sa.Column("of_all", sa.Boolean(), nullable=False, comment="Else only of those named"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", moment, nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", moment, nullable=True),
        sa.Column("dispute", sa.Text(), nullable=True),
        sa.Column("handed", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("hand_over_id"),
    )
    op.create_index(
        "hand_over_due",
        "hand_over",
        ["since"],
        postgresql_where=sa.text("state IN ('accepted', 'in_effect')"),
    )
    op.create_table(
        "named_customer",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("hand_over_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "hand_over_id"),
    )
    op.create_index("named_customer_of", "named_customer", ["hand_over_id", "customer_id"])
    op.create_table(
        "handed_customer",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("hand_over_id", sa.Text(), nullable=False),
        sa.Column("from_rm", sa.Text(), nullable=False),
        sa.Column("to_rm", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "hand_over_id"),
    )
    op.create_index(
        "handed_customer_of", "handed_customer", ["hand_over_id", "customer_id"]
    )


def downgrade() -> None:
    for name in ("handed_customer", "named_customer", "hand_over", "ownership_record"):
        op.drop_table(name)
