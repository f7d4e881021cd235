"""The server of profile: `python -m services.profile.main`."""

from pathlib import Path

from fastapi import FastAPI

from services.profile.accounts.api import router as accounts
from services.profile.alert_kinds.api import router as alert_kinds
from services.profile.alerts.api import router as alerts
from services.profile.assessments.api import router as assessments
from services.profile.assignments.api import router as assignments
from services.profile.complaints.api import router as complaints
from services.profile.conduct.api import router as conduct
from services.profile.consents.api import router as consents
from services.profile.customers.api import router as customers
from services.profile.declarations.api import router as declarations
from services.profile.disclosures.api import router as disclosures
from services.profile.duplicates.api import router as duplicates
from services.profile.event_types.api import router as event_types
from services.profile.events.api import router as events
from services.profile.exports.api import router as exports
from services.profile.features.api import router as features
from services.profile.flags.api import router as flags
from services.profile.grounds.api import router as grounds
from services.profile.holdings.api import router as holdings
from services.profile.identifiers.api import router as unmaskings
from services.profile.identities.api import router as identities
from services.profile.jobs.api import IMPORTED
from services.profile.jobs.api import router as jobs
from services.profile.kyc.api import router as kyc
from services.profile.managers.api import router as managers
from services.profile.matching.api import router as duplicates_runs
from services.profile.merges.api import router as merges
from services.profile.needs.api import router as needs
from services.profile.ownership.api import router as ownership
from services.profile.ownership_rules.api import router as ownership_rules
from services.profile.parts.api import PARTS
from services.profile.purposes.api import router as purposes
from services.profile.quarantine.api import router as quarantine
from services.profile.relations.api import router as relations
from services.profile.rights.api import router as rights
from services.profile.search.api import router as search
from services.profile.settings import Settings
from services.profile.snapshot import snapshot
from services.profile.subjects import SERVICE, holder_of, note_reading
from services.profile.tag_kinds.api import router as tag_kinds
from services.profile.tags.api import router as tags
from services.profile.timeline.api import router as timeline
from shared.app import create_app
from shared.client import ServiceClient
from shared.feed.serve import feed_router
from shared.media import ARROW_STREAM, JSON, NDJSON
from shared.server import serve
from shared.subjects.serve import subject_router

MIGRATIONS = Path(__file__).parent / "migrations"


def create(settings: Settings, *, client: ServiceClient | None = None) -> FastAPI:
    """Build the server."""
    app = create_app(
        settings,
        title="Bihuan profile",
        description="The 360° view of a customer: facts, accounts, holdings, events, consents, "
        "relations, KYC card, needs and goals, risk assessments, complaints, flags, ownership, "
        "which records are one party, the features that follow from them, what staff are alerted "
        "to, tags, and what persons may ask about their data.",
        routers=[
            *(customers, search, accounts, holdings, events, consents, purposes, assessments),
            *(conduct, complaints, flags, alert_kinds, alerts, tag_kinds, tags),
            *(ownership, managers, ownership_rules, assignments),
            *(identities, duplicates_runs, duplicates, merges, unmaskings),
            *(event_types, quarantine, relations, kyc, needs, timeline, features, jobs, exports),
            declarations,  # after the paths of exports and rolls, which no feature is called
            *(grounds, disclosures, rights, subject_router(SERVICE, holder_of, note_reading)),
            feed_router(SERVICE, snapshot),
        ],
        first=[PARTS],
        migrations=MIGRATIONS,
        client=client,
        reads={"/v1/events": (JSON, NDJSON, ARROW_STREAM), ":import": tuple(IMPORTED)},
    )
    PARTS.describe(app)
    return app


def main() -> None:
    settings = Settings.read()
    serve(create(settings), settings)


if __name__ == "__main__":
    main()
