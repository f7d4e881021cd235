"""Bringing a database up to the migrations in code, in a process of its own if there is work."""

import asyncio
import signal
import sys
from pathlib import Path

import asyncpg

from shared import child

_LOCK = 0x_B1_40_A4  # any number all processes of the suite agree on


def newest_revision(migrations: Path) -> str:
    """Return the last migration; files are named by their revision: `0001_first_tables.py`."""
    return max(file.name for file in migrations.glob("versions/0*.py")).partition("_")[0]


async def upgrade(connection: asyncpg.Connection, url: str, migrations: Path) -> None:
    """Carry out what `connection`'s database, at `url`, has not seen; processes take turns.

    Raises:
        RuntimeError: a migration failed; the log says why.
    """
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        if await _revision(connection) != newest_revision(migrations):
            await _migrate(url, migrations)


async def _revision(connection: asyncpg.Connection) -> str | None:
    if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
        return None
    return await connection.fetchval("SELECT version_num FROM alembic_version")


async def _migrate(url: str, migrations: Path) -> None:
    """Run Alembic in a process of its own: what it loads would stay in this one for good."""
    program = [sys.executable, "-m", "shared.migrations", "upgrade", str(migrations)]
    process = await asyncio.create_subprocess_exec(
        *child.command(program, on_parent_death=signal.SIGKILL), stdin=asyncio.subprocess.PIPE
    )
    await process.communicate(url.encode())  # not an argument: it holds the password
    if process.returncode:
        raise RuntimeError(f"the migrations in {migrations} failed")
