"""Finding customers: by the tables of profile, and, of a segment, by asking for its members."""

from dataclasses import dataclass
from datetime import datetime

from services.profile.clients import Segments
from services.profile.customers import service as customers
from services.profile.customers.domain import Customer
from services.profile.identifiers import service as identifiers
from services.profile.identifiers.service import KeyRing
from services.profile.search import repository
from services.profile.search.domain import SCOPE_OF_SEGMENTS, Conditions, Sought
from shared.database import Database
from shared.errors import Forbidden
from shared.tokens import Token

AT_ONCE = 200
ROUNDS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Customers by id; `last` is how far the search came if there may be more."""

    customers: list[Customer]
    last: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """One search, and what it stands on."""

    database: Database
    segments: Segments
    ring: KeyRing
    token: Token
    now: datetime

    async def page(self, sought: Sought, *, after: str, limit: int) -> Found:
        """Return the customers for whom all holds and whom the token sees.

        Raises:
            Forbidden: a segment is named, and the token may not read segments; a tag is, and the
                token is bound to a customer.
            NotFound: there is no such segment.
            Unavailable: a segment is named, and segment does not answer.
        """
        if sought.segment is not None and SCOPE_OF_SEGMENTS not in self.token.scopes:
            raise Forbidden(f"Searching a segment needs the scope {SCOPE_OF_SEGMENTS}")
        if sought.tag is not None:
            self.token.must_be_staff()
        ids, last = await self._ids(sought, after=after, limit=limit)
        async with self.database.connection() as connection:
            found = await customers.shown_of(connection, ids, ring=self.ring)
        return Found(customers=found, last=last)

    async def _ids(self, sought: Sought, *, after: str, limit: int) -> tuple[list[str], str | None]:
        """Return ids, and how far the search came; with a segment it ends after some rounds."""
        if sought.segment is None:
            ids = await self._find(sought, None, after=after, limit=limit + 1)
            return ids[:limit], ids[limit - 1] if len(ids) > limit else None
        found: list[str] = []
        for _ in range(ROUNDS):
            step = self._candidates if sought.is_narrow else self._members
            ids, last = await step(sought, sought.segment, after=after, limit=limit + 1)
            found += ids
            if len(found) > limit:
                return found[:limit], found[limit - 1]
            if last is None:
                return found, None
            after = last
        return found, after

    async def _candidates(
        self, sought: Sought, segment: str, *, after: str, limit: int
    ) -> tuple[list[str], str | None]:
        """Return those of the next candidates who are in the segment, and how far that came."""
        most = max(limit, AT_ONCE)
        ids = await self._find(sought, None, after=after, limit=most)
        members = await self.segments.among(segment, ids) if ids else set[str]()
        return [each for each in ids if each in members], ids[-1] if len(ids) == most else None

    async def _members(
        self, sought: Sought, segment: str, *, after: str, limit: int
    ) -> tuple[list[str], str | None]:
        """Return those of the next members for whom the rest holds, and how far that came."""
        members, is_more = await self.segments.members(
            segment,
            org_path=sought.org_path or self.token.org,
            rm_id=sought.rm_id or self.token.rm,
            after=after,
            limit=min(limit, AT_ONCE),
        )
        ids = await self._find(sought, members, after=after, limit=AT_ONCE)
        return ids, members[-1] if is_more else None

    async def _find(
        self, sought: Sought, among: list[str] | None, *, after: str, limit: int
    ) -> list[str]:
        wanted = _conditions(sought, self.ring, self.now)
        async with self.database.connection() as connection:
            return await repository.find(
                connection, wanted, self.token, among=among, after=after, limit=limit
            )


def _conditions(sought: Sought, ring: KeyRing, now: datetime) -> Conditions:
    tokens: list[tuple[int, ...]] = []
    if sought.name is not None:
        tokens.append(tuple(identifiers.name_tokens(ring, sought.name)))
    if sought.phone_end is not None:
        tokens.append((identifiers.phone_end_token(ring, sought.phone_end),))
    return Conditions(
        digests={kind: ring.digest(kind, value) for kind, value in sought.identifiers.items()},
        tokens=tuple(tokens),
        rm_id=sought.rm_id,
        org_path=sought.org_path,
        tag=sought.tag,
        now=now,
    )
