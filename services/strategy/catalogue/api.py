"""Routes of actions: what the catalogue makes of strategies and products."""

from fastapi import APIRouter, Request

from services.strategy.catalogue.domain.actions import Action, treatment_id
from services.strategy.catalogue.domain.compiled import Catalogue
from services.strategy.catalogue.schemas import ActionRead, Actions
from shared.auth import requires
from shared.paging import decode_cursor, page_of, text
from shared.parameters import After, Limit

router = APIRouter(prefix="/v1/actions", tags=["actions"])


@router.get("", dependencies=[requires("catalogue:read")])
async def list_actions(request: Request, limit: Limit = 50, after: After = None) -> Actions:
    """List actions by id: every strategy with each product it may offer."""
    catalogue: Catalogue = request.app.state.decider.catalogue
    (last,) = decode_cursor(after, text) or ("",)
    later = sorted((a for a in catalogue.actions if a.id > str(last)), key=lambda a: a.id)
    page = page_of(later[: limit + 1], limit, lambda action: [action.id])
    return Actions(
        catalogue_version=catalogue.version,
        items=[_read(catalogue, action) for action in page.items],
        next=page.next,
    )


def _read(catalogue: Catalogue, action: Action) -> ActionRead:
    channels = [catalogue.shelf.channels.get(key) for key in action.strategy.channels]
    return ActionRead(
        id=action.id,
        strategy=action.strategy.key,
        product=action.product.key if action.product else None,
        category=action.category,
        goal=action.strategy.goal_outcome,
        channels=list(action.strategy.channels),
        treatments=[
            treatment_id(action.id, channel.key, direction)
            for channel in channels
            if channel is not None
            for direction in sorted(channel.directions)
        ],
    )
