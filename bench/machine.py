"""What processes cost, from the operating system."""

import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager

import psutil


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU time these processes and their children have used, ended children included."""
    return sum(map(_cpu_seconds, _family(pids)))


def memory_bytes(pids: Iterable[int]) -> int | None:
    """Proportional share of memory (PSS) of these processes and their children.

    None where the system does not say it (another user's process, or no Linux).
    """
    try:
        return sum(map(_pss_bytes, _family(pids)))
    except (psutil.AccessDenied, AttributeError):
        return None


def own_memory_bytes(pid: int) -> int:
    """PSS of one process without its children; 0 if it has ended or may not be looked at."""
    try:
        return _pss_bytes(psutil.Process(pid))
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0


@contextmanager
def meanwhile(look: Callable[[], None], *, every_seconds: float) -> Generator[None]:
    """Look now and then, in a thread of its own, while the caller works."""
    ended = threading.Event()

    def look_on() -> None:
        while not ended.wait(every_seconds):
            look()

    thread = threading.Thread(target=look_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def cpu_meter(pids: Callable[[], Iterable[int]]) -> Callable[[], float]:
    """Return a meter that asks anew which processes there are each time."""
    return lambda: cpu_seconds(pids())


def _family(pids: Iterable[int]) -> Iterator[psutil.Process]:
    seen: set[int] = set()
    for pid in pids:
        try:
            parent = psutil.Process(pid)
            members = [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            continue
        yield from (m for m in members if m.pid not in seen)
        seen |= {member.pid for member in members}


def _cpu_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system + times.children_user + times.children_system


def _pss_bytes(process: psutil.Process) -> int:
    try:
        return process.memory_full_info().pss
    except psutil.NoSuchProcess:
        return 0
