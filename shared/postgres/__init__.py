"""A real PostgreSQL that a process brings along."""

from shared.postgres.cluster import EmbeddedPostgres
from shared.postgres.errors import (
    FolderBusy,
    NoAccount,
    NoBinaries,
    PostgresError,
    StartFailed,
    TooOld,
    WrongPassword,
)

__all__ = [
    "EmbeddedPostgres",
    "FolderBusy",
    "NoAccount",
    "NoBinaries",
    "PostgresError",
    "StartFailed",
    "TooOld",
    "WrongPassword",
]
