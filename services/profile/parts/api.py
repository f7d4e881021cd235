from starlette.requests import Request

from services.profile.identifiers.service import key_ring
from services.profile.parts import service
from services.profile.parts.schemas import OFFERS, SHOWN, Shown
from shared.parts import Found, PartsRoute, Wanted


async def _read(request: Request, wanted: Wanted) -> Found:
    state = request.app.state
    ring = key_ring(state.settings.identifier_keys.get_secret_value())
    found = await service.gather(state.database, wanted, ring=ring, clock=state.clock)
    now = state.clock.now()
    by = Shown(currency=state.settings.bank_currency, limit=wanted.limit, now=now)
    return Found(
        customer_id=found.pieces.customer_id,
        now=now,
        parts={name: SHOWN[name](found, by) for name in SHOWN if name in wanted.names},
        as_of=found.as_of,
    )


PARTS = PartsRoute("profile", OFFERS, _read)
"""What the 360° view shows of profile, in one answer."""
