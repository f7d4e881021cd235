"""What consents are asked for, and when older answers lapse; what is wrong with sales."""

import sqlalchemy as sa
from alembic import op

import shared.database

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = shared.database.UtcDateTime(timezone=True)
    op.create_table(
        "consent_text",
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("text_version", sa.Text(), nullable=False),
        sa.Column("meaning_zh", sa.Text(), nullable=False),
        sa.Column("meaning_en", sa.Text(), nullable=False),
        sa.Column("needs_new_consent", sa.Boolean(), nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.Column("lapses_at", moment, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("proposed_at", moment, nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", moment, nullable=True),
        sa.Column("lapsed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lapsed_at", moment, nullable=True),
        sa.Column(
            "looked_at",
            sa.Text(),
            server_default="",
            nullable=False,
            comment="The last customer whose consents were looked at",
        ),
        sa.PrimaryKeyConstraint("purpose", "text_version"),
    )
    op.create_table(
        "conduct_finding",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("finding_id", sa.Text(), nullable=False),
        sa.Column("breach", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("occurred_at", moment, nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("risk_level", sa.SmallInteger(), nullable=True, comment="R1 to R5, if told"),
        sa.Column("risk_class", sa.SmallInteger(), nullable=True, comment="C1 to C5 then"),
        sa.Column("valid_until", moment, nullable=True),
        sa.Column("found_at", moment, nullable=False),
        sa.Column("changed_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "event_id"),
    )
    op.create_index("conduct_finding_by_id", "conduct_finding", ["finding_id"], unique=True)
    op.create_table(
        "conduct_due",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("told_in", sa.Text(), nullable=False, comment="The transaction"),
        sa.PrimaryKeyConstraint("customer_id", "told_in"),
    )


def downgrade() -> None:
    for name in ("conduct_due", "conduct_finding", "consent_text"):
        op.drop_table(name)
