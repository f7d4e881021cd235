"""First tables: catalogue, customer state, outcomes, learning, decisions, contacts, quota."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "catalogue_entry",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("catalogue_version", sa.BigInteger(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("approver", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", "version"),
    )
    op.create_index(
        "catalogue_entry_by_catalogue_version",
        "catalogue_entry",
        ["catalogue_version"],
        unique=False,
    )
    op.create_table(
        "catalogue_head",
        sa.Column("id", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "contact",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=True),
        sa.Column("strategy", sa.Text(), nullable=True),
        sa.Column("proposition_id", sa.Text(), nullable=True),
        sa.Column("contact_person", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("bypassed", sa.Boolean(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reserved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("customer_id", "contact_id"),
    )
    op.create_index(
        "contact_by_expiry",
        "contact",
        ["expires_at"],
        unique=False,
        postgresql_where="state = 'reserved'",
    )
    op.create_index("contact_by_id", "contact", ["contact_id"], unique=True)
    op.create_index("contact_by_time", "contact", ["customer_id", "reserved_at"], unique=False)
    op.create_table(
        "customer_state",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column(
            "features",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("features_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "levels",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column(
            "segments",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column("memberships_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "consents",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column("personalization", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column(
            "automated_decisions", sa.Boolean(), server_default=sa.text("true"), nullable=False
        ),
        sa.Column(
            "flags",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("risk_class", sa.SmallInteger(), nullable=True),
        sa.Column("risk_valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "complaints",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column(
            "suppressions",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column(
            "impressions",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("org_path", sa.Text(), nullable=True),
        sa.Column("rm_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("customer_id"),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_table(
        "decision",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("decision_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("placement", sa.Text(), nullable=True),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("degraded", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("cause", sa.Text(), nullable=True),
        sa.Column("catalogue_version", sa.BigInteger(), nullable=False),
        sa.Column("propensity_version", sa.BigInteger(), nullable=False),
        sa.Column("situation", sa.LargeBinary(), nullable=False),
        sa.Column("shortlist", sa.LargeBinary(), nullable=False),
        sa.Column("chosen", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "decision_id"),
    )
    op.create_index("decision_by_id", "decision", ["decision_id"], unique=True)
    op.create_table(
        "decision_request",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "client_id", "request_id"),
    )
    op.create_index("decision_request_by_time", "decision_request", ["at"], unique=False)
    op.create_table(
        "feed",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column(
            "time",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.Column("traceparent", sa.Text(), nullable=True),
        sa.Column(
            "published_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("position"),
    )
    op.create_table(
        "feed_applied",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column(
            "applied_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_index("feed_applied_by_time", "feed_applied", ["applied_at"], unique=False)
    op.create_table(
        "feed_cursor",
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True, comment="Null: the snapshot has to be taken"),
        sa.Column("head_position", sa.BigInteger(), nullable=True),
        sa.Column(
            "swept_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="All that was committed before is applied here",
        ),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("feed", "lane"),
        postgresql_with={"fillfactor": 20},
    )
    op.create_table(
        "feed_head",
        sa.Column("id", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column(
            "home", sa.Text(), nullable=False, comment="The database this epoch was written in"
        ),
        sa.Column("position", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("kept_after", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("version_base", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("swept_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("id = 1", name="feed_head_is_one_row"),
        sa.PrimaryKeyConstraint("id"),
        postgresql_with={"fillfactor": 20},
    )
    op.create_table(
        "feed_parked",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("event", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "is_cause", sa.Boolean(), nullable=False, comment="False: waits behind one that failed"
        ),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column(
            "parked_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "feed_parked_by_subject", "feed_parked", ["subject", "feed", "lane"], unique=False
    )
    op.create_table(
        "feed_pending",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column(
            "time",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.Column("traceparent", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "feed_reader",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("types", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", "lane"),
    )
    op.create_table(
        "feed_seen",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "type"),
    )
    op.create_table(
        "feed_version",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "type"),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("headers", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("client_id", "key"),
    )
    op.create_index(op.f("ix_idempotency_key_at"), "idempotency_key", ["at"], unique=False)
    op.create_table(
        "load",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_table(
        "outcome",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("outcome_id", sa.Text(), nullable=False),
        sa.Column("proposition_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("behaviour", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("strategy", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("treatment", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("customer_id", "outcome_id"),
    )
    op.create_index(
        "outcome_by_proposition", "outcome", ["customer_id", "proposition_id"], unique=False
    )
    op.create_table(
        "propensity_evidence",
        sa.Column("treatment", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("goal_metric", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("positives", sa.Double(), nullable=False),
        sa.Column("negatives", sa.Double(), nullable=False),
        sa.Column("faded_to", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("treatment", "version"),
    )
    op.create_table(
        "propensity_head",
        sa.Column("id", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "proposition_label",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("proposition_id", sa.Text(), nullable=False),
        sa.Column("treatment", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "proposition_id"),
    )
    op.create_table(
        "quota",
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.Column("smallest", sa.BigInteger(), nullable=False),
        sa.Column("taken", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("taken >= 0", name="quota_taken_is_not_negative"),
        sa.PrimaryKeyConstraint("product"),
    )
    op.create_table(
        "reservation",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("reservation_id", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reserved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", "reservation_id"),
    )
    op.create_index(
        "reservation_by_expiry",
        "reservation",
        ["expires_at"],
        unique=False,
        postgresql_where="state = 'reserved'",
    )
    op.create_index("reservation_by_id", "reservation", ["reservation_id"], unique=True)


def downgrade() -> None:
    op.drop_index("reservation_by_id", table_name="reservation")
    op.drop_index(
        "reservation_by_expiry", table_name="reservation", postgresql_where="state = 'reserved'"
    )
    op.drop_table("reservation")
    op.drop_table("quota")
    op.drop_table("proposition_label")
    op.drop_table("propensity_head")
    op.drop_table("propensity_evidence")
    op.drop_index("outcome_by_proposition", table_name="outcome")
    op.drop_table("outcome")
    op.drop_table("load")
    op.drop_index(op.f("ix_idempotency_key_at"), table_name="idempotency_key")
    op.drop_table("idempotency_key")
    op.drop_table("feed_version")
    op.drop_table("feed_seen")
    op.drop_table("feed_reader")
    op.drop_table("feed_pending")
    op.drop_index("feed_parked_by_subject", table_name="feed_parked")
    op.drop_table("feed_parked")
    op.drop_table("feed_head")
    op.drop_table("feed_cursor")
    op.drop_index("feed_applied_by_time", table_name="feed_applied")
    op.drop_table("feed_applied")
    op.drop_table("feed")
    op.drop_index("decision_request_by_time", table_name="decision_request")
    op.drop_table("decision_request")
    op.drop_index("decision_by_id", table_name="decision")
    op.drop_table("decision")
    op.drop_table("customer_state")
    op.drop_index("contact_by_time", table_name="contact")
    op.drop_index("contact_by_id", table_name="contact")
    op.drop_index("contact_by_expiry", table_name="contact", postgresql_where="state = 'reserved'")
    op.drop_table("contact")
    op.drop_table("catalogue_head")
    op.drop_index("catalogue_entry_by_catalogue_version", table_name="catalogue_entry")
    op.drop_table("catalogue_entry")
