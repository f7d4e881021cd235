"""`bihuan up`: start the suite, show that it becomes ready, and keep it until told to stop."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn, TypeVar

from rich.console import Console
from rich.live import Live
from rich.table import Table

from bihuan.data_folder import DataFolder
from bihuan.suite import Suite
from shared.child import command

READY_SECONDS = 300.0
WATCH_SECONDS = 0.2
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Result = TypeVar("Result")


class Stopped(BaseException):
    """Somebody asked us to stop."""


@contextmanager
def stopped_by_signals() -> Generator[None]:
    """Turn the first signal into `Stopped`, and let nothing disturb the way down."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in STOPPING:
            signal.signal(number, signal.SIG_IGN)
        raise Stopped

    before = {number: signal.signal(number, stop) for number in STOPPING}
    try:
        yield
    except Stopped:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def wait_until_ready(suite: Suite, console: Console) -> None:
    """Show a live table until everything answers."""
    with Live(_table(suite, set()), console=console, refresh_per_second=5) as live:
        suite.wait_until_ready(READY_SECONDS, lambda ready: live.update(_table(suite, ready)))
    if not console.is_terminal:
        console.print()


def keep(suite: Suite) -> NoReturn:
    """Look after the suite until a signal ends it."""
    while True:
        suite.watch()
        time.sleep(WATCH_SECONDS)


def keep_while(suite: Suite, work: Callable[[], Result]) -> Result:
    """Look after the suite while `work` runs in a thread beside it.

    Returns:
        What the work returned; what it raised is raised here.
    """
    done: Future[Result] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:  # the main thread raises it
            done.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    while not done.done():
        suite.watch()
        wait([done], WATCH_SECONDS)
    return done.result()


def run_beside(suite: Suite, program: Sequence[str]) -> int:
    """Look after the suite while a program runs beside it, on our terminal; its exit code."""
    process = subprocess.Popen(  # noqa: S603  a program of ours
        command(program, on_parent_death=signal.SIGINT), start_new_session=True
    )
    try:
        while process.poll() is None:
            suite.watch()
            time.sleep(WATCH_SECONDS)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
    return process.returncode


def explain(folder: DataFolder, gateway_url: str, customer: str | None, console: Console) -> None:
    """Print addresses, a client's credentials and a curl that works when pasted."""
    secret = folder.secret_of("crm")
    lines = [
        "",
        f"  API pages   {gateway_url}/docs",
        f"  API         {gateway_url}/openapi.json",
        f"  data        {folder.root}  (logs in {folder.logs})",
        f"  client      crm   secret {secret}",
        "",
        "In another terminal:",
        "",
        f"TOKEN=$(curl -s -u 'crm:{secret}' -d grant_type=client_credentials "
        f'{gateway_url}/oauth/token | grep -o \'"access_token": *"[^"]*"\' | cut -d\'"\' -f4)',
        f'curl -s -H "Authorization: Bearer $TOKEN" "{gateway_url}/v1/customers/'
        f'{customer or "CUSTOMER"}/recommendations?channel=app&limit=3"',
        "",
        "Ctrl-C stops everything.",
    ]
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _table(suite: Suite, ready: set[str]) -> Table:
    table = Table("process", "state", "pid", "address", box=None)
    if suite.database_port:
        table.add_row(
            "postgresql",
            _state(is_ready=True),
            str(suite.database_pid),
            f"127.0.0.1:{suite.database_port}",
        )
    for child in suite.children:
        state = _state(is_ready=child.program.name in ready, restarts=child.restarts)
        table.add_row(child.program.name, state, str(child.pid or ""), child.program.url or "")
    return table


def _state(*, is_ready: bool, restarts: int = 0) -> str:
    state = "[green]ready[/]" if is_ready else "[yellow]starting[/]"
    return f"{state} (restarted {restarts} times)" if restarts else state
