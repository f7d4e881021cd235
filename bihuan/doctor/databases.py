"""The five databases: do they answer, to the right password, with the schema of this version."""

from collections.abc import Iterator

from bihuan.data_folder import DataFolder
from bihuan.databases import (
    DatabaseUnusable,
    Seen,
    look_at_all,
    migrations_of,
    require_known,
    revisions,
)
from bihuan.doctor.findings import Finding, bad, good


def look_at_databases(folder: DataFolder) -> Iterator[Finding]:
    for owner, seen in look_at_all(folder).items():
        yield _finding(owner, seen)


def _finding(owner: str, seen: Seen | DatabaseUnusable) -> Finding:
    what = f"database {owner}"
    try:
        if isinstance(seen, DatabaseUnusable):
            raise seen
        require_known(owner, seen.revision)
    except DatabaseUnusable as unusable:
        return bad(what, unusable.detail, unusable.advice)
    newest = revisions(migrations_of(owner))[-1]
    if seen.revision == newest:
        return good(what, f"answers, PostgreSQL {seen.major}, schema {seen.revision}")
    told = f"has the schema {seen.revision or 'of before the first start'}, the code has {newest}"
    return bad(what, told, "restart the suite: migrations run at its start")
