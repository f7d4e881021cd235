"""The line to the gateway: it passes everything on, unless it is told to be trouble."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from random import Random

import pytest

from tests.faults.line import Line
from tests.faults.plan import How

pytestmark = pytest.mark.anyio
WORDS = b"a whole answer"


@asynccontextmanager
async def line_to_an_echo() -> AsyncGenerator[tuple[Line, int]]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(100))

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with Line(url, Random(1)).opened() as line:
        yield line, int(line.url.rpartition(":")[2])
    server.close()


async def ask(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(WORDS)
    try:
        return await reader.readexactly(len(WORDS))
    finally:
        writer.close()


async def test_it_passes_answers_on() -> None:
    async with line_to_an_echo() as (_, port):
        assert await ask(port) == WORDS


async def test_slow_answers_are_whole() -> None:
    async with line_to_an_echo() as (line, port):
        line.mood = How.SLOW
        assert await ask(port) == WORDS


async def test_a_cut_answer_ends_before_its_end() -> None:
    async with line_to_an_echo() as (line, port):
        line.mood = How.CUT
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await ask(port)
