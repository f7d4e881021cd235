"""first tables

Revision ID: 0001
Revises: 
Create Date: 2026-11-21 22:54:40.104574

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
    """Upgrade schema."""
    
    op.create_table('attribute',
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('owner', sa.Text(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('values', sa.ARRAY(sa.Text()), nullable=False),
    sa.Column('unit', sa.Text(), nullable=False),
    sa.Column('zh', sa.Text(), nullable=False),
    sa.Column('en', sa.Text(), nullable=False),
    sa.Column('definition', sa.Text(), nullable=False),
    sa.Column('sensitive', sa.Boolean(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('changed_at', shared.database.UtcDateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name')
    )
    op.create_table('catalogue_version',
    sa.Column('id', sa.SmallInteger(), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('id = 1', name='catalogue_version_is_one_row'),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('customer',
    sa.Column('customer_id', sa.Text(), nullable=False),
    sa.Column('features', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('features_as_of', shared.database.UtcDateTime(timezone=True), nullable=True, comment='Null: only the owner is known yet'),
    sa.Column('held', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    sa.Column('org_path', sa.Text(), server_default='', nullable=False),
    sa.Column('rm_id', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('customer_id')
    )
    op.create_table('customer_state',
    sa.Column('customer_id', sa.Text(), nullable=False),
    sa.Column('valid_from', shared.database.UtcDateTime(timezone=True), nullable=False),
    sa.Column('valid_to', shared.database.UtcDateTime(timezone=True), nullable=True),
    sa.Column('as_of', shared.database.UtcDateTime(timezone=True), nullable=False, comment='Business time they describe'),
    sa.Column('levels', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('segments', sa.ARRAY(sa.Text()), nullable=False),
    sa.Column('run_id', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('customer_id', 'valid_from')
    )
    op.create_index('customer_state_by_run', 'customer_state', ['run_id'], unique=False, postgresql_where=sa.text('run_id IS NOT NULL'))
    op.create_index('customer_state_by_segment', 'customer_state', ['segments'], unique=False, postgresql_using='gin')
    op.create_index('customer_state_open', 'customer_state', ['customer_id'], unique=True, postgresql_where=sa.text('valid_to IS NULL'))
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
    op.create_table('rfm',
    sa.Column('id', sa.SmallInteger(), nullable=False),
    sa.Column('document', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('changed_at', shared.database.UtcDateTime(timezone=True), nullable=False),
    sa.CheckConstraint('id = 1', name='rfm_is_one_row'),
    sa.PrimaryKeyConstraint('id')
    )
    op.create_table('scale',
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('zh', sa.Text(), nullable=False),
    sa.Column('en', sa.Text(), nullable=False),
    sa.Column('where', sa.Text(), nullable=True),
    sa.Column('down_after_month_ends', sa.Integer(), nullable=True),
    sa.Column('separate_consent', sa.Boolean(), nullable=False),
    sa.Column('columns', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('changed_at', shared.database.UtcDateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('key')
    )
    op.create_table('scoring_run',
    sa.Column('run_id', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('as_of', shared.database.UtcDateTime(timezone=True), nullable=False),
    sa.Column('day', sa.Date(), nullable=False, comment='The business day that the run closes'),
    sa.Column('requested_by', sa.Text(), nullable=False),
    sa.Column('created_at', shared.database.UtcDateTime(timezone=True), nullable=False),
    sa.Column('started_at', shared.database.UtcDateTime(timezone=True), nullable=True),
    sa.Column('finished_at', shared.database.UtcDateTime(timezone=True), nullable=True),
    sa.Column('total', sa.Integer(), nullable=False),
    sa.Column('done', sa.Integer(), nullable=False),
    sa.Column('changed', sa.Integer(), nullable=False),
    sa.Column('after', sa.Text(), nullable=False, comment='The last customer done'),
    sa.Column('catalogue_version', sa.BigInteger(), nullable=True),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('error', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('run_id')
    )
    op.create_index('scoring_run_open', 'scoring_run', ['created_at'], unique=False, postgresql_where=sa.text('finished_at IS NULL'))
    op.create_table('segment',
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('zh', sa.Text(), nullable=False),
    sa.Column('en', sa.Text(), nullable=False),
    sa.Column('family', sa.Text(), nullable=False),
    sa.Column('rule', sa.Text(), nullable=False),
    sa.Column('canonical', sa.Text(), nullable=False),
    sa.Column('separate_consent', sa.Boolean(), nullable=False),
    sa.Column('author', sa.Text(), nullable=False),
    sa.Column('changed_at', shared.database.UtcDateTime(timezone=True), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('published_rule', sa.Text(), nullable=True),
    sa.Column('published_version', sa.Integer(), nullable=True),
    sa.Column('published_at', shared.database.UtcDateTime(timezone=True), nullable=True),
    sa.Column('approver', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('key')
    )
    


def downgrade() -> None:
    """Downgrade schema."""
    
    op.drop_table('segment')
    op.drop_index('scoring_run_open', table_name='scoring_run', postgresql_where=sa.text('finished_at IS NULL'))
    op.drop_table('scoring_run')
    op.drop_table('scale')
    op.drop_table('rfm')
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
    op.drop_index('customer_state_open', table_name='customer_state', postgresql_where=sa.text('valid_to IS NULL'))
    op.drop_index('customer_state_by_segment', table_name='customer_state', postgresql_using='gin')
    op.drop_index('customer_state_by_run', table_name='customer_state', postgresql_where=sa.text('run_id IS NOT NULL'))
    op.drop_table('customer_state')
    op.drop_table('customer')
    op.drop_table('catalogue_version')
    op.drop_table('attribute')
    
