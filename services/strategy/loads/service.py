"""Taking over the results of runs over many customers, beside the feeds and never before them."""

from collections.abc import Callable
from datetime import datetime
from typing import cast

import asyncpg
import polars as pl
import pyarrow as pa

from services.strategy.customers import repository as customers
from services.strategy.loads.domain import feature_rows, membership_rows
from shared.client import ServiceClient
from shared.database import Database
from shared.feed import Handler, loads
from shared.feed.loads import Load, Loader, Take

FEATURES, MEMBERSHIPS = "features", "memberships"
KINDS = {
    "profile.features_run_completed.v1": FEATURES,
    "segment.scoring_run_completed.v1": MEMBERSHIPS,
}


def load_handler(type_: str, now: Callable[[], datetime]) -> Handler:
    """Return the handler of one kind of run."""
    return loads.load_handler(type_, KINDS[type_], now)


def loader(database: Database, client: ServiceClient) -> Loader:
    """Return what makes the noted loads."""
    takes = {FEATURES: Take(_take_features), MEMBERSHIPS: Take(_take_memberships)}
    return Loader(database, client, takes)


async def _take_features(connection: asyncpg.Connection, _: Load, part: pa.RecordBatch) -> None:
    await customers.set_features(connection, feature_rows(_frame(part)))


async def _take_memberships(connection: asyncpg.Connection, _: Load, part: pa.RecordBatch) -> None:
    await customers.set_memberships(connection, membership_rows(_frame(part)))


def _frame(part: pa.RecordBatch) -> pl.DataFrame:
    return cast("pl.DataFrame", pl.from_arrow(part))
