"""First tables: propositions, outcomes, owners and the feed.

Revision ID: 0001
Revises: 
Create Date: 2026-11-21 22:55:47.610145

"""

from alembic import op
import sqlalchemy as sa

import shared.database
from sqlalchemy.dialects import postgresql

# revision identifiers, used by Alembic.
revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('customer',
    sa.Column('customer_id', sa.Text(), nullable=False),
    sa.Column('org_path', sa.Text(), nullable=True),
    sa.Column('rm_id', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('customer_id')
    )
    op.create_index('customer_by_org', 'customer', ['org_path'], unique=False, postgresql_ops={'org_path': 'text_pattern_ops'})
    op.create_index('customer_by_rm', 'customer', ['rm_id'], unique=False)
    op.create_table('early_outcome',
    sa.Column('outcome_id', sa.Text(), nullable=False),
    sa.Column('reporter', sa.Text(), nullable=True, comment='Customer the token was bound to'),
    sa.Column('problem', sa.Text(), nullable=True, comment='Why it cannot be linked'),
    sa.Column('proposition_id', sa.Text(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('occurred_at', shared.database.UtcDateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', shared.database.UtcDateTime(timezone=True), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('amount', shared.database.Money(), nullable=True),
    sa.Column('until', shared.database.UtcDateTime(timezone=True), nullable=True),
    sa.Column('context', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.PrimaryKeyConstraint('outcome_id')
    )
    op.create_index('early_outcome_by_proposition', 'early_outcome', ['proposition_id'], unique=False)
    op.create_table('feed',
    sa.Column('position', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('event_id', sa.Text(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('time', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('data', postgresql.JSON(astext_type=sa.Text()), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=True),
    sa.Column('traceparent', sa.Text(), nullable=True),
    sa.Column('published_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.PrimaryKeyConstraint('position')
    )
    op.create_table('feed_applied',
    sa.Column('event_id', sa.Text(), nullable=False),
    sa.Column('applied_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.PrimaryKeyConstraint('event_id')
    )
    op.create_index('feed_applied_by_time', 'feed_applied', ['applied_at'], unique=False)
    op.create_table('feed_cursor',
    sa.Column('feed', sa.Text(), nullable=False),
    sa.Column('lane', sa.Text(), nullable=False),
    sa.Column('cursor', sa.Text(), nullable=True, comment='Null: the snapshot has to be taken'),
    sa.Column('head_position', sa.BigInteger(), nullable=True),
    sa.Column('swept_at', sa.DateTime(timezone=True), nullable=True, comment='All that was committed before is applied here'),
    sa.Column('moved_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('feed', 'lane'),
    postgresql_with={'fillfactor': 20}
    )
    op.create_table('feed_head',
    sa.Column('id', sa.SmallInteger(), server_default=sa.text('1'), nullable=False),
    sa.Column('epoch', sa.Text(), nullable=False),
    sa.Column('home', sa.Text(), nullable=False, comment='The database this epoch was written in'),
    sa.Column('position', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('kept_after', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('version_base', sa.BigInteger(), server_default=sa.text('0'), nullable=False),
    sa.Column('swept_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('id = 1', name='feed_head_is_one_row'),
    sa.PrimaryKeyConstraint('id'),
    postgresql_with={'fillfactor': 20}
    )
    op.create_table('feed_parked',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('feed', sa.Text(), nullable=False),
    sa.Column('lane', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('event', postgresql.JSON(astext_type=sa.Text()), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('is_cause', sa.Boolean(), nullable=False, comment='False: waits behind one that failed'),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('parked_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('retry_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_index('feed_parked_by_subject', 'feed_parked', ['subject', 'feed', 'lane'], unique=False)
    op.create_table('feed_pending',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('event_id', sa.Text(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('time', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('data', postgresql.JSON(astext_type=sa.Text()), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=True),
    sa.Column('traceparent', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('feed_reader',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('lane', sa.Text(), nullable=False),
    sa.Column('types', postgresql.JSON(astext_type=sa.Text()), nullable=False),
    sa.Column('cursor', sa.Text(), nullable=True),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name', 'lane')
    )
    op.create_table('feed_seen',
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('subject', 'type')
    )
    op.create_table('feed_version',
    sa.Column('subject', sa.Text(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('subject', 'type')
    )
    op.create_table('outcome',
    sa.Column('customer_id', sa.Text(), nullable=False),
    sa.Column('outcome_id', sa.Text(), nullable=False),
    sa.Column('behaviour', sa.Text(), nullable=False),
    sa.Column('proposition_id', sa.Text(), nullable=False),
    sa.Column('outcome', sa.Text(), nullable=False),
    sa.Column('occurred_at', shared.database.UtcDateTime(timezone=True), nullable=False),
    sa.Column('recorded_at', shared.database.UtcDateTime(timezone=True), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('amount', shared.database.Money(), nullable=True),
    sa.Column('until', shared.database.UtcDateTime(timezone=True), nullable=True),
    sa.Column('context', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.PrimaryKeyConstraint('customer_id', 'outcome_id')
    )
    op.create_index('outcome_by_id', 'outcome', ['outcome_id'], unique=True)
    op.create_index('outcome_by_proposition', 'outcome', ['proposition_id'], unique=False)
    op.create_index('outcome_by_record', 'outcome', ['recorded_at', 'outcome_id'], unique=False)
    op.create_index('outcome_by_time', 'outcome', ['customer_id', 'occurred_at', 'outcome_id'], unique=False)
    op.create_table('proposition',
    sa.Column('customer_id', sa.Text(), nullable=False),
    sa.Column('proposition_id', sa.Text(), nullable=False),
    sa.Column('decision_id', sa.Text(), nullable=False),
    sa.Column('channel', sa.Text(), nullable=False),
    sa.Column('direction', sa.Text(), nullable=False),
    sa.Column('decided_at', shared.database.UtcDateTime(timezone=True), nullable=False),
    sa.Column('strategy', sa.Text(), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('treatment', sa.Text(), nullable=False),
    sa.Column('product', sa.Text(), nullable=True),
    sa.Column('category', sa.Text(), nullable=True),
    sa.Column('goal', sa.Text(), nullable=False),
    sa.Column('window_days', sa.Integer(), nullable=False),
    sa.Column('closes_at', shared.database.UtcDateTime(timezone=True), nullable=False),
    sa.Column('label', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('customer_id', 'proposition_id')
    )
    op.create_index('proposition_by_id', 'proposition', ['proposition_id'], unique=True)
    op.create_index('proposition_by_time', 'proposition', ['decided_at'], unique=False)
    op.create_index('proposition_open', 'proposition', ['closes_at'], unique=False, postgresql_where=sa.text('label IS NULL'))


def downgrade() -> None:
    op.drop_index('proposition_open', table_name='proposition', postgresql_where=sa.text('label IS NULL'))
    op.drop_index('proposition_by_time', table_name='proposition')
    op.drop_index('proposition_by_id', table_name='proposition')
    op.drop_table('proposition')
    op.drop_index('outcome_by_time', table_name='outcome')
    op.drop_index('outcome_by_record', table_name='outcome')
    op.drop_index('outcome_by_proposition', table_name='outcome')
    op.drop_index('outcome_by_id', table_name='outcome')
    op.drop_table('outcome')
    op.drop_table('feed_version')
    op.drop_table('feed_seen')
    op.drop_table('feed_reader')
    op.drop_table('feed_pending')
    op.drop_index('feed_parked_by_subject', table_name='feed_parked')
    op.drop_table('feed_parked')
    op.drop_table('feed_head')
    op.drop_table('feed_cursor')
    op.drop_index('feed_applied_by_time', table_name='feed_applied')
    op.drop_table('feed_applied')
    op.drop_table('feed')
    op.drop_index('early_outcome_by_proposition', table_name='early_outcome')
    op.drop_table('early_outcome')
    op.drop_index('customer_by_rm', table_name='customer')
    op.drop_index('customer_by_org', table_name='customer', postgresql_ops={'org_path': 'text_pattern_ops'})
    op.drop_table('customer')
