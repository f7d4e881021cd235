"""From when on consents to what a purpose meant before do not count."""

import sqlalchemy as sa
from alembic import op

import shared.database

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = shared.database.UtcDateTime(timezone=True)
    op.create_table(
        "consent_lapse",
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("before", moment, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.PrimaryKeyConstraint("purpose", "before"),
    )


def downgrade() -> None:
    op.drop_table("consent_lapse")
