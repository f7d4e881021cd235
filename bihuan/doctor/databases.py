"""The five databases: do they answer, to the right password, with the schema of this version."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import asyncpg
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from bihuan.data_folder import OWNERS, DataFolder
from bihuan.doctor.findings import Finding, bad, good
from shared.paths import ROOT

TIMEOUT_SECONDS = 3.0
UNREACHABLE = (
    OSError,
    TimeoutError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
)


def look_at_databases(folder: DataFolder) -> Iterator[Finding]:
    for owner in OWNERS:
        url = url_of(owner, folder)
        if url is not None:
            yield look_at_database(owner, url, migrations_of(owner))


def url_of(owner: str, folder: DataFolder) -> str | None:
    """Address of a database as the suite would take it; None before the first start."""
    name = f"BIHUAN_{owner.upper()}_DATABASE_URL"
    if name in os.environ:
        return os.environ[name]
    file = Path(os.environ.get(f"{name}_FILE", folder.database_url_file(owner)))
    return file.read_text().strip() if file.exists() else None


def migrations_of(owner: str) -> Path:
    return ROOT / (owner if owner == "gateway" else f"services/{owner}") / "migrations"


def look_at_database(owner: str, url: str, migrations: Path) -> Finding:
    what = f"database {owner}"
    setting = f"BIHUAN_{owner.upper()}_DATABASE_URL"
    try:
        revision = asyncio.run(_revision(url))
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError):
        return bad(what, "refuses the password", f"put the right one into {setting}")
    except asyncpg.InvalidCatalogNameError as error:
        return bad(what, str(error), f"create it, or correct {setting}")
    except UNREACHABLE as error:
        told = f"does not answer ({type(error).__name__})"
        return bad(what, told, f"start it (`bihuan up` if it is embedded), or correct {setting}")
    return look_at_schema(what, revision, migrations)


def look_at_schema(what: str, revision: str | None, migrations: Path) -> Finding:
    """Compare the revision in the database with the newest one in the code."""
    newest, known = _revisions(migrations)
    if revision == newest:
        return good(what, f"answers, schema {revision or 'empty'}")
    if revision is None or revision in known:
        told = f"has the schema {revision or 'of before the first start'}, the code has {newest}"
        return bad(what, told, "restart the suite: migrations run at its start")
    told = f"has the schema {revision}, which this version does not know"
    return bad(what, told, "it was made by a newer version: install that one, or restore a backup")


def _revisions(migrations: Path) -> tuple[str | None, set[str]]:
    if not (migrations / "env.py").exists():
        return None, set()
    config = Config()
    config.set_main_option("script_location", str(migrations))
    scripts = ScriptDirectory.from_config(config)
    try:
        return scripts.get_current_head(), {script.revision for script in scripts.walk_revisions()}
    except CommandError:
        return None, set()


async def _revision(url: str) -> str | None:
    async with asyncio.timeout(TIMEOUT_SECONDS):
        connection = await asyncpg.connect(url)
        try:
            if not await connection.fetchval("SELECT to_regclass('alembic_version')"):
                return None
            return await connection.fetchval("SELECT version_num FROM alembic_version")
        finally:
            await connection.close()
