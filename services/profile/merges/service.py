"""Merging records of one party, and parting them again (statement L9)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.profile.assessments import service as assessments
from services.profile.assessments.domain import Assessment
from services.profile.consents import service as consents
from services.profile.consents.domain import Consents, Statement
from services.profile.customers import service as customers
from services.profile.customers.domain import NoSuchCustomer, Standing
from services.profile.features import service as features
from services.profile.matching.service import settled
from services.profile.merges import repository
from services.profile.merges.domain import (
    Joined,
    Merge,
    MergedAlready,
    NotMerged,
    OneRecord,
    PartiesDiffer,
    Saying,
    Switch,
    Will,
    lived_through,
    refuses,
    survivors,
)
from services.profile.relations import service as relations
from shared.clock import BusinessClock
from shared.database import raw_connection
from shared.feed.events import NewEvent
from shared.feed.publish import publish_many
from shared.ids import new_id
from shared.tokens import Token

MERGED = "profile.customers_merged.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which record is to be merged into a customer, and why."""

    customer_id: str
    merged: str
    reason: str


async def merge(
    connection: asyncpg.Connection, wanted: Wanted, *, token: Token, clock: BusinessClock
) -> tuple[Merge, str | None]:
    """Make a record part of a customer; return the merge and the event that tells it.

    A record that is part of the customer already stays so, and nothing is told.

    Raises:
        NoSuchCustomer: one of them is not there, or not the token's to see.
        OneRecord: they are one record.
        MergedAlready: the record is part of somebody else.
        PartiesDiffer: one is a person, say, and the other a company.
    """
    if wanted.customer_id == wanted.merged:
        raise OneRecord(f"{wanted.merged} is one record; name another one to merge")
    held = await _hold(connection, [wanted.customer_id, wanted.merged], token)
    survivor = held[wanted.customer_id]
    if held[wanted.merged] == survivor and survivor != wanted.merged:
        (known,) = await repository.list_in_force(connection, [wanted.merged])
        return known, None
    if held[wanted.merged] != wanted.merged or survivor == wanted.merged:
        raise MergedAlready(
            f"{wanted.merged} belongs to {held[wanted.merged]} together with others; "
            "part them first, or merge the customer it belongs to"
        )
    if len(await repository.party_types(connection, [survivor, wanted.merged])) > 1:
        raise PartiesDiffer(f"{survivor} and {wanted.merged} are of different party types")
    return await _join(connection, survivor, wanted, token=token, clock=clock)


async def unmerge(
    connection: asyncpg.Connection,
    customer_id: str,
    merged: str,
    *,
    token: Token,
    clock: BusinessClock,
) -> tuple[Merge, str]:
    """Part a record from a customer: both are as before, plus what each was told meanwhile.

    Raises:
        NoSuchCustomer: there is none, or it is not the token's to see.
        NotMerged: the record is not part of this customer.
    """
    held = await _hold(connection, [customer_id, merged], token)
    survivor = held[customer_id]
    if held[merged] != survivor or merged == survivor:
        raise NotMerged(f"{merged} is not part of {survivor}")
    records = await customers.records_of(connection, survivor)
    before = await _known(connection, [survivor], clock)
    in_force = {each.merged: each for each in await repository.list_in_force(connection, records)}
    undone = in_force.pop(merged)
    chain = [undone]
    while chain[-1].customer_id in in_force:
        chain.append(in_force[chain[-1].customer_id])
    meanwhile = [saying for link in chain for saying in await _sayings(connection, link)]
    at = clock.now()
    await repository.undo(connection, undone, at=at, by=token.author)
    await repository.empty(connection, undone.customer_id, undone.filled)
    for link in chain:
        await _relive(connection, link.customer_id, list(in_force.values()))
    await _carry(connection, merged, [each for each in meanwhile if refuses(each)], token, clock)
    parting = await _settle(connection, records, merge_id=undone.merge_id, at=at)
    await relations.follow(connection, records)
    await settled.note_parted(connection, merged, records, by=token.author, at=at)
    await _announce(connection, before, [survivor], clock)
    await _announce(connection, {}, [merged], clock)
    await features.refresh_related(connection, sorted([survivor, merged]), clock)
    return replace(undone, undone_at=at, undone_by=token.author), parting[0]


async def list_of(
    session: AsyncSession, customer_id: str, *, token: Token, after: str, limit: int
) -> list[Merge]:
    """Return all merges that a customer's records took part in, undone ones too."""
    party = await customers.must_see(session, customer_id, token)
    connection = await raw_connection(session)
    records = list({*party.records, customer_id})
    return await repository.list_of(connection, records, after=after, limit=limit)


def told(record: str, survivor: str | None, *, merge_id: str, at: datetime) -> NewEvent:
    """Return the event that tells whose record this is; None as survivor: its own."""
    return NewEvent(
        type=MERGED,
        subject=record,
        data={"customer_id": record, "survivor": survivor, "merge_id": merge_id},
        at=at,
        state=True,
    )


async def _hold(
    connection: asyncpg.Connection, customer_ids: Sequence[str], token: Token
) -> dict[str, str]:
    held = await features.lock(connection, customer_ids)
    seen = await customers.visible_to(connection, customer_ids, token)
    for customer_id in customer_ids:
        if customer_id not in held or customer_id not in seen:
            raise NoSuchCustomer(f"No customer {customer_id}")
    return held


