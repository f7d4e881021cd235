"""The program that becomes the others: it has imported what they share, and forks.

A fork shares the memory of all that was imported, some 50 MB a process, and is there in a tenth of
the time that a new interpreter takes. `python -m bihuan.nursery` reads an order a line, a JSON
object of `become`'s arguments, and answers the pid.

No thread may run here: a lock that it held would never be free in a fork. So what starts threads
when it is imported (Polars, Arrow) is left to those who need it.
"""

import ctypes
import gc
import json
import os
import signal
import sys
from collections.abc import Mapping
from importlib import import_module

from shared.child import end_with_parent

SHARED = (
    *("numpy", "shared.app", "shared.feed.serve", "shared.idempotency"),
    *("shared.rules", "shared.server", "shared.worker"),
)
_PR_SET_NAME = 15


def become(name: str, module: str, environment: Mapping[str, str], log: str) -> None:
    """Run the `main` of a module in a session of its own, as a new interpreter would.

    Args:
        name: what the process is called in lists of processes.
        module: such as `services.profile.worker`.
        environment: added to that of the nursery.
        log: file to which output is appended.
    """
    os.setsid()
    ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)
    _redirect(log)
    os.environ.update(environment)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    sys.argv = [module]
    import_module(module).main()


def main() -> None:
    """Fork until nobody gives orders any more."""
    for module in SHARED:
        import_module(module)
    gc.freeze()  # a collection in a fork would write to, and so copy, all that it looks at
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them: the kernel buries them
    nursery = os.getpid()
    for line in sys.stdin.buffer:
        order = json.loads(line)
        pid = os.fork()
        if not pid:
            end_with_parent(signal.SIGKILL, nursery)
            become(**order)
            return
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def _redirect(log: str) -> None:
    for number, file, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND),
    ):
        opened = os.open(file, flags, 0o666)
        os.dup2(opened, number)
        os.close(opened)
    os.dup2(1, 2)


if __name__ == "__main__":
    main()
