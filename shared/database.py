"""PostgreSQL: engine and sessions, plain connections for hot and bulk paths, migrations."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

import asyncpg
import orjson
from asyncpg.pool import PoolConnectionProxy
from sqlalchemy import BigInteger, DateTime, Dialect, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.types import TypeDecorator

from shared.logging import log
from shared.upgrade import upgrade

POOL_SIZE = 8
KEPT_SECONDS = 60.0  # an unused connection of the plain pool
# asyncpg would plan a statement over 15 KB anew each time: the features of one customer, 40 ms
CACHE_ALL = 0
Begin: TypeAlias = Callable[[], Awaitable[asyncpg.Connection]]
"""Opens a transaction that somebody else ends."""
STILL_SECONDS = 5
ENDS_IF_STILL = {"idle_in_transaction_session_timeout": f"{STILL_SECONDS}s"}
"""Of a session that locks what others wait for: a stopped process must not keep its locks."""
_SERVER_SETTINGS = {"jit": "off", "timezone": "UTC"}
_PLANS = {"auto": dict[str, str](), "once": {"plan_cache_mode": "force_generic_plan"}}


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
    """One service's own database.

    The server ends a transaction of the pool or the engine that stands still for `STILL_SECONDS`
    between two statements: gather first, then begin.

    Args:
        url: of the database.
        pool_size: connections of the plain pool, and as many of the engine.
        plans: `once`: each statement of the plain pool is planned once a connection; for statements
            that take a few keys in an array, which the server would plan anew each time.
    """

    def __init__(
        self, url: str, *, pool_size: int = POOL_SIZE, plans: Literal["auto", "once"] = "auto"
    ) -> None:
        self.url = url
        self._settings = _SERVER_SETTINGS | ENDS_IF_STILL | _PLANS[plans]
        self.engine = create_async_engine(
            _sqlalchemy_url(url),
            pool_size=pool_size,
            max_overflow=0,
            json_serializer=_as_is,
            json_deserializer=_as_is,
            connect_args={
                "server_settings": _SERVER_SETTINGS | ENDS_IF_STILL,
                "max_cacheable_statement_size": CACHE_ALL,
            },
        )
        event.listen(self.engine.sync_engine, "connect", _set_codecs_of_driver)
        event.listen(self.engine.sync_engine, "checkout", _refuse_closed)
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self._pool_size = pool_size
        self._pool: asyncpg.Pool | None = None
        self._turn = asyncio.Semaphore(pool_size)  # FIFO: a bare pool starves late callers
        self._returning: set[asyncio.Task[None]] = set()

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
                    server_settings=self._settings,
                    max_cacheable_statement_size=CACHE_ALL,
                    max_inactive_connection_lifetime=KEPT_SECONDS,
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
        """Lend a plain connection, first come, first served; keep no session state in it.

        Whoever is cancelled, as by a time-out, is let go at once: the driver waits until the
        server has confirmed that the query ended, and one that hangs never does.
        """
        await self._turn.acquire()
        try:
            connection = await self.pool.acquire()
        except BaseException:
            self._turn.release()
            raise
        giving_back = partial(self._give_back, connection)
        try:
            yield cast("asyncpg.Connection", connection)
        except asyncio.CancelledError:
            task = asyncio.create_task(giving_back())
            self._returning.add(task)
            task.add_done_callback(self._returning.discard)
            raise
        except BaseException:
            await giving_back()
            raise
        await giving_back()

    async def _give_back(self, connection: PoolConnectionProxy) -> None:
        try:
            await self.pool.release(connection)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("connection_lost", kind=type(error).__name__)  # the pool opens another
        finally:
            self._turn.release()

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

    async def dedicated(self, settings: Mapping[str, str] | None = None) -> asyncpg.Connection:
        """Open a connection outside the pool (LISTEN, advisory locks, streams to slow readers).

        The caller closes it; a transaction of its own may stand still.
        """
        told = {**_SERVER_SETTINGS, **(settings or {})}
        connection = await asyncpg.connect(self.url, server_settings=told)
        await set_codecs(connection)
        return connection

    async def upgrade(self, migrations: Path) -> None:
        """Bring the schema up to date; see `shared.upgrade`."""
        connection = await self.dedicated()
        try:
            await upgrade(connection, self.url, migrations)
        finally:
            await connection.close()

    async def rest(self) -> None:
        """Let the sessions of the server go after work: each keeps the memory it ever needed."""
        await self.engine.dispose()
        await self.pool.expire_connections()


async def raw_connection(session: AsyncSession) -> asyncpg.Connection:
    """Return the driver's connection inside the session's own transaction, for COPY and sets."""
    await session.flush()
    connection = await session.connection()
    raw = await connection.get_raw_connection()
    driver = cast("asyncpg.Connection", raw.driver_connection)
    if not driver.is_in_transaction():  # SQLAlchemy begins with the first statement of its own
        await connection.exec_driver_sql("SELECT")
    return driver


async def set_codecs(connection: Any) -> None:
    """Let jsonb columns take and give plain values."""
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=_encode_jsonb,
        decoder=_decode_jsonb,
        format="binary",
    )


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


def _refuse_closed(connection: DBAPIConnection, *_: object) -> None:
    """Have the pool open another connection for one that the database closed meanwhile."""
    driver = cast("Any", connection).driver_connection
    if driver.is_closed():
        raise DisconnectionError


def _set_codecs_of_driver(connection: DBAPIConnection, _: object) -> None:
    connection.run_async(_set_codecs_of_driver_connection)  # pyright: ignore[reportAttributeAccessIssue]
