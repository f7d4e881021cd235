"""One run of features for many imports; chunks of an import are taken side by side.

Revision ID: 0002
Revises: 0001
Create Date: 2026-11-22 02:50:00

"""

import sqlalchemy as sa
from alembic import op

import shared.database

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = shared.database.UtcDateTime(timezone=True)
    for name in ("features_later", "features_asked"):
        op.add_column("job", sa.Column(name, sa.Boolean(), server_default="false", nullable=False))
    op.add_column("job", sa.Column("rows_in_at", moment, nullable=True))
    op.execute("UPDATE job SET rows_in_at = clock_timestamp(), features_asked = true"
               " WHERE done = rows")
    op.execute("DELETE FROM job_chunk USING job WHERE job_chunk.job_id = job.job_id"
               " AND number < next_chunk")
    op.drop_column("job", "next_chunk")
    # chunks are compressed already: another try on the way into the table would only cost time
    op.execute("ALTER TABLE job_chunk ALTER COLUMN body SET STORAGE EXTERNAL")
    op.add_column(
        "feature_run",
        sa.Column(
            "collected_at",
            moment,
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
            comment="Real time, not the bank's",
        ),
    )
    op.execute("UPDATE feature_run SET state = 'queued' WHERE state = 'collecting'")
    op.create_index(
        "feature_run_collecting",
        "feature_run",
        ["state"],
        unique=True,
        postgresql_where="state = 'collecting'",
    )


def downgrade() -> None:
    op.drop_index("feature_run_collecting", table_name="feature_run")
    op.drop_column("feature_run", "collected_at")
    op.execute("ALTER TABLE job_chunk ALTER COLUMN body SET STORAGE EXTENDED")
    op.add_column(
        "job", sa.Column("next_chunk", sa.Integer(), server_default="0", nullable=False)
    )
    op.execute(
        "UPDATE job SET next_chunk = coalesce((SELECT min(number) FROM job_chunk"
        " WHERE job_chunk.job_id = job.job_id), 0)"
    )
    op.drop_column("job", "rows_in_at")
    op.drop_column("job", "features_asked")
    op.drop_column("job", "features_later")
