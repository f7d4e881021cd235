"""Tags on customers, and the kinds of tags that the bank wrote."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import shared.database

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = shared.database.UtcDateTime(timezone=True)
    op.create_table(
        "tag_kind",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("body", postgresql.JSONB(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "tag",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("tag_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text()),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.Column("until", moment),
        sa.Column("set_by", sa.Text(), comment="Null: its rule"),
        sa.Column("reference", sa.Text(), comment="What it rests on elsewhere"),
        sa.Column("run_id", sa.Text(), comment="The run of features in which its rule set it"),
        sa.Column("ended_at", moment),
        sa.Column("ended_by", sa.Text(), comment="Null: its rule, or time"),
        sa.Column("ending", sa.Text()),
        sa.PrimaryKeyConstraint("customer_id", "tag_id"),
    )
    is_open = sa.text("ended_at IS NULL")
    op.create_index(
        "tag_open", "tag", ["customer_id", "kind"], unique=True, postgresql_where=is_open
    )
    op.create_index(
        "tag_due",
        "tag",
        ["until"],
        postgresql_where=sa.text("ended_at IS NULL AND until IS NOT NULL"),
    )
    op.create_index("tag_bearers", "tag", ["kind", "customer_id"], postgresql_where=is_open)


def downgrade() -> None:
    for name in ("tag", "tag_kind"):
        op.drop_table(name)
