"""The five databases as an operator sees them: where they are, and whether they can be used."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from bihuan.data_folder import OWNERS, DataFolder
from bihuan.environment import is_set, value_of
from shared.paths import ROOT
from shared.postgres.binaries import OLDEST

TIMEOUT_SECONDS = 5.0

_TABLES = """
SELECT format('%I.%I', n.nspname, c.relname) AS name
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema'
  AND n.nspname NOT LIKE 'pg\\_%'
  AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = c.oid AND deptype = 'e')
ORDER BY name
"""

_FAULTS: tuple[tuple[tuple[type[Exception], ...], str, str], ...] = (
    (
        (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError),
        "refuses the password at {place}",
        "{correct}",
    ),
    ((asyncpg.InvalidCatalogNameError,), "does not exist at {place}", "create it, or {correct}"),
    ((asyncpg.DiskFullError,), "has a full disk", "make room where PostgreSQL keeps its data"),
    (
        (asyncpg.TooManyConnectionsError,),
        "has no connection left",
        "raise max_connections, or end who holds them",
    ),
    (
        (asyncpg.CannotConnectNowError,),
        "is not ready: {said}",
        "wait; PostgreSQL's log says how far it is",
    ),
    ((asyncpg.PostgresError,), "refuses us: {said}", "{correct}"),
    ((ValueError,), "has an address that cannot be read ({said})", "{correct}"),
    ((Exception,), "does not answer at {place} ({said})", "start PostgreSQL, or {correct}"),
)
"""What people are told: by kind of error, the first that fits."""


class DatabaseUnusable(Exception):
    """A database cannot be used: `detail` is what is wrong, `advice` what to do."""

    def __init__(self, owner: str, detail: str, advice: str) -> None:
        super().__init__(f"database {owner} {detail}: {advice}")
        self.detail, self.advice = detail, advice


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A database that answers: PostgreSQL's major version, schema, and how many tables it has."""

    major: int
    revision: str | None
    tables: int


def setting_of(owner: str) -> str:
    """Name of the variable that holds a database's address."""
    return f"BIHUAN_{owner.upper()}_DATABASE_URL"


def url_of(owner: str, folder: DataFolder) -> str | None:
    """Address of a database as the suite would take it; None before the first start.

    Raises:
        DatabaseUnusable: the file that holds it cannot be read.
    """
    setting = setting_of(owner)
    try:
        if is_set(setting):
            return value_of(setting)
        file = folder.database_url_file(owner)
        return file.read_text().strip() if file.exists() else None
    except OSError as error:
        told = f"has an address that cannot be read ({error.filename}: {error.strerror})"
        raise DatabaseUnusable(owner, told, f"mend that file, or set {setting}") from None


def migrations_of(owner: str) -> Path:
    return ROOT / (owner if owner == "gateway" else f"services/{owner}") / "migrations"


def revisions(migrations: Path) -> list[str]:
    """The schemas this version knows, oldest first; a migration's file begins with its number."""
    return sorted(file.name.partition("_")[0] for file in migrations.glob("versions/0*.py"))


def look_at_all(folder: DataFolder) -> Mapping[str, Seen | DatabaseUnusable]:
    """Ask all databases whose address is known, at the same time."""
    return asyncio.run(_look_at_all(folder))


def require_usable(folder: DataFolder) -> bool:
    """Stop before programs are started that could only fail, and fail again.

    Returns:
        Whether no database holds anything yet.

    Raises:
        DatabaseUnusable: one does not answer, is too old, or was made by a newer version.
    """
    found = look_at_all(folder)
    for owner, seen in found.items():
        if isinstance(seen, DatabaseUnusable):
            raise seen
        require_known(owner, seen.revision)
    return not any(isinstance(seen, Seen) and seen.tables for seen in found.values())


def require_known(owner: str, revision: str | None) -> None:
    """Refuse a schema that a newer version has made.

    Raises:
        DatabaseUnusable: this version does not know the schema.
    """
    if revision is not None and revision not in revisions(migrations_of(owner)):
        told = f"has the schema {revision}, which this version does not know"
        advice = "it was made by a newer version: install that one, or restore an older backup"
        raise DatabaseUnusable(owner, told, advice)


async def connect(owner: str, url: str) -> asyncpg.Connection:
    """Connect, or say what is wrong.

    Raises:
        DatabaseUnusable: it does not answer, refuses us, or is too old.
    """
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            connection = await asyncpg.connect(url)
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError) as error:
        raise DatabaseUnusable(owner, *_fault(owner, url, error)) from None
    if (major := connection.get_server_version().major) < OLDEST:
        await connection.close()
        told = f"is in PostgreSQL {major} at {_place(url)}"
        raise DatabaseUnusable(owner, told, f"move it to PostgreSQL {OLDEST} or newer")
    return connection


async def look(connection: asyncpg.Connection) -> Seen:
    has_schema = await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL")
    return Seen(
        major=connection.get_server_version().major,
        revision=await connection.fetchval("SELECT version_num FROM alembic_version")
        if has_schema
        else None,
        tables=len(await list_tables(connection)),
    )


async def list_tables(connection: asyncpg.Connection) -> list[str]:
    """Every table that is not PostgreSQL's own or an extension's, quoted for SQL."""
    return [row["name"] for row in await connection.fetch(_TABLES)]


async def _look_at_all(folder: DataFolder) -> dict[str, Seen | DatabaseUnusable]:
    found = await asyncio.gather(*(_look_at(owner, folder) for owner in OWNERS))
    return {owner: seen for owner, seen in zip(OWNERS, found, strict=True) if seen is not None}


async def _look_at(owner: str, folder: DataFolder) -> Seen | DatabaseUnusable | None:
    try:
        if (url := url_of(owner, folder)) is None:
            return None
        connection = await connect(owner, url)
        try:
            return await look(connection)
        except asyncpg.PostgresError as error:
            raise DatabaseUnusable(owner, *_fault(owner, url, error)) from None
        finally:
            await connection.close(timeout=TIMEOUT_SECONDS)
    except DatabaseUnusable as unusable:
        return unusable


def _fault(owner: str, url: str, error: Exception) -> tuple[str, str]:
    """What is wrong and what to do about it."""
    setting = setting_of(owner)
    said = getattr(error, "strerror", None) or str(error) or "no answer in time"
    words = {
        "place": _place(url),
        "said": said.splitlines()[0],
        "correct": f"correct {setting}" if is_set(setting) else "restart the suite: it is set anew",
    }
    return next(
        (detail.format(**words), advice.format(**words))
        for kinds, detail, advice in _FAULTS
        if isinstance(error, kinds)
    )


def _place(url: str) -> str:
    """Where a database is, without the password."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{host}{parts.path}" if host else "the address given"
