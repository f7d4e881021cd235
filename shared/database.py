"""PostgreSQL: engine, the transaction of a request, plain connections for hot and bulk paths."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, cast

import asyncpg
import orjson
from alembic import command
from alembic.config import Config
from fastapi import Depends, Request
from sqlalchemy import BigInteger, Connection, DateTime, Dialect, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.types import TypeDecorator

from shared.logging import log

POOL_SIZE = 8
# asyncpg would plan a statement over 15 KB anew each time: the features of one customer, 40 ms
CACHE_ALL = 0
_SERVER_SETTINGS = {"jit": "off", "timezone": "UTC"}
_MIGRATION_LOCK = 0x_B1_40_A4  # any number all processes of the suite agree on


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant, UTC in and out; a naive one is a bug."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times."""
        if value is not None and value.tzinfo is None:
            raise ValueError(f"naive time {value!r}")
        return value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Answer in UTC."""
        return None if value is None else value.astimezone(UTC)


class Money(TypeDecorator[Decimal]):
    """Decimal yuan outside, whole fen (1/100) in the table."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:
        """Store whole fen; a finer amount is a bug."""
        return None if value is None else to_fen(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> Decimal | None:
        """Answer in yuan with two places."""
        return None if value is None else from_fen(value)


def to_fen(amount: Decimal) -> int:
    """Return an amount as whole fen.

    Raises:
        ValueError: if it has more than two places.
    """
    fen = amount.scaleb(2)
    if fen != fen.to_integral_value():
        raise ValueError(f"{amount} has more than two places")
    return int(fen)


def from_fen(fen: int) -> Decimal:
    """Return whole fen as a decimal amount with two places."""
    return Decimal(fen).scaleb(-2)


class Database:
    """One service's own database."""

    def __init__(self, url: str, *, pool_size: int = POOL_SIZE) -> None:
        self.url = url
        self.engine = create_async_engine(
            _sqlalchemy_url(url),
            pool_size=pool_size,
            max_overflow=0,
            json_serializer=_as_is,
            json_deserializer=_as_is,
            connect_args={
                "server_settings": _SERVER_SETTINGS,
                "max_cacheable_statement_size": CACHE_ALL,
            },
        )
        event.listen(self.engine.sync_engine, "connect", _set_codecs_of_driver)
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self._pool_size = pool_size
        self._pool: asyncpg.Pool | None = None
        self._turn = asyncio.Semaphore(pool_size)  # FIFO: a bare pool starves late callers

    @property
    def pool(self) -> asyncpg.Pool:
        """The plain pool; `connect` must have run."""
        if self._pool is None:
            raise RuntimeError("Database.connect() has not run")
        return self._pool

    async def connect(self) -> None:
        """Open the plain pool, waiting with growing pauses until the server answers."""
        pause = 0.05
        while self._pool is None:
            try:
                self._pool = await asyncpg.create_pool(
                    self.url,
                    min_size=1,
                    max_size=self._pool_size,
                    init=set_codecs,
                    reset=_keep,
                    server_settings=_SERVER_SETTINGS,
                    max_cacheable_statement_size=CACHE_ALL,
                )
            except (
                OSError,
                asyncpg.CannotConnectNowError,
                asyncpg.TooManyConnectionsError,
            ) as error:
                log.warning("database_not_reachable", error=str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 2.0)

    async def close(self) -> None:
        """Close every connection."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None
        await self.engine.dispose()

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[asyncpg.Connection]:
        """Lend a plain connection, first come, first served; keep no session state in it."""
        async with self._turn, self.pool.acquire() as connection:
            yield cast("asyncpg.Connection", connection)

    @asynccontextmanager
    async def transaction(
        self, *, isolation: str = "read_committed", readonly: bool = False
    ) -> AsyncGenerator[asyncpg.Connection]:
        """Lend a plain connection inside one transaction."""
        async with (
            self.connection() as connection,
            connection.transaction(isolation=isolation, readonly=readonly),  # pyright: ignore[reportArgumentType]
        ):
            yield connection

    async def dedicated(self) -> asyncpg.Connection:
        """Open a connection outside the pool (LISTEN, advisory locks); the caller closes it."""
        connection = await asyncpg.connect(self.url, server_settings=_SERVER_SETTINGS)
        await set_codecs(connection)
        return connection

    async def upgrade(self, migrations: Path, *, to: str = "head") -> None:
        """Bring the schema up to date; processes that start together take turns."""
        async with self.engine.begin() as connection:
            await connection.execute(
                text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK}
            )
            await connection.run_sync(_upgrade, migrations, to)


async def raw_connection(session: AsyncSession) -> asyncpg.Connection:
    """Return the driver's connection inside the session's own transaction, for COPY and sets."""
    await session.flush()
    connection = await session.connection()
    raw = await connection.get_raw_connection()
    return cast("asyncpg.Connection", raw.driver_connection)


async def set_codecs(connection: Any) -> None:
    """Let jsonb columns take and give plain values."""
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=_encode_jsonb,
        decoder=_decode_jsonb,
        format="binary",
    )


async def _open_session(request: Request) -> AsyncGenerator[AsyncSession]:
    database: Database = request.app.state.database
    async with database.sessions() as session, session.begin():
        yield session


# "function": the commit comes before the answer leaves, so that nobody reads 201 for lost work
Session = Annotated[AsyncSession, Depends(_open_session, scope="function")]


def _sqlalchemy_url(url: str) -> str:
    return url.replace("postgresql://", "postgresql+asyncpg://", 1)


def _as_is(value: object) -> object:
    return value


async def _keep(_: object) -> None:
    """Spare the reset query asyncpg would send whenever a connection comes back."""


def _encode_jsonb(value: object) -> bytes:
    return b"\x01" + orjson.dumps(value)


def _decode_jsonb(value: bytes) -> Any:
    return orjson.loads(memoryview(value)[1:])


async def _set_codecs_of_driver_connection(connection: Any) -> None:
    await set_codecs(connection)
    await connection.set_type_codec(  # what reflection reads
        "json", schema="pg_catalog", encoder=_encode_json, decoder=orjson.loads
    )


def _encode_json(value: object) -> str:
    return orjson.dumps(value).decode()


def _set_codecs_of_driver(connection: DBAPIConnection, _: object) -> None:
    connection.run_async(_set_codecs_of_driver_connection)  # pyright: ignore[reportAttributeAccessIssue]


def _upgrade(connection: Connection, migrations: Path, to: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
