"""Features that the bank declares: what they count, what each day adds up to, what they are.

Revision ID: 0012
Revises: 0011
Create Date: 2026-11-22 19:20:00

"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import shared.database

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = shared.database.UtcDateTime(timezone=True)
    number = sa.Numeric(30, 9)
    op.create_table(
        "declared_feature",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("body", postgresql.JSONB(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False, comment="Of the events"),
        sa.Column("condition", sa.Text(), nullable=True,
                  comment="A jsonpath over an event as a document; null: each counts"),
        sa.Column("terms", postgresql.JSONB(), nullable=False,
                  comment="The variables of the condition"),
        sa.Column("measure", sa.ARRAY(sa.Text()), nullable=True,
                  comment="Path of a number in that document; null: events are counted"),
        sa.Column("aggregate", sa.Text(), nullable=False),
        sa.Column("window_days", sa.Integer(), nullable=True, comment="Null: without end"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("filled_to", sa.Text(), server_default="", nullable=False, comment="A customer"),
        sa.Column("run_id", sa.Text(), nullable=True, comment="The run that fills or empties it"),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("declared_feature_type", "declared_feature", ["type"])
    op.create_table(
        "declared_day",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("total", number, nullable=True),
        sa.Column("lowest", number, nullable=True),
        sa.Column("highest", number, nullable=True),
        sa.Column("latest", number, nullable=True),
        sa.Column("latest_at", moment, nullable=True),
        sa.Column("latest_sequence", sa.BigInteger(), nullable=True),
        sa.Column("latest_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("customer_id", "feature", "day"),
    )
    columns = ("feature, day, events, total, lowest, highest, latest, latest_at, latest_sequence,"
               " latest_id")
    op.execute(f"""
        CREATE VIEW party_declared_day AS
        SELECT customer_id, customer_id AS record, {columns} FROM declared_day
        UNION ALL
        SELECT m.merged_into, customer_id, {columns}
        FROM customer AS m JOIN declared_day AS d USING (customer_id)
        WHERE m.merged_into IS NOT NULL""")
    op.add_column("feature", sa.Column("declared", postgresql.JSONB(), nullable=True,
                                       comment="The bank's own features by name"))


def downgrade() -> None:
    op.drop_column("feature", "declared")
    op.execute("DROP VIEW party_declared_day")
    op.drop_table("declared_day")
    op.drop_table("declared_feature")
