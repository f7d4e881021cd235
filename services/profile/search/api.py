from fastapi import APIRouter

from services.profile.clients import Segments
from services.profile.customers.schemas import shown
from services.profile.identifiers.api import Ring
from services.profile.search.schemas import CustomerPage, CustomerSearch
from services.profile.search.service import Search
from shared.app import AppClient, AppDatabase, AppSettings, Clock
from shared.auth import CurrentToken, requires
from shared.paging import decode_cursor, encode_cursor, text
from shared.problems import problem_responses

router = APIRouter(prefix="/v1", tags=["customers"])


@router.post(
    "/customers:search",
    dependencies=[requires("customers:read")],
    response_model=CustomerPage,
    responses=problem_responses(404),
)
async def search_customers(
    *,
    wanted: CustomerSearch,
    database: AppDatabase,
    client: AppClient,
    token: CurrentToken,
    ring: Ring,
    settings: AppSettings,
    clock: Clock,
) -> dict[str, object]:
    """Find customers by what staff know of them; identifiers never travel in an address."""
    (after,) = decode_cursor(wanted.after, text) or ("",)
    search = Search(
        database=database, segments=Segments(client), ring=ring, token=token, now=clock.now()
    )
    found = await search.page(wanted.to_domain(), after=after, limit=wanted.limit)
    return {
        "items": [shown(each, settings.bank_currency) for each in found.customers],
        "next": found.last and encode_cursor(found.last),
    }
