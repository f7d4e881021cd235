"""Customers grouped without rules.

Revision ID: 0006
Revises: 0005
Create Date: 2026-11-22 19:35:00

"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

import shared.database

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = shared.database.UtcDateTime(timezone=True)
    document = postgresql.JSONB(astext_type=sa.Text())
    op.create_table(
        "clustering",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("definition", document, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", moment, nullable=False),
        sa.Column("current_run", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "clustering_run",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("clustering", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("started_at", moment, nullable=True),
        sa.Column("finished_at", moment, nullable=True),
        sa.Column("version", sa.Integer(), nullable=True,
                  comment="Of the clustering, as the run began"),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("result", document, nullable=True),
        sa.ForeignKeyConstraint(["clustering"], ["clustering.key"]),
        sa.PrimaryKeyConstraint("run_id"),
    )
    op.create_index("clustering_run_open", "clustering_run", ["run_id"],
                    postgresql_where=sa.text("finished_at IS NULL"))
    op.create_index("clustering_run_by_clustering", "clustering_run", ["clustering", "run_id"])
    op.create_table(
        "cluster_name",
        sa.Column("clustering", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("zh", sa.Text(), nullable=False),
        sa.Column("en", sa.Text(), nullable=False),
        sa.Column("named_by", sa.Text(), nullable=True, comment="Null: proposed by a run"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["clustering"], ["clustering.key"]),
        sa.PrimaryKeyConstraint("clustering", "name_key"),
    )
    op.create_table(
        "clustering_member",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("cluster", sa.SmallInteger(), nullable=False,
                  comment="Its number in that run, from 1"),
        sa.PrimaryKeyConstraint("customer_id", "run_id"),
    )
    op.create_index("clustering_member_by_cluster", "clustering_member",
                    ["run_id", "cluster", "customer_id"])


def downgrade() -> None:
    op.drop_table("clustering_member")
    op.drop_table("cluster_name")
    op.drop_table("clustering_run")
    op.drop_table("clustering")
