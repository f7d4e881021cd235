"""Every table of profile's database: what migrations are drafted from."""

from services.profile.accounts import tables as _accounts
from services.profile.alert_kinds import tables as _alert_kinds
from services.profile.assessments import tables as _assessments
from services.profile.assignments import tables as _assignments
from services.profile.attributes import tables as _attributes
from services.profile.base import Base
from services.profile.complaints import tables as _complaints
from services.profile.conduct import tables as _conduct
from services.profile.consents import tables as _consents
from services.profile.customers import tables as _customers
from services.profile.declarations import tables as _declarations
from services.profile.disclosures import tables as _disclosures
from services.profile.event_types import tables as _event_types
from services.profile.events import tables as _events
from services.profile.features import tables as _features
from services.profile.holdings import tables as _holdings
from services.profile.identifiers import tables as _identifiers
from services.profile.identities import tables as _identities
from services.profile.jobs import tables as _jobs
from services.profile.kyc import tables as _kyc
from services.profile.managers import tables as _managers
from services.profile.matching import tables as _matching
from services.profile.merges import tables as _merges
from services.profile.needs import tables as _needs
from services.profile.ownership import tables as _ownership
from services.profile.ownership_rules import tables as _ownership_rules
from services.profile.placements import tables as _placements
from services.profile.purposes import tables as _purposes
from services.profile.relations import tables as _relations
from services.profile.rights import tables as _rights
from services.profile.tag_kinds import tables as _tag_kinds
from services.profile.timeline import tables as _timeline
from services.profile.watch import tables as _watch
from shared.feed.tables import feed_tables, load_table
from shared.idempotency_keys import idempotency_table

SLICES = (
    *(_accounts, _alert_kinds, _assessments, _assignments, _attributes, _complaints, _conduct),
    *(_consents, _customers, _declarations, _disclosures, _event_types, _events, _features),
    *(_holdings, _identifiers, _identities, _jobs, _kyc, _managers, _matching, _merges, _needs),
    *(_ownership, _ownership_rules, _placements, _purposes, _relations, _rights, _tag_kinds),
    *(_timeline, _watch),
)
METADATA = Base.metadata
feed_tables(METADATA)
load_table(METADATA)
idempotency_table(METADATA)
