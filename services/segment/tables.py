"""Every table of segment's database: what migrations are drafted from."""

from services.segment.attributes import tables as _attributes
from services.segment.base import Base
from services.segment.clusterings import tables as _clusterings
from services.segment.customers import tables as _customers
from services.segment.features import tables as _features
from services.segment.percentiles import tables as _percentiles
from services.segment.rfm import tables as _rfm
from services.segment.scales import tables as _scales
from services.segment.scores import tables as _scores
from services.segment.scoring import tables as _scoring
from services.segment.segments import tables as _segments
from shared.feed.tables import feed_tables

SLICES = (
    *(_attributes, _clusterings, _customers, _features, _percentiles, _rfm, _scales, _scores),
    *(_scoring, _segments),
)
METADATA = Base.metadata
feed_tables(METADATA)
