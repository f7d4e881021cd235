"""Features as they came: they are read whole, so PostgreSQL need not take them apart."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _retype(sa.JSON())


def downgrade() -> None:
    _retype(JSONB())


def _retype(kind: sa.JSON) -> None:
    op.execute("ALTER TABLE customer_state ALTER COLUMN features DROP DEFAULT")
    op.alter_column(
        "customer_state",
        "features",
        type_=kind,
        postgresql_using=f"features::{kind.compile(op.get_bind().dialect)}",
        server_default=sa.text("'{}'"),
    )
