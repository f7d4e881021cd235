"""Handing over personal data: asked for, allowed by another, each reading on record."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import asyncpg
import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from services.profile.customers import service as customers
from services.profile.disclosures import domain, repository
from services.profile.disclosures.domain import Disclosure, Sharing, State
from services.profile.identifiers import service as identifiers
from services.profile.identifiers.domain import KINDS, check_purpose
from services.profile.identifiers.service import KeyRing
from services.profile.vocabulary import recipients, unmasking_purposes
from shared.database import Database, from_fen, raw_connection
from shared.errors import Conflict
from shared.tokens import Token

CUSTOMERS_AT_ONCE = 500
MONEY = ("income_year",)


async def say(
    session: AsyncSession, customer_id: str, said: Sharing, *, token: Token, now: datetime
) -> str:
    """Keep what a customer said of handing data to a recipient; return the survivor's id.

    Raises:
        UnknownRecipient, NotSharable: the catalogue does not name it.
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    _check_words(said.recipient, said.data)
    party = await customers.hold(session, customer_id, token)
    connection = await raw_connection(session)
    await repository.add_statement(connection, party.customer_id, said, by=token.author, now=now)
    return party.customer_id


async def list_sharing(
    session: AsyncSession, customer_id: str, token: Token
) -> tuple[str, list[Sharing]]:
    """Return what a customer last said of each recipient.

    Raises:
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    party = await customers.must_see(session, customer_id, token)
    connection = await raw_connection(session)
    return party.customer_id, await repository.list_sharing(connection, party.customer_id)


async def ask(connection: asyncpg.Connection, wanted: Disclosure, token: Token) -> Disclosure:
    """Ask for data of many customers; the same again stays the one it is.

    Raises:
        PersonNeeded, UnknownRecipient, NotSharable, UnknownPurpose: see `domain`.
        Conflict: the id was used for another one.
    """
    check_reach(token)
    token.person()
    _check_words(wanted.recipient, wanted.data)
    check_purpose(wanted.purpose, unmasking_purposes())
    known = await repository.find(connection, wanted.disclosure_id)
    if known is not None:
        same = (known.recipient, known.data, known.org, known.purpose)
        if same != (wanted.recipient, wanted.data, wanted.org, wanted.purpose):
            raise Conflict(
                f"{wanted.disclosure_id} asks for something else", code="disclosure_differs"
            )
        return known
    await repository.put(connection, wanted)
    return wanted


async def decide(
    connection: asyncpg.Connection,
    disclosure_id: str,
    state: State,
    *,
    token: Token,
    now: datetime,
) -> Disclosure:
    """Approve or refuse a disclosure.

    Raises:
        NoSuchDisclosure: there is none.
        PersonNeeded, SecondPersonNeeded, DisclosureDecided: see `domain`.
    """
    check_reach(token)
    disclosure = await repository.get(connection, disclosure_id, lock=True)
    decided = domain.decided(disclosure, state, by=token.person(), at=now)
    await repository.put(connection, decided)
    return decided


async def opened(
    connection: asyncpg.Connection, disclosure_id: str, *, token: Token, now: datetime
) -> Disclosure:
    """Return a disclosure that may be read now.

    Raises:
        NoSuchDisclosure: there is none.
        DisclosureClosed: it was not approved, or too long ago.
    """
    check_reach(token)
    disclosure = await repository.get(connection, disclosure_id)
    domain.check_open(disclosure, now)
    return disclosure


async def content(
    database: Database,
    disclosure: Disclosure,
    *,
    token: Token,
    ring: KeyRing,
    currency: str,
    now: datetime,
) -> AsyncIterator[bytes]:
    """Yield a line of JSON for each customer; that it was read is on record before it leaves."""
    after = ""
    while True:
        async with database.transaction() as connection:
            page = await repository.list_customers(
                connection, disclosure, after=after, limit=CUSTOMERS_AT_ONCE, now=now
            )
            if not page:
                return
            ids = [row["customer_id"] for row in page]
            await identifiers.note_readings(
                connection, ids, disclosure.data, purpose=disclosure.purpose, token=token, now=now
            )
            plain = await identifiers.opened(connection, ring, ids)
        after = ids[-1]
        yield b"".join(
            orjson.dumps(
                {
                    "customer_id": row["customer_id"],
                    **{
                        name: _value(name, row, plain[row["customer_id"]], currency)
                        for name in disclosure.data
                    },
                }
            )
            + b"\n"
            for row in page
        )


def _value(name: str, row: Any, plain: dict[str, str], currency: str) -> object:
    if name in KINDS:
        return plain.get(name)
    if name not in MONEY or row[name] is None:
        return row[name]
    return {"amount": f"{from_fen(row[name]):.2f}", "currency": currency}


def _check_words(recipient: str | None, data: tuple[str, ...]) -> None:
    known = recipients()
    domain.check_words(recipient, data, recipients=known.recipients, sharable=known.sharable)


def check_reach(token: Token) -> None:
    """Refuse a token that sees a part of the bank, or one customer.

    Raises:
        Forbidden: it is narrowed.
    """
    token.must_see_the_bank()
    token.must_be_staff()
