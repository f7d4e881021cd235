"""The register of managers, the rules of who looks after whom, and plans made by them.

Revision ID: 0016
Revises: 0015
Create Date: 2026-11-22 20:35:00

"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

import shared.database

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = shared.database.UtcDateTime(timezone=True)
    op.create_table(
        "manager",
        sa.Column("rm_id", sa.Text(), nullable=False),
        sa.Column("org_path", sa.Text(), nullable=False),
        sa.Column("serves", ARRAY(sa.Text()), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("rm_id"),
    )
    op.create_table(
        "ownership_rules",
        sa.Column("id", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("body", JSONB(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "assignment",
        sa.Column("assignment_id", sa.Text(), nullable=False),
        sa.Column("org", sa.Text(), nullable=True),
        sa.Column("rules", JSONB(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", moment, nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", moment, nullable=True),
        sa.Column(
            "after", sa.Text(), nullable=False, comment="The last customer that was looked at"
        ),
        sa.Column("counts", JSONB(), nullable=False, comment="What becomes of customers, by rule"),
        sa.Column("no_rule", sa.Integer(), nullable=False),
        sa.Column("applied", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("assignment_id"),
    )
    op.create_index(
        "assignment_due",
        "assignment",
        ["proposed_at"],
        postgresql_where=sa.text("state IN ('planning', 'accepted')"),
    )
    op.create_table(
        "assignment_load",
        sa.Column("assignment_id", sa.Text(), nullable=False),
        sa.Column("rm_id", sa.Text(), nullable=False),
        sa.Column("before", sa.Integer(), nullable=False),
        sa.Column("planned", sa.Integer(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("assignment_id", "rm_id"),
    )
    op.create_table(
        "planned_customer",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("assignment_id", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("org_path", sa.Text(), nullable=False),
        sa.Column("from_rm", sa.Text(), nullable=True),
        sa.Column("rm_id", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("customer_id", "assignment_id"),
    )
    op.create_index("planned_customer_of", "planned_customer", ["assignment_id", "customer_id"])
    op.create_index("handed_customer_from", "handed_customer", ["from_rm"])
    op.add_column(
        "ownership_record",
        sa.Column("rule", sa.Text(), nullable=True, comment="The rule that gave the customer"),
    )


def downgrade() -> None:
    op.drop_column("ownership_record", "rule")
    op.drop_index("handed_customer_from", "handed_customer")
    for name in (
        "planned_customer",
        "assignment_load",
        "assignment",
        "ownership_rules",
        "manager",
    ):
        op.drop_table(name)
