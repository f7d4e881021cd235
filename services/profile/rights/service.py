"""Rights requests: taken, refused, answered; an erasure carried out in every service (P13, P14)."""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zlib import compress, decompress

import asyncpg
import orjson

from services.profile.customers import service as customers
from services.profile.customers.domain import NoSuchCustomer, Party
from services.profile.features import service as features
from services.profile.identifiers import service as identifiers
from services.profile.identifiers.service import KeyRing
from services.profile.rights import domain, repository
from services.profile.rights.domain import (
    AccountsOpen,
    Decider,
    Kind,
    NobodyWaits,
    NoSuchRequest,
    Receipt,
    Request,
    RequestDiffers,
    State,
)
from services.profile.rights.repository import Place
from services.profile.vocabulary import rights
from shared.clock import BusinessClock
from shared.feed.erased import note_erased
from shared.feed.events import Event, NewEvent
from shared.feed.handlers import Handler
from shared.feed.publish import publish_many
from shared.subjects import Rule
from shared.tokens import Token

ERASED = "profile.customer_erased.v1"
APPLIED = tuple(f"{service}.erasure_applied.v1" for service in domain.SERVICES[1:])
KEPT_SECRET = "restricted"  # noqa: S105 - what seals of the archive are bound to, no secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked, of whom; `request_id` is the caller's own."""

    request_id: str
    customer_id: str
    kind: Kind


async def receive(
    connection: asyncpg.Connection, asked: Asked, *, token: Token, clock: BusinessClock
) -> Request:
    """Take a request; the same one again stays the one it is.

    Raises:
        NoSuchCustomer: there is none, or it is not the token's to see.
        RequestDiffers: the id was used for another request.
    """
    party = await _party(connection, asked.customer_id, token)
    known = await repository.find(connection, asked.request_id)
    if known is not None:
        if (known.customer_id, known.kind) != (party.customer_id, asked.kind):
            raise RequestDiffers(f"{asked.request_id} asks for {known.kind} of another customer")
        return known
    request = domain.received(
        asked.request_id,
        party.customer_id,
        asked.kind,
        by=token.author,
        at=clock.now(),
        due_days=rights().due_days,
    )
    await repository.put(connection, request)
    return request


async def get(connection: asyncpg.Connection, request_id: str, token: Token) -> Request:
    """Return a request.

    Raises:
        NoSuchRequest: there is none, or it is not the token's to see.
        WholeBankOnly: the token sees a part of the bank.
    """
    token.must_see_the_bank()
    request = await repository.get(connection, request_id)
    if token.customer not in {None, request.customer_id}:
        raise NoSuchRequest(f"No rights request {request_id}")
    return await _known(connection, request)


async def refuse(
    connection: asyncpg.Connection, request_id: str, reason: str, *, token: Token, now: datetime
) -> Request:
    """Refuse a request.

    Raises:
        NoSuchRequest: there is none.
        UnknownReason, PersonNeeded, RequestDecided: see `domain.refused`.
    """
    token.must_see_the_bank()
    request = await repository.get(connection, request_id, lock=True)
    decider = Decider(person=token.person(), at=now)
    decided = domain.refused(request, reason, decider, known=rights().refusals)
    await repository.put(connection, decided)
    return decided


async def fulfil(
    connection: asyncpg.Connection, request_id: str, *, token: Token, clock: BusinessClock
) -> tuple[Request, str | None]:
    """Note that a request was answered, or begin an erasure; return the event that tells of it.

    Raises:
        NoSuchRequest: there is none.
        PersonNeeded, SecondPersonNeeded, RequestDecided: see `domain`.
        AccountsOpen: who is to be erased is still a customer.
    """
    token.must_see_the_bank()
    request = await repository.get(connection, request_id, lock=True)
    decider = Decider(person=token.person(), at=clock.now())
    if request.kind is not Kind.ERASURE:
        decided = domain.fulfilled(request, decider)
        await repository.put(connection, decided)
        return decided, None
    party = await _party(connection, request.customer_id, None)
    decided = domain.carrying_out(
        request,
        decider,
        records=party.records,
        readers=await repository.readers(connection),
    )
    if await repository.has_open_accounts(connection, party.records, clock.today()):
        raise AccountsOpen(
            f"Close the accounts of {party.customer_id} first; a contract needs the data until then"
        )
    await repository.put(connection, decided)
    return decided, await _announce(connection, decided, clock.now())


async def acknowledge(
    connection: asyncpg.Connection, request_id: str, reader: str, receipt: Receipt
) -> Request:
    """Take the receipt of a reader; the last one closes what else was open of the customer.

    Raises:
        NoSuchRequest: there is none.
        NobodyWaits: see `domain.acknowledged`.
    """
    request = await repository.get(connection, request_id, lock=True)
    with_it = domain.acknowledged(request, reader, receipt)
    await repository.put(connection, with_it)
    if with_it.state is State.FULFILLED:
        for each in await repository.list_open(connection, with_it.records):
            await repository.put(connection, domain.overtaken(each, with_it))
    return with_it


