"""Events that were not believed can be mended, replayed or dropped.

Revision ID: 0006
Revises: 0005
Create Date: 2026-11-22 13:15:00

"""

import sqlalchemy as sa
from alembic import op

import shared.database

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

COLUMNS = ("quarantine_id", "state", "decided_at", "decided_by", "note")


def upgrade() -> None:
    moment = shared.database.UtcDateTime(timezone=True)
    op.add_column("quarantine", sa.Column("quarantine_id", sa.Text(), nullable=True))
    op.execute("UPDATE quarantine SET quarantine_id = gen_random_uuid()::text")
    op.alter_column("quarantine", "quarantine_id", nullable=False)
    op.add_column(
        "quarantine", sa.Column("state", sa.Text(), server_default="open", nullable=False)
    )
    op.add_column("quarantine", sa.Column("decided_at", moment, nullable=True))
    op.add_column("quarantine", sa.Column("decided_by", sa.Text(), nullable=True))
    op.add_column("quarantine", sa.Column("note", sa.Text(), nullable=True))
    op.create_index("quarantine_by_id", "quarantine", ["quarantine_id"], unique=True)
    op.create_index(
        "quarantine_open",
        "quarantine",
        ["quarantine_id"],
        postgresql_where=sa.text("state = 'open'"),
    )


def downgrade() -> None:
    op.drop_index("quarantine_open", table_name="quarantine")
    op.drop_index("quarantine_by_id", table_name="quarantine")
    for name in COLUMNS:
        op.drop_column("quarantine", name)
