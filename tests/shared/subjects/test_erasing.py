"""Erased subjects go from every store, twice, and come back by no way."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Column, DateTime, MetaData, Table, Text

from shared.database import Database
from shared.feed import Event, Handler, erased_among, note_erased
from shared.feed.applying import apply_runs
from shared.feed.handlers import runs_of
from shared.feed.tables import feed_tables
from shared.stores import SUBJECT, stores_of
from shared.subjects import Effect, Eraser, Holder, Rule
from shared.subjects.erasing import Receipt
from shared.subjects.retention import Retention
from tests.conftest import NewDatabase

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
METADATA = MetaData()
feed_tables(METADATA)
Table(
    "letter",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("sender", Text, info=SUBJECT),
    Column("receiver", Text, info=SUBJECT),
    Column("sent_at", DateTime(timezone=True)),
)


def rule(store: str, effect: Effect, **more: Any) -> Rule:
    usual = {"zh": "信", "en": "Letters", "ground": "contract", "source": "customer"}
    return Rule(store=store, purposes=("service",), on_erasure=effect, **usual, **more)


EFFECTS = {"letter": Effect.ERASE, "feed": Effect.BLANK, "feed_pending": Effect.BLANK}
RULES = {
    store.name: rule(
        store.name,
        EFFECTS.get(store.name, Effect.KEEP),
        **({"kept_days": 30, "by": "sent_at"} if store.name == "letter" else {}),
    )
    for store in stores_of(METADATA)
}
HOLDER = Holder(service="post", metadata=METADATA, rules=RULES, telling=("erased",))


@pytest.fixture
async def database(new_database: NewDatabase) -> AsyncIterator[Database]:
    database = Database(new_database())
    await database.connect()
    async with database.engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    yield database
    await database.close()


async def write(database: Database, *letters: tuple[str, str, str], at: datetime = NOW) -> None:
    async with database.connection() as connection:
        await connection.executemany(
            "INSERT INTO letter (id, sender, receiver, sent_at) VALUES ($1, $2, $3, $4)",
            [(*letter, at) for letter in letters],
        )


async def letters(database: Database) -> list[str]:
    async with database.connection() as connection:
        return [row["id"] for row in await connection.fetch("SELECT id FROM letter ORDER BY id")]


async def forget(database: Database, *subjects: str) -> None:
    async with database.transaction() as connection:
        await note_erased(connection, [(each, "r1", NOW) for each in subjects])


def eraser(database: Database, told: list[Receipt]) -> Eraser:
    async def done(_: asyncpg.Connection, request_id: str, receipt: Receipt) -> None:
        assert request_id == "r1"
        told.append(receipt)

    return Eraser(holder=HOLDER, database=database, settle=timedelta(0), now=lambda: NOW, done=done)


async def test_p13_rows_that_name_a_subject_in_any_column_go_and_all_others_stay(
    database: Database,
) -> None:
    await write(database, ("1", "a", "b"), ("2", "b", "a"), ("3", "b", "c"), ("4", "c", "c"))
    await forget(database, "a", "c")
    told: list[Receipt] = []

    assert await eraser(database, told).step()

    assert await letters(database) == []
    await write(database, ("5", "b", "d"))
    assert await eraser(database, told).step()
    assert await letters(database) == ["5"]
    assert not await eraser(database, told).step()


async def test_p13_what_was_under_way_is_found_by_the_second_pass_which_tells(
    database: Database,
) -> None:
    await write(database, ("1", "a", "b"))
    await forget(database, "a")
    told: list[Receipt] = []
    await eraser(database, told).step()
    assert told == []

    await write(database, ("2", "a", "b"))
    await eraser(database, told).step()

    [receipt] = told
    assert {"store": "letter", "effect": Effect.ERASE, "rows": 2} in receipt
    assert {each["store"] for each in receipt} == set(RULES)
    assert await letters(database) == []


async def test_p13_published_events_lose_their_content_and_keep_their_place(
    database: Database,
) -> None:
    async with database.connection() as connection:
        for position, (subject, kind) in enumerate(
            [("a", "moved"), ("b", "moved"), ("a", "erased")], 1
        ):
            await connection.execute(
                """INSERT INTO feed (position, event_id, type, subject, at, data)
                   VALUES ($1::bigint, $2 || $3, $2, $3, now(), '{"x": 1}')""",
                position,
                kind,
                subject,
            )
    await forget(database, "a")

    await eraser(database, []).step()

    async with database.connection() as connection:
        rows = await connection.fetch("SELECT data::text FROM feed ORDER BY position")
    assert [row["data"] for row in rows] == ["{}", '{"x": 1}', '{"x": 1}']


def event(subject: str, data: dict[str, Any] | None = None) -> Event:
    given = {"x": 1} if data is None else data
    return Event(id=subject, source="s", type="moved", subject=subject, time=NOW, data=given)


async def test_p13_a_reader_takes_in_nothing_of_who_was_erased_and_nothing_empty(
    database: Database,
) -> None:
    seen: list[str] = []

    async def apply(_: asyncpg.Connection, events: Any, __: object) -> None:
        seen.extend(each.subject for each in events)

    await forget(database, "a")
    handler = Handler(["moved"], apply)
    async with database.transaction() as connection:
        await apply_runs(connection, runs_of([handler], [event("a"), event("b"), event("c", {})]))
        assert await erased_among(connection, ["a", "b"]) == {"a"}

    assert seen == ["b"]


async def test_rows_older_than_their_rule_go(database: Database) -> None:
    await write(database, ("old", "a", "b"), at=NOW - timedelta(days=30, seconds=1))
    await write(database, ("young", "a", "b"), at=NOW - timedelta(days=30))

    dropped = await Retention(holder=HOLDER, database=database, now=lambda: NOW).drop_outdated()

    assert dropped == {"letter": 1}
    assert await letters(database) == ["young"]