async def acknowledge_outside(
    connection: asyncpg.Connection, request_id: str, reader: str, receipt: Receipt
) -> Request:
    """Take the receipt of a reader outside the suite; its own services tell by their feeds.

    Raises:
        NoSuchRequest: there is none.
        NobodyWaits: the reader is one of the suite's, or see `domain.acknowledged`.
    """
    if reader in domain.SERVICES:
        raise NobodyWaits(f"{reader} tells by its own feed that it has erased")
    return await acknowledge(connection, request_id, reader, receipt)


def receipts_handler() -> Handler:
    """Hear of the other services that they have erased."""
    return Handler(APPLIED, _acknowledge_all)


async def _acknowledge_all(
    connection: asyncpg.Connection, events: Sequence[Event], _: object
) -> None:
    for event in events:
        receipt = Receipt(at=event.at or event.time, stores=event.data["stores"])
        await acknowledge(connection, event.data["request_id"], event.data["service"], receipt)


async def archive(
    connection: asyncpg.Connection,
    ring: KeyRing,
    rule: Rule,
    rows: dict[str, list[dict[str, Any]]],
    *,
    clock: BusinessClock,
) -> None:
    """Seal rows of a store, by customer, into the archive until law lets them go."""
    for customer_id, each in rows.items():
        packed = b64encode(compress(orjson.dumps(each))).decode()
        await repository.archive(
            connection,
            customer_id,
            rule.store,
            rows=len(each),
            sealed=ring.seal(customer_id, _kind(rule.store), packed).body,
            kept_until=clock.today() + timedelta(days=rule.restricted_days or 0),
            at=clock.now(),
        )


async def unseal(
    connection: asyncpg.Connection,
    request_id: str,
    *,
    purpose: str,
    token: Token,
    ring: KeyRing,
    now: datetime,
) -> list[dict[str, Any]]:
    """Return what law has kept of a customer who was erased; who read it, and why, is kept (P16).

    Raises:
        NoSuchRequest: there is none.
        UnknownPurpose: the catalogue does not name the purpose.
    """
    token.must_see_the_bank()
    request = await repository.get(connection, request_id)
    archived = await repository.list_archived(connection, request.records)
    stores = sorted({each["store"] for each in archived})
    await identifiers.note_reading(
        connection, request.customer_id, stores, purpose=purpose, token=token, now=now
    )
    return [
        {
            "customer_id": each["customer_id"],
            "store": each["store"],
            "rows": _opened(ring, each["customer_id"], each["store"], each["sealed"]),
            "kept_until": each["kept_until"].isoformat(),
            "archived_at": each["archived_at"],
        }
        for each in archived
    ]


async def reseal(
    connection: asyncpg.Connection, ring: KeyRing, *, after: Place, limit: int
) -> Place | None:
    """Seal the next archives that an older key sealed under the newest; return how far it came."""
    old = await repository.list_under_other_keys(connection, ring.mark, after=after, limit=limit)
    anew = [
        (
            customer_id,
            archive_id,
            ring.seal(customer_id, _kind(store), ring.open(customer_id, _kind(store), sealed)).body,
        )
        for customer_id, archive_id, store, sealed in old
    ]
    await repository.replace_sealed(connection, anew)
    return (old[-1][0], old[-1][1]) if old else None


async def _known(connection: asyncpg.Connection, request: Request) -> Request:
    """Return a request with the records of its customer, who is there until an erasure begins."""
    if request.records:
        return request
    parties = await customers.parties_among(connection, [request.customer_id])
    survivor = parties.get(request.customer_id, request.customer_id)
    if not await customers.party_types_of(connection, [survivor]):
        return request
    return replace(request, records=await customers.records_of(connection, survivor))


async def _party(connection: asyncpg.Connection, customer_id: str, token: Token | None) -> Party:
    """Lock a customer and return who the id stands for."""
    survivors = await features.lock(connection, [customer_id])
    seen = (
        [customer_id]
        if token is None
        else await customers.visible_to(connection, [customer_id], token)
    )
    if customer_id not in survivors or not seen:
        raise NoSuchCustomer(f"No customer {customer_id}")
    records = await customers.records_of(connection, survivors[customer_id])
    return Party(customer_id=survivors[customer_id], addressed=customer_id, records=tuple(records))


async def _announce(connection: asyncpg.Connection, request: Request, at: datetime) -> str:
    """Tell everybody, this service too, to forget all records of a customer."""
    await note_erased(connection, [(each, request.request_id, at) for each in request.records])
    told = await publish_many(
        connection, [erased(each, request.request_id, at) for each in request.records]
    )
    return told[0]


def erased(customer_id: str, request_id: str, at: datetime) -> NewEvent:
    """Return the event that tells to forget a customer."""
    return NewEvent(
        type=ERASED,
        subject=customer_id,
        data={"customer_id": customer_id, "request_id": request_id, "at": at},
        at=at,
        state=True,
    )


def _kind(store: str) -> str:
    return f"{KEPT_SECRET}:{store}"


def _opened(ring: KeyRing, customer_id: str, store: str, sealed: bytes) -> list[dict[str, Any]]:
    packed = ring.open(customer_id, _kind(store), sealed)
    return orjson.loads(decompress(b64decode(packed)))
