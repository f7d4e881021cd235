"""Start a program that ends with its parent, even when the parent is killed with -9.

Run as `python -I -S child.py SIGNAL UID GID PARENT PROGRAM [ARGUMENT ...]`, which becomes PROGRAM.
The kernel is asked to send SIGNAL when the parent ends (PR_SET_PDEATHSIG). That order survives
`exec` but not a change of uid, hence this small program between the two.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1


def command(
    program: Sequence[str],
    *,
    on_parent_death: signal.Signals,
    uid: int | None = None,
    gid: int | None = None,
) -> list[str]:
    """Arguments that start `program` as our direct child, bound to our life.

    To the kernel the parent is the *thread* that starts it: use one that lives as long as we do.
    """
    return [
        *(sys.executable, "-I", "-S", __file__),
        str(int(on_parent_death)),
        "-" if uid is None else str(uid),
        "-" if gid is None else str(gid),
        str(os.getpid()),
        *program,
    ]


def main(arguments: Sequence[str]) -> None:
    number, uid, gid, parent, *program = arguments
    _become(uid, gid)
    end_with_parent(int(number), int(parent))
    try:
        os.execvp(program[0], program)  # noqa: S606  no shell is the point
    except OSError as error:
        sys.exit(f"cannot run {program[0]}: {error.strerror}")


def _become(uid: str, gid: str) -> None:
    if gid != "-":
        os.setgroups([])
        os.setgid(int(gid))
    if uid != "-":
        os.setuid(int(uid))


def end_with_parent(number: int, parent: int) -> None:
    """Have the kernel send us a signal when our parent ends; end now if it has already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    if os.getppid() != parent:  # it ended before the order was placed
        sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
