"""What may be done with the KYC card: read it, fill it, read its sealed values on the record."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from services.profile.assessments import service as assessments
from services.profile.customers import service as customers
from services.profile.features import service as features
from services.profile.identifiers import service as identifiers
from services.profile.identifiers.service import KeyRing
from services.profile.kyc import repository
from services.profile.kyc.domain import (
    Card,
    Kept,
    NoSuchKycItem,
    Stated,
    Value,
    check_confirmed,
    check_put,
    entries_of,
    fact_of,
    items_of,
    months_before,
)
from services.profile.kyc.repository import Place
from services.profile.needs import service as needs
from services.profile.vocabulary import KycItem, TalkCard, kyc_items, kyc_valid_months, talk_cards
from shared.clock import BusinessClock
from shared.database import raw_connection
from shared.tokens import Token

GOALS_AT_MOST = 200


async def get(
    session: AsyncSession, customer_id: str, *, token: Token, ring: KeyRing, now: datetime
) -> Card:
    """Return a customer's card; identifiers are masked, sealed values are not shown.

    Raises:
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    stated = await _stated(session, customer_id, token=token, ring=ring)
    party = await customers.must_see(session, customer_id, token)
    connection = await raw_connection(session)
    kept = await repository.kept_of(connection, party.records)
    blind = await repository.list_talks(connection, party.customer_id, talk_cards())
    return card_of(stated, kept, blind, now=now)


def card_of(
    stated: Stated, kept: Mapping[str, Kept], blind: Sequence[TalkCard], *, now: datetime
) -> Card:
    """Return the card of a customer of whom this is stated and kept."""
    return Card(
        customer_id=stated.customer.customer_id,
        entries=entries_of(
            items_of(stated.customer.facts["party_type"], kyc_items()),
            stated,
            kept,
            oldest=months_before(now, kyc_valid_months()),
        ),
        blind=blind,
    )


async def put(
    session: AsyncSession,
    customer_id: str,
    item_key: str,
    value: Any,
    *,
    source: str,
    confirmed_at: datetime,
    token: Token,
    ring: KeyRing,
    clock: BusinessClock,
) -> str | None:
    """Fill an item, or confirm the fact that fills it; return the last event's id.

    Raises:
        NoSuchKycItem: it does not stand on the customer's card.
        KycFactElsewhere: it takes no value here.
        KycValueMissing: there is nothing to keep or to confirm.
        ConfirmedAhead: it is of a time that has not come.
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    check_confirmed(confirmed_at, clock.now())
    survivor = (await customers.hold(session, customer_id, token)).customer_id
    stated = await _stated(session, customer_id, token=token, ring=ring)
    item = _item(item_key, stated.customer.facts["party_type"])
    check_put(item, value, fact_of(item.fact, stated) if item.fact else None)
    connection = await raw_connection(session)
    sealed = None if item.fact else sealed_value(ring, survivor, item.key, value)
    given = Value(
        customer_id=survivor,
        item=item.key,
        sealed=sealed,
        source=source,
        confirmed_at=confirmed_at,
    )
    await repository.put_many(connection, [given], clock.now(), only_later=False)
    return await features.refresh(connection, [survivor], clock)


async def put_later(
    connection: asyncpg.Connection, values: Sequence[Value], now: datetime
) -> set[tuple[str, str]]:
    """Take values that were confirmed later than those there; return (customer, item) of them.

    The caller has locked the customers.
    """
    return await repository.put_many(connection, values, now, only_later=True)


async def unmask(
    session: AsyncSession,
    customer_id: str,
    purpose: str,
    *,
    token: Token,
    ring: KeyRing,
    now: datetime,
) -> dict[str, Any]:
    """Return the sealed values of a customer's card, on the record (P16).

    Raises:
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    party = await customers.must_see(session, customer_id, token)
    connection = await raw_connection(session)
    sealed = await repository.sealed_of(connection, party.records)
    await identifiers.note_reading(
        connection,
        party.customer_id,
        [kind_of(item) for item in sealed],
        purpose=purpose,
        token=token,
        now=now,
    )
    return {item: _plain(ring, record, item, body) for item, (record, body) in sealed.items()}


async def reseal(
    connection: asyncpg.Connection, ring: KeyRing, *, after: Place, limit: int
) -> Place | None:
    """Seal the next values that an older key sealed under the newest; return how far it came.

    Raises:
        KeyMissing: the key of one is not on the ring.
    """
    old = await repository.list_under_other_keys(connection, ring.mark, after=after, limit=limit)
    await repository.replace_sealed(
        connection,
        [
            (customer, item, sealed_value(ring, customer, item, _plain(ring, customer, item, body)))
            for customer, item, body in old
        ],
    )
    return (old[-1][0], old[-1][1]) if old else None


def sealed_value(ring: KeyRing, customer_id: str, item: str, value: Any) -> bytes:
    """Return a value as it is stored: nobody reads it without the key ring."""
    return ring.seal(customer_id, kind_of(item), orjson.dumps(value).decode()).body


def _plain(ring: KeyRing, record: str, item: str, sealed: bytes) -> Any:
    return orjson.loads(ring.open(record, kind_of(item), sealed))


def kind_of(item: str) -> str:
    """Return what a sealed value of an item is bound to, beside its customer."""
    return f"kyc.{item}"


def _item(key: str, party_type: str) -> KycItem:
    item = kyc_items().get(key)
    if item is None or party_type not in item.party_types:
        keys = ", ".join(each.key for each in items_of(party_type, kyc_items()))
        raise NoSuchKycItem(f"The card of a {party_type} has no item {key}; it has {keys}")
    return item


async def _stated(
    session: AsyncSession, customer_id: str, *, token: Token, ring: KeyRing
) -> Stated:
    customer = await customers.get(session, customer_id, token=token, ring=ring)
    assessed = await assessments.list_of(session, customer_id, token=token, before=None, limit=1)
    goals = await needs.list_goals(session, customer_id, token=token, after="", limit=GOALS_AT_MOST)
    return Stated(
        customer=customer,
        assessment=assessed[0] if assessed else None,
        goals=[goal for goal in goals if goal.closed_at is None],
    )
