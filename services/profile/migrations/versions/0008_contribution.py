"""What a customer brings and costs, overdue debts, visits, tenders and steps towards credit.

Revision ID: 0008
Revises: 0007
Create Date: 2026-11-22 15:40:00

"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SUMS = ("fees", "benefits")
COUNTS = ("minutes", "rm_minutes", "rm_visits", "rm_talks", "remote_calls", "bids_won")
STAGE = "The furthest step of the credit funnel; 0: none"
DAY_COLUMNS = (
    "day channel initiated logins transactions transaction_amount inflow largest_inflow outflow "
    "self_outflow salary pension purchases fund_trades visits messages product_views abandoned "
    "contents activities settlement_in settlement_out headcount fx"
)
HOLDING_COLUMNS = (
    "holding_id account_id category product_id currency opened_at matures_at closed_at "
    "credit_line amount term_months payment status rate"
)
TOUCH_COLUMNS = "touch_id kind type occurred_at channel"
ONCE = """
    AND NOT EXISTS (
        SELECT FROM holding AS o
        WHERE o.customer_id = m.merged_into AND o.holding_id = f.holding_id)
    AND NOT EXISTS (
        SELECT FROM customer AS n JOIN holding AS o ON o.customer_id = n.customer_id
        WHERE n.merged_into = m.merged_into AND n.customer_id < f.customer_id
          AND o.holding_id = f.holding_id)"""


def _party(table: str, columns: str, condition: str = "") -> None:
    """Have the view of a party's facts show these columns, as in 0003."""
    own = ", ".join(f"f.{name}" for name in columns.split())
    op.execute(f"DROP VIEW IF EXISTS party_{table}")
    op.execute(f"""
        CREATE VIEW party_{table} AS
        SELECT f.customer_id, f.customer_id AS record, {own} FROM {table} AS f
        UNION ALL SELECT m.merged_into, f.customer_id, {own}
        FROM customer AS m JOIN {table} AS f ON f.customer_id = m.customer_id
        WHERE m.merged_into IS NOT NULL{condition}""")


def upgrade() -> None:
    op.add_column("customer", sa.Column("has_direct_link", sa.Boolean(), nullable=True))
    op.add_column("holding", sa.Column("overdue_since", sa.Date(), nullable=True))
    for name in SUMS:
        op.add_column(
            "activity_day", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)
        )
    for name in COUNTS:
        op.add_column(
            "activity_day", sa.Column(name, sa.Integer(), server_default="0", nullable=False)
        )
    op.add_column(
        "activity_day",
        sa.Column("credit_stage", sa.Integer(), server_default="0", nullable=False, comment=STAGE),
    )
    op.create_index(
        "activity_day_credit",
        "activity_day",
        ["customer_id"],
        postgresql_where=sa.text("credit_stage > 0"),
    )
    op.create_table(
        "contribution_sum",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("revenue", sa.BigInteger(), nullable=False),
        sa.Column("cost_to_serve", sa.BigInteger(), nullable=False),
        sa.Column("risk_cost", sa.BigInteger(), nullable=False),
        sa.Column("salary_retention", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("customer_id"),
    )
    _party("activity_day", " ".join((DAY_COLUMNS, *SUMS, *COUNTS, "credit_stage")))
    _party("holding", f"{HOLDING_COLUMNS} overdue_since", ONCE)
    _party("touch", TOUCH_COLUMNS)


def downgrade() -> None:
    op.execute("DROP VIEW party_touch")
    op.drop_table("contribution_sum")
    _party("holding", HOLDING_COLUMNS, ONCE)
    _party("activity_day", DAY_COLUMNS)
    op.drop_index("activity_day_credit", table_name="activity_day")
    for name in ("credit_stage", *COUNTS, *SUMS):
        op.drop_column("activity_day", name)
    op.drop_column("holding", "overdue_since")
    op.drop_column("customer", "has_direct_link")
