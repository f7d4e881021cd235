"""The catalogue of features: the shipped ones, and those that the bank declares while all goes on.

Every statement that counts or answers reads what is declared from its table: a change holds at once
for every process.
"""

from dataclasses import dataclass, replace

import asyncpg
from anyio import to_thread

from services.profile.clients import Attributes
from services.profile.declarations import repository
from services.profile.declarations.domain import (
    Declaration,
    DeclaredFeature,
    NoSuchFeature,
    State,
    check,
    must_be_free,
    must_have_room,
    must_keep_kind,
    unit_of,
)
from services.profile.event_types import service as event_types
from services.profile.features import service as features
from services.profile.vocabulary import AttributeWord, grounds, own_attributes
from shared.clock import BusinessClock
from shared.database import Database
from shared.etag import check_match
from shared.feed.events import NewEvent
from shared.feed.publish import publish_many

DECLARED = "profile.feature_declared.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """Who writes, at which version, of how many features at most."""

    if_match: str
    author: str
    most: int


async def list_after(
    connection: asyncpg.Connection, after: str, *, limit: int
) -> list[AttributeWord | DeclaredFeature]:
    """Return features beyond a name by name, shipped ones and the bank's own."""
    named: dict[str, AttributeWord | DeclaredFeature] = {
        name: each for name, each in own_attributes().items() if name > after
    }
    own = await repository.list_after(connection, after, limit=limit)
    named |= {each.declaration.name: each for each in own}
    return [named[name] for name in sorted(named)[:limit]]


async def get(connection: asyncpg.Connection, name: str) -> AttributeWord | DeclaredFeature:
    """Return a feature.

    Raises:
        NoSuchFeature: there is none of this name.
    """
    found = own_attributes().get(name) or await _find(connection, name)
    if found is None:
        raise NoSuchFeature(f"Nothing is called {name}; GET /v1/features lists what is")
    return found


async def put(
    database: Database,
    wanted: Declaration,
    segment: Attributes,
    writing: Writing,
    clock: BusinessClock,
) -> DeclaredFeature:
    """Write the next version of a feature; if it counts otherwise, past events are counted anew.

    Raises:
        NameTaken: it is shipped, or somebody else's attribute.
        UnfitDeclaration: it does not fit the event type.
        KindFixed: its values would be of another type.
        TooManyFeatures: the bank has as many as it may.
        Stale: `if_match` names another version than the current one.
        Unavailable: segment does not say whether the name is free.
    """
    await _must_be_free(database, wanted.name, segment)
    is_speakable = await to_thread.run_sync(_is_speakable, wanted.name)
    async with database.transaction() as connection:
        await repository.lock(connection)
        wanted = await _checked(connection, wanted, is_speakable=is_speakable)
        current = await _find(connection, wanted.name)
        check_match(writing.if_match, current and current.version)
        if current is None:
            must_have_room(await repository.count(connection), writing.most)
        elif current.declaration == wanted:
            return current
        else:
            must_keep_kind(current.declaration, wanted)
        return await _write(connection, wanted, current, writing.author, clock)


async def delete(database: Database, name: str, writing: Writing, clock: BusinessClock) -> None:
    """Let nobody have a feature any more; what was counted for it goes in a run.

    Raises:
        NoSuchFeature: the bank has declared none of this name.
        Stale: `if_match` names another version than the current one.
    """
    async with database.transaction() as connection:
        await repository.lock(connection)
        current = await _find(connection, name)
        if current is None:
            raise NoSuchFeature(f"The bank has declared no feature {name}")
        check_match(writing.if_match, current.version)
        gone = replace(
            current,
            version=current.version + 1,
            state=State.DELETING,
            run_id=await features.ask_to_fill(connection, clock),
            author=writing.author,
            updated_at=clock.now(),
        )
        await repository.put(connection, gone)
        await publish_many(connection, [told(gone)])


def told(feature: DeclaredFeature) -> NewEvent:
    """Return the event that tells what a feature is now."""
    declaration = feature.declaration
    return NewEvent(
        type=DECLARED,
        subject=declaration.name,
        data={
            "feature": declaration.name,
            "type": declaration.kind,
            "unit": declaration.unit,
            "zh": declaration.zh,
            "en": declaration.en,
            "definition": declaration.definition,
            "sensitive": declaration.sensitive,
            "deleted": feature.state is State.DELETING,
        },
        at=feature.updated_at,
        state=True,
    )


async def _must_be_free(database: Database, name: str, segment: Attributes) -> None:
    must_be_free(name, None)
    async with database.connection() as connection:
        is_ours = await _find(connection, name) is not None
    if not is_ours:
        must_be_free(name, await segment.find(name))


def _is_speakable(name: str) -> bool:
    from shared.rules import is_speakable  # noqa: PLC0415  20 MB that only declarations need

    return is_speakable(name)


async def _checked(
    connection: asyncpg.Connection, wanted: Declaration, *, is_speakable: bool
) -> Declaration:
    kind = (await event_types.among(connection, [wanted.source])).get(wanted.source)
    held = [each.key for each in grounds()]
    check(wanted, kind, held, is_speakable=is_speakable)
    return replace(wanted, unit=wanted.unit or unit_of(wanted.aggregate, wanted.of, kind))


async def _write(
    connection: asyncpg.Connection,
    wanted: Declaration,
    current: DeclaredFeature | None,
    author: str,
    clock: BusinessClock,
) -> DeclaredFeature:
    before = await repository.find(connection, wanted.name)
    written = DeclaredFeature(
        declaration=wanted,
        version=before.version + 1 if before else 1,
        state=State.BACKFILLING,
        run_id=None,
        author=author,
        updated_at=clock.now(),
    )
    if current is not None and current.declaration.counted_by == wanted.counted_by:
        await repository.describe(connection, written)
        written = replace(written, state=current.state, run_id=current.run_id)
    else:
        written = replace(written, run_id=await features.ask_to_fill(connection, clock))
        await repository.put(connection, written)
    await publish_many(connection, [told(written)])
    return written


async def _find(connection: asyncpg.Connection, name: str) -> DeclaredFeature | None:
    found = await repository.find(connection, name)
    return found if found is not None and found.state is not State.DELETING else None
