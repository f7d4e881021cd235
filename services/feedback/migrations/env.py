"""Alembic's entry point: the tables of every slice, on the caller's connection."""

from services.feedback import tables
from shared.migrations import run

run(tables.METADATA)
