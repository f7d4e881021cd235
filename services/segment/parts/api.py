from starlette.requests import Request

from services.segment.customers import repository
from services.segment.customers.schemas import LevelsRead, SegmentsRead
from services.segment.customers.service import scope_of
from shared.parts import Found, Offer, PartsRoute, Wanted

SHOWN = {"levels": LevelsRead, "segments": SegmentsRead}
OFFERS = {name: Offer(says=f"As `…/{name}`", scope="segments:read") for name in SHOWN}


async def _read(request: Request, wanted: Wanted) -> Found:
    state = request.app.state
    scope = scope_of(wanted.token)
    async with state.database.connection() as connection:
        found = await repository.read_state(connection, wanted.customer_id, scope)
    return Found(
        customer_id=found.customer_id,
        now=state.clock.now(),
        parts={name: SHOWN[name].model_validate(found) for name in SHOWN if name in wanted.names},
        as_of=dict.fromkeys(wanted.names, found.as_of),
    )


PARTS = PartsRoute("segment", OFFERS, _read)
"""What the 360° view shows of segment, in one answer."""
