"""The other services as this one sees them, all behind the gateway."""

from collections.abc import Sequence

from shared.client import ServiceClient
from shared.errors import NotFound
from shared.paging import encode_cursor


class Segments:
    """Segment, as far as the search for customers needs it."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def members(
        self, segment: str, *, org_path: str | None, rm_id: str | None, after: str, limit: int
    ) -> tuple[list[str], bool]:
        """Return members of a segment by id, beyond one, and whether there are more.

        Args:
            segment: its key.
            org_path: only of this org unit and below; None: of all.
            rm_id: only of this manager; None: of all.
            after: beyond this customer.
            limit: how many at most.

        Raises:
            NotFound: there is no such segment.
            Unavailable: segment does not answer.
        """
        start = encode_cursor(after) if after else None
        params = {"org_path": org_path, "rm_id": rm_id, "after": start, "limit": limit}
        page = (await self._client.get(f"/v1/segments/{segment}/members", params=params)).json()
        return [each["customer_id"] for each in page["items"]], page["next"] is not None

    async def among(self, segment: str, customer_ids: Sequence[str]) -> set[str]:
        """Return those of some customers who are in a segment.

        Raises:
            NotFound: there is no such segment.
            Unavailable: segment does not answer.
        """
        answer = await self._client.post(
            f"/v1/segments/{segment}/members:among",
            json={"customer_ids": list(customer_ids)},
            idempotent=True,
        )
        return set(answer.json()["customer_ids"])


class Attributes:
    """Segment's catalogue of attributes, as far as declaring features needs it."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def find(self, name: str) -> tuple[str, str] | None:
        """Return owner and type of an attribute, None if there is none of this name.

        Raises:
            Unavailable: segment does not answer.
        """
        try:
            found = (await self._client.get(f"/v1/attributes/{name}")).json()
        except NotFound:
            return None
        return found["owner"], found["type"]
