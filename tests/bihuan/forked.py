"""A program for the nursery: says what it is given, and stays until it is ended."""

import os
import signal

from shared.ids import new_id


def main() -> None:
    if "BIHUAN_ENDS" in os.environ:
        raise SystemExit("no such database")
    print(os.environ["BIHUAN_TOLD"], os.getsid(0) == os.getpid(), new_id(), flush=True)  # noqa: T201  what the test reads
    signal.pause()
