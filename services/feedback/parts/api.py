from starlette.requests import Request

from services.feedback.customers.service import must_see, scope_of
from services.feedback.outcomes import repository
from services.feedback.outcomes.schemas import OutcomeRead, outcome_key
from shared.paging import page_of
from shared.parts import Found, Offer, PartsRoute, Wanted

OFFERS = {"outcomes": Offer(says="As `…/outcomes`", scope="outcomes:read")}


async def _read(request: Request, wanted: Wanted) -> Found:
    state = request.app.state
    async with state.database.connection() as connection:
        records = await must_see(connection, wanted.customer_id, scope_of(wanted.token))
        found = await repository.list_of_customer(
            connection, records, before=None, limit=wanted.limit + 1
        )
    items = [OutcomeRead.of(outcome, state.settings.bank_currency) for outcome in found]
    return Found(
        customer_id=records[0],
        now=state.clock.now(),
        parts={"outcomes": page_of(items, wanted.limit, outcome_key)},
    )


PARTS = PartsRoute("feedback", OFFERS, _read)
"""What the 360° view shows of feedback, in one answer."""
