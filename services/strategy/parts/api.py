from starlette.requests import Request

from services.strategy.contacts.schemas import ContactRead
from services.strategy.parts import service
from services.strategy.parts.schemas import RestraintsRead, SuppressionRead
from services.strategy.parts.service import Desk
from shared.parts import Found, Offer, PartsRoute, Wanted

READ = "contacts:read"
OFFERS = {
    "contacts": Offer(
        says="Contacts reserved, or sent and without a result yet, latest first, each as "
        "`GET /v1/contacts/{contact_id}`",
        scope=READ,
    ),
    "suppressions": Offer(says="Cool-offs that still hold: scope, key, until, why", scope=READ),
    "restraints": Offer(
        says="Every reason why nothing may be sold: `everywhere`, and by `channels` the first "
        "further one",
        scope=READ,
    ),
}


async def _read(request: Request, wanted: Wanted) -> Found:
    state = request.app.state
    desk = Desk(
        database=state.database,
        catalogue=state.decider.catalogue,
        clock=state.clock,
        consent_lease=state.settings.consent_lease,
    )
    found = await service.gather(desk, wanted)
    parts = {
        "contacts": [
            ContactRead.model_validate(each, from_attributes=True) for each in found.contacts
        ],
        "suppressions": [SuppressionRead.model_validate(each) for each in found.suppressions],
        "restraints": RestraintsRead.of(found.restraints),
    }
    return Found(
        customer_id=found.customer_id,
        now=state.clock.now(),
        parts={name: parts[name] for name in parts if name in wanted.names},
        as_of=dict.fromkeys(wanted.names & {"suppressions", "restraints"}, found.as_of),
    )


PARTS = PartsRoute("strategy", OFFERS, _read)
"""What the 360° view shows of strategy, in one answer."""
