"""Relations between parties, the KYC card, needs and goals.

Revision ID: 0004
Revises: 0003
Create Date: 2026-11-22 12:20:00

"""

import sqlalchemy as sa
from alembic import op

import shared.database

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# What the records of a party have together, as in 0003.
PARTY_VIEWS = {
    "identifier": "kind",
    "kyc_value": "item confirmed_at",
    "goal": "goal_id horizon stated_at closed_at",
}


def upgrade() -> None:
    moment = shared.database.UtcDateTime(timezone=True)
    money = shared.database.Money()

    def text(name: str, *, null: bool = False) -> sa.Column:
        return sa.Column(name, sa.Text(), nullable=null)

    op.create_table(
        "relation",
        text("customer_id"),
        text("relation_id"),
        text("kind"),
        text("to_id"),
        text("from_party"),
        text("to_party"),
        text("role", null=True),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("share", sa.Double(), nullable=True, comment="In %"),
        text("source"),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("recorded_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "relation_id"),
    )
    op.create_index("relation_kind", "relation", ["from_party", "kind"])
    op.create_index("relation_stated", "relation", ["from_party", "relation_id"])
    op.create_index("relation_reverse", "relation", ["to_party", "from_party", "relation_id"])
    op.create_table(
        "relative_sum",
        text("customer_id"),
        sa.Column("household_others_aum", sa.BigInteger(), nullable=False, comment="In fen"),
        sa.Column(
            "minor_children", sa.Integer(), nullable=True, comment="Null: no children are related"
        ),
        sa.Column("owns_business", sa.Boolean(), nullable=False),
        sa.Column("referrals", sa.Integer(), nullable=False),
        sa.Column("legal_rep_aum", sa.BigInteger(), nullable=True, comment="In fen"),
        sa.Column("key_persons", sa.Integer(), nullable=False),
        sa.Column("employees", sa.Integer(), nullable=False),
        sa.Column("employees_converted", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id"),
    )
    op.create_table(
        "kyc_value",
        text("customer_id"),
        text("item"),
        sa.Column("sealed", sa.LargeBinary(), nullable=True, comment="Null: a fact confirmed"),
        text("source"),
        sa.Column("confirmed_at", moment, nullable=False),
        sa.Column("recorded_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "item"),
    )
    op.create_table(
        "need",
        text("customer_id"),
        text("need_id"),
        text("kind"),
        text("code"),
        text("source"),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("stated_at", moment, nullable=False),
        sa.Column("valid_until", moment, nullable=True),
        sa.Column("resolved_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("customer_id", "need_id"),
    )
    op.create_table(
        "goal",
        text("customer_id"),
        text("goal_id"),
        text("kind"),
        sa.Column("target", money, nullable=True),
        sa.Column("horizon", sa.Date(), nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("progress", sa.Double(), nullable=True),
        text("source"),
        sa.Column("stated_at", moment, nullable=False),
        sa.Column("closed_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("customer_id", "goal_id"),
    )
    for name, columns in PARTY_VIEWS.items():
        own = ", ".join(f"f.{column}" for column in columns.split())
        op.execute(f"""
            CREATE VIEW party_{name} AS
            SELECT f.customer_id, f.customer_id AS record, {own} FROM {name} AS f
            UNION ALL SELECT m.merged_into, f.customer_id, {own}
            FROM customer AS m JOIN {name} AS f ON f.customer_id = m.customer_id
            WHERE m.merged_into IS NOT NULL""")


def downgrade() -> None:
    for name in PARTY_VIEWS:
        op.execute(f"DROP VIEW party_{name}")
    for name in ("goal", "need", "kyc_value", "relative_sum", "relation"):
        op.drop_table(name)
