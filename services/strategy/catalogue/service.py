"""The catalogue in memory: compiled once a version; seeded from the shipped files."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import cast

import anyio
import asyncpg
import orjson
import yaml

from services.strategy.catalogue.domain.compiled import Catalogue
from services.strategy.catalogue.domain.reading import shelf_of
from services.strategy.entries import repository
from services.strategy.entries import service as entries
from services.strategy.entries.domain import Entry, Kind
from services.strategy.products import service as products
from shared.logging import log

FILES = {
    "attributes": Kind.ATTRIBUTE,
    "categories": Kind.CATEGORY,
    "channels": Kind.CHANNEL,
    "contact_policy": Kind.CONTACT_POLICY,
    "decisioning": Kind.DECISIONING,
    "products": Kind.PRODUCT,
    "strategies": Kind.STRATEGY,
}
KEPT_VERSIONS = 16


class Catalogues:
    """Compiled catalogues of one database by version, the lately used ones kept."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, Catalogue] = OrderedDict()

    async def current(self, connection: asyncpg.Connection) -> Catalogue:
        """Return the catalogue as it stands now."""
        return await self.as_of(connection, await repository.head_version(connection))

    async def as_of(self, connection: asyncpg.Connection, version: int) -> Catalogue:
        """Return the catalogue of a version."""
        known = self._known.get(version)
        if known is None:
            listed = await repository.list_as_of(connection, version)
            known = await anyio.to_thread.run_sync(_compile, listed, version)
            self._known[version] = known
            while len(self._known) > KEPT_VERSIONS:
                self._known.popitem(last=False)
        self._known.move_to_end(version)
        return known


def _compile(listed: list[Entry], version: int) -> Catalogue:
    catalogue = Catalogue(shelf_of(listed, version=version))
    for name, reason in catalogue.unreadable.items():
        log.warning("rule_unreadable", where=name, reason=reason)
    return catalogue


async def seed(connection: asyncpg.Connection, folder: Path, *, now: datetime) -> int:
    """Take over the shipped entries that the bank has not made its own."""
    shipped = {
        (kind, key): body
        for name, kind in FILES.items()
        for key, body in _entries_of(folder / f"{name}.yaml")
    }
    written = await entries.ship(connection, shipped, now=now)
    for (kind, key), body in shipped.items():
        if kind is Kind.PRODUCT:
            await products.set_quota(connection, key, body, only_new=True)
    return written


def _entries_of(path: Path) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Yield key and body of a file that holds a list of entries, or a single one."""
    content = orjson.loads(orjson.dumps(yaml.safe_load(path.read_text())))
    items = cast("list[dict[str, object]]", content if isinstance(content, list) else [content])
    for item in items:
        key = str(item["key"] if "key" in item else item["name"])
        yield key, {name: value for name, value in item.items() if name != "key"}
