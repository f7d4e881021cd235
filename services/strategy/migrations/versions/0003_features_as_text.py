"""Features as they came: they are read whole, so PostgreSQL need not take them apart."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _retype("json", using="json_strip_nulls(features::json)")


def downgrade() -> None:
    _retype("jsonb", using="features::jsonb")


def _retype(kind: str, *, using: str) -> None:
    column = "ALTER TABLE customer_state ALTER COLUMN features"
    op.execute(f"{column} DROP DEFAULT")
    op.execute(f"{column} TYPE {kind} USING {using}")
    op.execute(f"{column} SET DEFAULT '{{}}'")
