"""What every service's `migrations/env.py` does, and the command that drafts a new revision.

`python -m shared.migrations services/profile URL "what changes"` compares the tables in code with
a migrated database and writes the difference as a revision to be read and named by a person.
"""

import asyncio
import importlib
import sys
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


async def draft(service: Path, url: str, message: str) -> None:
    """Write a revision that brings a migrated database up to the tables in code."""
    importlib.import_module(".".join([*service.parts, "main"]))  # every slice's tables
    database = Database(url)
    await database.upgrade(service / "migrations")
    async with database.engine.begin() as connection:
        await connection.run_sync(_draft, service / "migrations", message)
    await database.close()


def _draft(connection: Connection, migrations: Path, message: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.attributes["connection"] = connection
    command.revision(config, message=message, autogenerate=True)


if __name__ == "__main__":
    asyncio.run(draft(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
