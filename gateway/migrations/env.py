"""Alembic's entry point: the tables of every slice, on the caller's connection."""

from gateway.tables import METADATA
from shared.migrations import run

run(METADATA)