async def _join(
    connection: asyncpg.Connection,
    survivor: str,
    wanted: Wanted,
    *,
    token: Token,
    clock: BusinessClock,
) -> tuple[Merge, str]:
    before = await _known(connection, [survivor], clock)
    made = Merge(
        merge_id=new_id(),
        customer_id=survivor,
        merged=wanted.merged,
        merged_at=clock.now(),
        merged_by=token.author,
        reason=wanted.reason,
        filled=await repository.fill(connection, survivor, wanted.merged),
    )
    await repository.add(connection, made)
    wills = await repository.wills_of(connection, [survivor, wanted.merged])
    await repository.keep_own_will(connection, survivor, wills[survivor], since=made.merge_id)
    joined = Joined(will=wills[wanted.merged], at=made.merged_at)
    await _stand(connection, survivor, lived_through(wills[survivor], [joined]))
    records = [
        *await customers.records_of(connection, survivor),
        *await customers.records_of(connection, wanted.merged),
    ]
    joining = await _settle(connection, records, merge_id=made.merge_id, at=made.merged_at)
    await features.forget(connection, wanted.merged)
    await relations.follow(connection, records)
    await settled.note_merged(
        connection, wanted.merged, records, survivor=survivor, by=token.author, at=made.merged_at
    )
    await _announce(connection, before, [survivor], clock)
    await features.refresh_related(connection, [survivor], clock)
    return made, joining[0]


async def _settle(
    connection: asyncpg.Connection, records: Sequence[str], *, merge_id: str, at: datetime
) -> list[str]:
    """Write whose each record is now, and tell whose it has become; return the events' ids."""
    in_force = await repository.list_in_force(connection, records)
    into = survivors(in_force)
    last: dict[str, datetime] = {}
    for each in in_force:
        head = into.get(each.customer_id, each.customer_id)
        last[head] = max(each.merged_at, last.get(head, each.merged_at))
    changed = await repository.set_survivors(
        connection, {record: (into.get(record), last.get(record)) for record in records}
    )
    return await publish_many(
        connection,
        [told(record, into.get(record), merge_id=merge_id, at=at) for record in changed],
    )


async def _relive(connection: asyncpg.Connection, survivor: str, in_force: list[Merge]) -> None:
    """Work out anew where a survivor stands, from its own will on."""
    since, own = await repository.own_will(connection, survivor)
    mine = [each for each in in_force if each.customer_id == survivor]
    wills = await repository.wills_of(connection, [each.merged for each in mine])
    happenings: list[tuple[str, Joined | Saying]] = [
        (each.merge_id, Joined(will=wills[each.merged], at=each.merged_at)) for each in mine
    ]
    happenings += await consents.list_statements(connection, survivor, since=since)
    happenings += await repository.list_switches(connection, survivor, since=since)
    happenings.sort(key=lambda happening: happening[0])
    await _stand(connection, survivor, lived_through(own, [each for _, each in happenings]))
    if not mine:
        await repository.forget_own_will(connection, survivor)


async def _sayings(connection: asyncpg.Connection, link: Merge) -> list[Saying]:
    """Return what was said of a survivor since a merge."""
    found: list[tuple[str, Saying]] = [
        *await consents.list_statements(connection, link.customer_id, since=link.merge_id),
        *await repository.list_switches(connection, link.customer_id, since=link.merge_id),
    ]
    return [saying for _, saying in sorted(found, key=lambda each: each[0])]


async def _carry(
    connection: asyncpg.Connection,
    record: str,
    refusals: Sequence[Saying],
    token: Token,
    clock: BusinessClock,
) -> None:
    """Have a record that is parted bear what was refused meanwhile, on its own record too."""
    will = (await repository.wills_of(connection, [record]))[record]
    await _stand(connection, record, lived_through(will, refusals))
    statements = [(record, each) for each in refusals if isinstance(each, Statement)]
    await consents.keep(connection, statements, recorded_by=token.author, now=clock.now())
    for each in refusals:
        if isinstance(each, Switch):
            await customers.keep_switches(
                connection, record, {each.name: each.value}, token=token, clock=clock
            )


async def _stand(connection: asyncpg.Connection, customer_id: str, will: Will) -> None:
    await consents.stand(connection, customer_id, will.consents)
    await repository.set_switches(connection, customer_id, will)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What others have heard of a customer on the safety lane."""

    standing: Standing
    consents: Consents
    assessment: Assessment | None


async def _known(
    connection: asyncpg.Connection, customer_ids: Sequence[str], clock: BusinessClock
) -> dict[str, Known]:
    standings = await customers.standings_of(connection, customer_ids, clock)
    allowed = await consents.current_of(connection, customer_ids)
    assessed = await assessments.valid_of(connection, customer_ids)
    return {
        each: Known(standing=standings[each], consents=allowed[each], assessment=assessed.get(each))
        for each in customer_ids
    }


async def _announce(
    connection: asyncpg.Connection,
    before: Mapping[str, Known],
    customer_ids: Sequence[str],
    clock: BusinessClock,
) -> list[str]:
    """Tell what is not as others know it; of whom they know nothing, all."""
    now = clock.now()
    events: list[NewEvent] = []
    for customer_id, after in (await _known(connection, customer_ids, clock)).items():
        known = before.get(customer_id)
        if known is None or consents.told(known.consents) != consents.told(after.consents):
            events.append(consents.changed(after.consents, now))
        if known is None or known.standing != after.standing:
            events.append(customers.flags_changed(customer_id, after.standing, now))
            events.append(customers.ownership_changed(customer_id, after.standing.owner, now))
        if known is None or known.assessment != after.assessment:
            events += assessments.changes(
                customer_id, known and known.assessment, after.assessment, now
            )
    return await publish_many(connection, events)
