"""The few statements a supervisor needs, callable with or without a running loop."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg


def ensure_database(url: str, name: str, role: str, password: str) -> None:
    _run(_ensure_database(url, name, role, password))


def create_database(url: str, name: str, template: str) -> None:
    _run(_execute(url, f"CREATE DATABASE {_quoted(name)} TEMPLATE {_quoted(template)}"))


def drop_database(url: str, name: str) -> None:
    _run(_execute(url, f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)"))


async def _ensure_database(url: str, name: str, role: str, password: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        known = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
        verb = "ALTER" if known else "CREATE"
        secret = await connection.fetchval("SELECT quote_literal($1::text)", password)
        await connection.execute(f"{verb} ROLE {_quoted(role)} LOGIN PASSWORD {secret}")
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            await connection.execute(f"CREATE DATABASE {_quoted(name)} OWNER {_quoted(role)}")
        await connection.execute(f"REVOKE ALL ON DATABASE {_quoted(name)} FROM PUBLIC")
    finally:
        await connection.close()


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def _run(work: Coroutine[Any, Any, None]) -> None:
    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(asyncio.run, work).result()
