"""pg_dump and pg_restore, told where the database is and watched while they work."""

import asyncio
import os
import signal
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bihuan.backup.manifest import BackupRefused
from bihuan.progress import Report
from shared import child
from shared.postgres.binaries import Binaries

LOOK_SECONDS = 0.5
LAST_WORDS = 50
LONGEST_LINE = 2**20
_WORKED_ON = ("creating ", "processing data", "executing ")
"""How pg_restore's lines about entries of the archive begin."""


async def dump(
    programs: Binaries, url: str, file: Path, *, snapshot: str, step: str, report: Report
) -> None:
    """Write what a session sees that holds `snapshot`.

    Raises:
        BackupRefused: pg_dump failed.
    """
    os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    command = [str(programs.dump), "--format=custom", "--compress=1", "--no-owner"]
    command += ["--no-privileges", f"--snapshot={snapshot}", f"--file={file}"]
    work = asyncio.create_task(_run([*command, *_to(url)], url))
    try:
        while not work.done():
            await asyncio.wait([work], timeout=LOOK_SECONDS)
            report(step, _size(file), None)
        await work
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    report(step, _size(file), _size(file))


async def entries(programs: Binaries, file: Path) -> list[str]:
    """The archive's table of contents, without extensions: those are the server's affair.

    Raises:
        BackupRefused: it cannot be read.
    """
    lines = await _run([str(programs.restore), "--list", str(file)])
    kept = [line for line in lines if line and not line.startswith(";")]
    return [line for line in kept if " EXTENSION " not in line]


async def load(programs: Binaries, url: str, file: Path, *, step: str, report: Report) -> None:
    """Restore into an empty database: everything or nothing.

    Raises:
        BackupRefused: pg_restore failed; the database is as it was.
    """
    wanted = await entries(programs, file)
    done = 0

    def hear(line: str) -> None:
        nonlocal done
        done += line.partition(": ")[2].startswith(_WORKED_ON)
        report(step, min(done, len(wanted)), len(wanted))

    with tempfile.NamedTemporaryFile("w", suffix=".list") as contents:
        contents.write("\n".join(wanted))
        contents.flush()
        command = [str(programs.restore), "--single-transaction", "--no-owner", "--no-privileges"]
        command += ["--verbose", f"--use-list={contents.name}", *_to(url), str(file)]
        await _run(command, url, hear=hear)
    report(step, len(wanted), len(wanted))


def _size(file: Path) -> int:
    return file.stat().st_size


def _to(url: str) -> list[str]:
    """The address without its password, which the list of processes would show."""
    parts = urlsplit(url)
    user, _, place = parts.netloc.rpartition("@")
    netloc = f"{user.partition(':')[0]}@{place}" if user else place
    return [f"--dbname={parts._replace(netloc=netloc).geturl()}"]


async def _run(
    command: Sequence[str], url: str = "", *, hear: Callable[[str], None] = lambda _: None
) -> list[str]:
    """Run a program bound to our life; return the lines it wrote."""
    password = {"PGPASSWORD": unquote(urlsplit(url).password or "")} if url else {}
    process = await asyncio.create_subprocess_exec(
        *child.command(command, on_parent_death=signal.SIGKILL),
        env={**os.environ, **password, "LC_ALL": "C"},
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        limit=LONGEST_LINE,
    )
    try:
        written, said = await asyncio.gather(_read(process), _listen(process, hear))
        code = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
    if code:
        raise BackupRefused(f"{Path(command[0]).name} failed: {_reason(said) or code}")
    return written


async def _read(process: Process) -> list[str]:
    assert process.stdout is not None  # noqa: S101  it was asked for
    return (await process.stdout.read()).decode(errors="replace").splitlines()


async def _listen(process: Process, hear: Callable[[str], None]) -> list[str]:
    """Hear every line of its progress; return its last words."""
    assert process.stderr is not None  # noqa: S101  it was asked for
    last: deque[str] = deque(maxlen=LAST_WORDS)
    async for line in process.stderr:
        told = line.decode(errors="replace").strip()
        hear(told)
        last.append(told)
    return list(last)


def _reason(said: Sequence[str]) -> str:
    """What a program complained of, without the statement it was at."""
    errors = [line for line in said if "error: " in line.lower()]
    return " ".join(errors or said[-3:])
