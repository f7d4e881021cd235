"""What every request needs to know, held in memory and followed in the database.

Each change counts up one row, `revision`, in its own transaction. A gateway reads that number a few
times a second and reloads when it moved: two gateways side by side agree within a moment.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Annotated, Any

import asyncpg
from fastapi import Depends, Request
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from gateway.base import RevisionRow
from gateway.clients import repository as clients
from gateway.clients.domain import Client, UnknownClient
from gateway.clock import repository as clocks
from gateway.clock.domain import ClockSetting
from gateway.keys import domain as keys
from gateway.keys import repository as key_rows
from gateway.keys.domain import SigningKey
from gateway.keys.service import encryption_key
from gateway.settings import Settings
from gateway.staff import repository as staff_rows
from gateway.staff.domain import Staff
from shared.clock import real_now
from shared.database import Database
from shared.errors import Unavailable
from shared.logging import log

POLL_SECONDS = 0.2
REMEMBERED_STAFF = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One state of the gateway's small tables."""

    revision: int
    clients: Mapping[str, Client]
    keys: list[SigningKey]
    clock: ClockSetting


class Directory:
    """The latest state, and staff looked up so far."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._known: Known | None = None
        self._staff: dict[str, Staff | None] = {}
        self.jwks_document: dict[str, Any] = {}
        self._published: list[str] = []
        self._changed = asyncio.Event()
        self.is_stopping = False

    @property
    def known(self) -> Known:
        """The state read last.

        Raises:
            Unavailable: if the gateway has not read any yet.
        """
        if self._known is None:
            raise Unavailable("The gateway is starting")
        return self._known

    def client(self, client_id: str) -> Client:
        """Return one client.

        Raises:
            UnknownClient: if there is none.
        """
        found = self.known.clients.get(client_id)
        if found is None:
            raise UnknownClient(client_id)
        return found

    async def jwks(self) -> dict[str, Any]:
        """Return the JWKS document, for a verifier of tokens."""
        return self.jwks_document

    async def staff(self, staff_id: str) -> Staff | None:
        """Look a person up; remembered until anything changes.

        Raises:
            Unavailable: if the database does not answer.
        """
        if staff_id not in self._staff:
            revision = self.known.revision
            try:
                async with self._database.sessions() as session:
                    found = await staff_rows.find(session, staff_id)
            except (OSError, SQLAlchemyError) as error:
                raise Unavailable("The staff table cannot be read at the moment") from error
            if revision != self.known.revision or len(self._staff) >= REMEMBERED_STAFF:
                return found
            self._staff[staff_id] = found
        return self._staff[staff_id]

    async def refresh(self) -> None:
        """Read the state anew, all of it as of one moment."""
        async with self._database.sessions() as session:
            await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            row = await session.get(RevisionRow, 1)
            known = Known(
                revision=row.number if row else 0,
                clients={each.client_id: each for each in await clients.list_clients(session)},
                keys=await key_rows.list_keys(session, encryption_key(self._settings)),
                clock=await clocks.find(session) or ClockSetting(),
            )
        if self._known is None or known.revision >= self._known.revision:
            self._known, self._staff = known, {}
            self._publish()
            self._wake()

    def _publish(self) -> None:
        """Compose the JWKS document anew, if a key has come or has been retired for long enough."""
        grace = self._settings.key_grace
        published = keys.published(self.known.keys, now=real_now(), grace=grace)
        if [each.kid for each in published] != self._published:
            self._published = [each.kid for each in published]
            self.jwks_document = keys.public_document(published)

    async def follow(self) -> None:
        """Notice what other gateways changed, for ever."""
        while True:
            await asyncio.sleep(POLL_SECONDS)
            self._publish()
            try:
                if await self._revision() != self.known.revision:
                    await self.refresh()
            except (
                OSError,
                asyncpg.PostgresError,
                asyncpg.InterfaceError,
                SQLAlchemyError,
            ) as error:
                log.warning("directory_not_refreshed", error=type(error).__name__)

    async def changed(self, seconds: float) -> None:
        """Wait until the state is read anew, the time is up, or the gateway is told to end."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()

    def stop(self) -> None:
        """Let those who wait for a change go on now."""
        self.is_stopping = True
        self._wake()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def _revision(self) -> int:
        async with self._database.connection() as connection:
            return await connection.fetchval("SELECT number FROM revision WHERE id = 1") or 0

    @asynccontextmanager
    async def following(self) -> AsyncGenerator[None]:
        """Keep following while the gateway runs."""
        await self.refresh()
        task = asyncio.create_task(self.follow())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def count_change(session: AsyncSession) -> None:
    """Tell all gateways, once this transaction commits, to read anew; changes take turns."""
    await session.execute(
        update(RevisionRow).where(RevisionRow.id == 1).values(number=RevisionRow.number + 1)
    )


def _directory(request: Request) -> Directory:
    return request.app.state.directory


CurrentDirectory = Annotated[Directory, Depends(_directory)]


async def _open_change(
    directory: CurrentDirectory, request: Request
) -> AsyncIterator[AsyncSession]:
    database: Database = request.app.state.database
    async with database.sessions() as session, session.begin():
        await count_change(session)
        yield session
    await directory.refresh()


# As the kit's Session; after the commit this gateway knows the change before it answers.
Changing = Annotated[AsyncSession, Depends(_open_change, scope="function")]
