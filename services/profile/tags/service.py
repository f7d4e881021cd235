"""What tags a customer bears, and giving and taking those that people and models set."""

from datetime import datetime

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.profile.customers import service as customers
from services.profile.grounds import service as grounds
from services.profile.tag_kinds import service as tag_kinds
from services.profile.tags import domain, repository
from services.profile.tags.domain import NoSuchTag, State, Wanted
from services.profile.watch import service as watch
from services.profile.watch.domain import Ending, Tag
from shared.clock import BusinessClock
from shared.database import raw_connection
from shared.ids import new_id
from shared.tokens import Token


async def shown_to(
    connection: asyncpg.Connection,
    token: Token,
    *,
    customer_id: str,
    now: datetime,
    purpose: str | None = None,
) -> frozenset[str]:
    """Return the keys of the tags that a token sees of a customer, a survivor, for a purpose.

    Raises:
        UnknownPurpose: nothing is held for it.
    """
    kinds = [each.kind for each in await tag_kinds.list_all(connection)]
    groups = await grounds.open_groups(connection, customer_id, purpose, now)
    return domain.readable(kinds, groups, is_customer=token.customer is not None)


async def list_of(
    session: AsyncSession,
    customer_id: str,
    *,
    state: State,
    purpose: str | None,
    token: Token,
    now: datetime,
    before: str | None,
    limit: int,
) -> list[Tag]:
    """Return a customer's tags that a purpose covers, latest first.

    Raises:
        NoSuchCustomer: there is none, or it is not the token's to see.
        UnknownPurpose: nothing is held for it.
    """
    party = await customers.must_see(session, customer_id, token)
    connection = await raw_connection(session)
    kinds = await shown_to(
        connection, token, customer_id=party.customer_id, now=now, purpose=purpose
    )
    return await repository.list_of(
        connection,
        party.records,
        kinds,
        current_at=now if state == "current" else None,
        before=before,
        limit=limit,
    )


async def put(
    session: AsyncSession,
    customer_id: str,
    key: str,
    wanted: Wanted,
    *,
    token: Token,
    clock: BusinessClock,
) -> tuple[Tag, str | None]:
    """Give a customer a tag in place of what it said before; return it and the last event's id.

    One that says just this already stays.

    Raises:
        Forbidden: the token is bound to a customer.
        NoSuchCustomer: there is none, or it is not the token's to see.
        NoSuchTagKind: there is no such tag.
        TagFollowsRule, TagNotInUse, TagUnfit: see `domain.last_moment`.
    """
    token.must_be_staff()
    connection = await raw_connection(session)
    party = await customers.hold(session, customer_id, token)
    now = clock.now()
    kind = (await tag_kinds.get(connection, key)).kind
    until = domain.last_moment(kind, wanted, now=now)
    held = await repository.list_open(connection, party.records, key)
    for tag in held:
        if tag.is_current(now) and wanted.is_said_by(tag):
            return tag, None
    given = Tag(
        customer_id=party.customer_id,
        tag_id=new_id(),
        kind=key,
        value=wanted.value,
        source=kind.source,
        since=now,
        until=until,
        set_by=token.author,
        reference=wanted.reference,
    )
    named = [(tag.customer_id, tag.tag_id) for tag in held]
    event_id = await watch.replace_tags(
        connection, named, [given], Ending.REPLACED, at=now, by=token.author
    )
    return given, event_id


async def remove(
    session: AsyncSession, customer_id: str, key: str, *, token: Token, clock: BusinessClock
) -> str | None:
    """End a tag on all records of a customer; return the last event's id.

    Raises:
        Forbidden: the token is bound to a customer.
        NoSuchCustomer: there is none, or it is not the token's to see.
        NoSuchTag: the customer does not bear it.
        NoSuchTagKind: there is no such tag.
        TagFollowsRule: only its rule ends it.
    """
    token.must_be_staff()
    connection = await raw_connection(session)
    party = await customers.hold(session, customer_id, token)
    now = clock.now()
    domain.must_be_settable((await tag_kinds.get(connection, key)).kind)
    held = await repository.list_open(connection, party.records, key)
    if not any(tag.is_current(now) for tag in held):
        raise NoSuchTag(f"This customer does not bear {key}")
    named = [(tag.customer_id, tag.tag_id) for tag in held]
    return await watch.replace_tags(connection, named, [], Ending.REMOVED, at=now, by=token.author)
