"""What every service's `migrations/env.py` does, and two commands.

`python -m shared.migrations upgrade FOLDER` brings the database whose address comes on standard
input up to date; servers and workers start it (`Database.upgrade`).
`python -m shared.migrations draft services/profile URL "what changes"` compares the tables in code
with a migrated database and writes the difference as a revision to be read and named by a person:
its number, one more than the last, is also the beginning of its file's name.
"""

import asyncio
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, MetaData

from shared.database import Database


def run(metadata: MetaData) -> None:
    """Run the migrations on the connection the caller has opened."""
    connection: Connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=metadata, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


async def upgrade(url: str, migrations: Path) -> None:
    """Carry out, in one transaction, the migrations that a database has not seen."""
    database = Database(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(_upgrade, migrations)
    await database.close()


async def draft(service: Path, url: str, message: str) -> None:
    """Write a revision that brings a migrated database up to the tables in code."""
    importlib.import_module(".".join([*service.parts, "main"]))  # every slice's tables
    database = Database(url)
    await database.upgrade(service / "migrations")
    async with database.engine.begin() as connection:
        await connection.run_sync(_draft, service / "migrations", message)
    await database.close()


def _upgrade(connection: Connection, migrations: Path) -> None:
    command.upgrade(_config(connection, migrations), "head")


def _draft(connection: Connection, migrations: Path, message: str) -> None:
    command.revision(_config(connection, migrations), message=message, autogenerate=True)


def _config(connection: Connection, migrations: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.attributes["connection"] = connection
    return config


def main(arguments: Sequence[str]) -> None:
    match arguments:
        case ["upgrade", migrations]:
            asyncio.run(upgrade(sys.stdin.read(), Path(migrations)))
        case ["draft", service, url, message]:
            asyncio.run(draft(Path(service), url, message))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
