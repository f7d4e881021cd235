"""Records that are one party: who was merged into whom, and the facts of the whole party.

Revision ID: 0003
Revises: 0002
Create Date: 2026-11-22 12:10:00

"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import shared.database

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Facts that add up over a party. A merged record's account or holding that the survivor has too is
# the same one, told by two systems: it counts once.
SUMMED = ("activity_day", "card_day", "counterparty_day", "complaint", "assessment")
OWNED = {"account": ("account", "account_id"), "holding": ("holding", "holding_id"),
         "balance": ("holding", "holding_id")}


def _party(table: str, condition: str) -> str:
    columns = [row[0] for row in op.get_bind().execute(sa.text(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema()"
        " AND table_name = :name AND column_name <> 'customer_id' ORDER BY ordinal_position"
    ), {"name": table})]
    own = ", ".join(f"f.{name}" for name in columns)
    return (f"CREATE VIEW party_{table} AS"
            f" SELECT f.customer_id, f.customer_id AS record, {own} FROM {table} AS f"
            f" UNION ALL SELECT m.merged_into, f.customer_id, {own}"
            f" FROM customer AS m JOIN {table} AS f ON f.customer_id = m.customer_id"
            f" WHERE m.merged_into IS NOT NULL{condition}")


def upgrade() -> None:
    moment = shared.database.UtcDateTime(timezone=True)
    op.add_column("customer", sa.Column("merged_into", sa.Text(), nullable=True))
    op.add_column("customer", sa.Column("merged_at", moment, nullable=True))
    op.create_index("customer_merged", "customer", ["merged_into", "customer_id"],
                    postgresql_where=sa.text("merged_into IS NOT NULL"))
    op.create_table(
        "merge",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("merge_id", sa.Text(), nullable=False),
        sa.Column("merged", sa.Text(), nullable=False),
        sa.Column("merged_at", moment, nullable=False),
        sa.Column("merged_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("filled", postgresql.JSONB(), nullable=False),
        sa.Column("undone_at", moment, nullable=True),
        sa.Column("undone_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("customer_id", "merge_id"),
    )
    op.create_index("merge_in_force", "merge", ["merged"], unique=True,
                    postgresql_where=sa.text("undone_at IS NULL"))
    op.create_table(
        "own_will",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("since", sa.Text(), nullable=False),
        sa.Column("will", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id"),
    )
    op.create_table(
        "switch_record",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Boolean(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "record_id"),
    )
    for table in SUMMED:
        op.execute(_party(table, ""))
    for table, (owned, key) in OWNED.items():
        op.execute(_party(table, f"""
            AND NOT EXISTS (
                SELECT FROM {owned} AS o WHERE o.customer_id = m.merged_into AND o.{key} = f.{key})
            AND NOT EXISTS (
                SELECT FROM customer AS n JOIN {owned} AS o ON o.customer_id = n.customer_id
                WHERE n.merged_into = m.merged_into AND n.customer_id < f.customer_id
                  AND o.{key} = f.{key})"""))


def downgrade() -> None:
    for table in (*SUMMED, *OWNED):
        op.execute(f"DROP VIEW party_{table}")
    op.drop_table("switch_record")
    op.drop_table("own_will")
    op.drop_index("merge_in_force", table_name="merge")
    op.drop_table("merge")
    op.drop_index("customer_merged", table_name="customer")
    op.drop_column("customer", "merged_at")
    op.drop_column("customer", "merged_into")
