"""First tables: clients, keys, staff, clock, and the counter of changes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "assertion_used",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("jti", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("client_id", "jti"),
    )
    op.create_table(
        "business_clock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("started_from", sa.Text(), nullable=True),
        sa.Column("offset_seconds", sa.Double(), nullable=False),
        sa.CheckConstraint("id = 1", name="business_clock_one_row"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "oauth_client",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("label_zh", sa.Text(), nullable=False),
        sa.Column("label_en", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("bind_customer", sa.Boolean(), nullable=False),
        sa.Column("act_for_staff", sa.Boolean(), nullable=False),
        sa.Column("rate_limit", sa.Text(), nullable=False),
        sa.Column("is_shipped", sa.Boolean(), nullable=False),
        sa.Column("public_key", postgresql.JSONB(), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("client_id"),
    )
    op.create_table(
        "revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name="revision_one_row"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.execute("INSERT INTO revision (id, number) VALUES (1, 0)")
    op.create_table(
        "signing_key",
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("kid"),
    )
    op.create_index(
        "signing_key_one_of_each",
        "signing_key",
        ["state"],
        unique=True,
        postgresql_where="state IN ('next', 'current')",
    )
    op.create_table(
        "staff",
        sa.Column("staff_id", sa.Text(), nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("org", sa.Text(), nullable=True),
        sa.Column("rm", sa.Text(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("staff_id"),
    )
    op.create_table(
        "client_secret",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["client_id"], ["oauth_client.client_id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("client_secret_of_client", "client_secret", ["client_id"], unique=False)


def downgrade() -> None:
    op.drop_index("client_secret_of_client", table_name="client_secret")
    op.drop_table("client_secret")
    op.drop_table("staff")
    op.drop_index(
        "signing_key_one_of_each",
        table_name="signing_key",
        postgresql_where="state IN ('next', 'current')",
    )
    op.drop_table("signing_key")
    op.drop_table("revision")
    op.drop_table("oauth_client")
    op.drop_table("business_clock")
    op.drop_table("assertion_used")
